//! The settings of typed payloads. Called by `settings` and `builder`.

use crate::error::ConfigurationFault;
use crate::schemas::{Framing, RecordFormat, Schemas, Typed, auth, registry};
use crate::settings::{Origin, Settings, VariableReader, one_of};

impl Settings {
    pub(super) fn read_schemas(&mut self, reader: &mut VariableReader<'_>) {
        reader.read("SCHEMA_REGISTRY", &mut self.schema_registry, registry);
        reader.read("SCHEMA_REGISTRY_AUTH", &mut self.schema_auth, auth);
        reader.read("SCHEMA_FRAMING", &mut self.schema_framing, |text| {
            let allowed = [
                ("auto", Framing::Auto),
                ("confluent", Framing::Confluent),
                ("glue", Framing::Glue),
                ("none", Framing::None),
            ];
            one_of(text, &allowed)
        });
        reader.read("SCHEMA_FORMAT", &mut self.schema_format, |text| {
            let allowed = [
                ("source", RecordFormat::Source),
                ("json", RecordFormat::Json),
            ];
            one_of(text, &allowed)
        });
    }

    /// Takes what code says of schemas.
    pub(crate) fn schemas_by_code(&mut self, schemas: Schemas) {
        self.schema_auth_url = schemas.registry.url().filter(|_| schemas.auth.is_some());
        self.schema_registry.by_code(schemas.registry);
        self.schema_auth.by_code(schemas.auth);
        self.schema_framing.by_code(schemas.framing);
        self.schema_format.by_code(schemas.format);
        self.warm_schemas = schemas.warm;
    }

    /// Whether the credentials that code has are kept from the registry: it is one that the environment names, and code has them for another.
    pub(crate) fn keeps_schema_auth(&self) -> bool {
        let url = self.schema_registry.value.url();
        self.schema_auth.origin == Origin::Code
            && url.is_some()
            && self.schema_auth_url.is_some()
            && url != self.schema_auth_url
    }

    /// Whether the environment has credentials that nothing takes.
    pub(crate) fn has_idle_schema_auth(&self) -> bool {
        self.schema_auth.origin == Origin::Environment
            && self.schema_auth.value.is_some()
            && self.schema_registry.value.url().is_none()
    }

    /// Opens the registry, without a request, and puts together how typed payloads are read.
    pub(crate) fn typed(&self, faults: &mut Vec<ConfigurationFault>) -> Typed {
        let registry = &self.schema_registry;
        let auth = self.schema_auth.value.as_ref();
        let opened = registry
            .value
            .open(auth.filter(|_| !self.keeps_schema_auth()));
        // Read before: what stands in a variable and is none leaves the default.
        let mut is_refused = faults
            .iter()
            .any(|fault| fault.place.starts_with("LAMBDA_MSK_SCHEMA_"));
        let cache = opened.unwrap_or_else(|reason| {
            is_refused = true;
            // What the environment has set was looked at as it was read.
            let place = match registry.origin {
                Origin::Environment => "LAMBDA_MSK_SCHEMA_REGISTRY",
                Origin::Default | Origin::Code => ".schemas(…)",
            };
            faults.push(ConfigurationFault::new(place, reason));
            None
        });
        let (framing, format) = (self.schema_framing.value, self.schema_format.value);
        if format == RecordFormat::Json && framing != Framing::Auto {
            let place = match self.schema_format.origin {
                Origin::Environment => "LAMBDA_MSK_SCHEMA_FORMAT",
                Origin::Default | Origin::Code => ".schemas(…)",
            };
            let found = match framing {
                Framing::Confluent => "confluent",
                Framing::Glue => "glue",
                _ => "none",
            };
            let reason = format!(
                "expected the framing `auto` with the record format `json`, found `{found}`, which does not look at the event's schema metadata: set LAMBDA_MSK_SCHEMA_FRAMING=auto, or LAMBDA_MSK_SCHEMA_FORMAT=source"
            );
            faults.push(ConfigurationFault::new(place, reason));
            is_refused = true;
        }
        Typed {
            cache,
            is_refused,
            framing,
            format,
            warm: self.warm_schemas.clone(),
        }
    }
}
