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
        self.schema_registry.by_code(schemas.registry);
        self.schema_auth.by_code(schemas.auth);
        self.schema_framing.by_code(schemas.framing);
        self.schema_format.by_code(schemas.format);
        self.warm_schemas = schemas.warm;
    }

    /// Opens the registry, without a request, and puts together how typed payloads are read.
    pub(crate) fn typed(&self, faults: &mut Vec<ConfigurationFault>) -> Typed {
        let registry = &self.schema_registry;
        let opened = registry.value.open(self.schema_auth.value.as_ref());
        let cache = opened.unwrap_or_else(|reason| {
            // What the environment has set was looked at as it was read.
            let place = match registry.origin {
                Origin::Environment => "LAMBDA_MSK_SCHEMA_REGISTRY",
                Origin::Default | Origin::Code => ".schemas(…)",
            };
            faults.push(ConfigurationFault::new(place, reason));
            None
        });
        Typed {
            cache,
            framing: self.schema_framing.value,
            format: self.schema_format.value,
            warm: self.warm_schemas.clone(),
        }
    }
}
