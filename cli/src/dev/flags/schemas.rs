//! `SchemaRegistryConfig` as flags: which registry's schemas records are checked by, and how they are delivered then. Read by `settings`.

use clap::ValueEnum;
use msk_mapping::machine::{EventRecordFormat, SchemaRegistryConfig, ValidatedAttribute};

use crate::fault::Fault;
use crate::flags::registry::{self, Named, auth};
// `none` is for a mapping without a registry, whatever its template says.
pub(crate) use crate::flags::registry::{AUTH, NONE};
use crate::flags::secret::Secret;

/// The flags.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Schemas {
    /// Check records by the schemas of a registry: the URL of one with Confluent's API, or in a build with the feature aws the ARN of one of AWS Glue. Needs a build with the feature schemas. none: no registry, even if the template has one.
    #[arg(long = "schema-registry-uri", value_name = "URI")]
    pub(crate) uri: Option<String>,
    /// Form in which the function gets what was checked: JSON, or SOURCE, the topic's bytes without what names the schema.
    #[arg(long = "event-record-format", value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<RecordFormat>,
    /// What is checked: KEY or VALUE. Repeatable.
    #[arg(long = "schema-validation", value_enum, value_name = "ATTRIBUTE")]
    pub(crate) validated: Vec<Attribute>,
    /// Credentials for the registry, USER:PASSWORD or a bearer token, in a variable or a file: @env:NAME or @file:PATH.
    #[arg(long = "schema-registry-auth", value_name = "SECRET", value_parser = auth)]
    pub(crate) auth: Option<Secret>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordFormat {
    #[value(name = "JSON")]
    Json,
    #[value(name = "SOURCE")]
    Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attribute {
    #[value(name = "KEY")]
    Key,
    #[value(name = "VALUE")]
    Value,
}

impl Schemas {
    /// What these flags and the template make of it. None: records are not checked.
    pub(crate) fn config(&self) -> Result<Option<SchemaRegistryConfig>, Fault> {
        let uri = self.uri.as_deref().filter(|uri| *uri != NONE);
        let Some(uri) = uri else {
            return self.without_effect().map_or(Ok(None), Err);
        };
        if uri.starts_with("arn:") && self.auth.is_some() {
            return Err(Fault::new(format!(
                "{AUTH} has no effect: AWS Glue is asked with AWS's credentials"
            ))
            .help(
                "leave it out, and set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ));
        }
        let attribute = |each: &Attribute| match each {
            Attribute::Key => ValidatedAttribute::Key,
            Attribute::Value => ValidatedAttribute::Value,
        };
        Ok(Some(SchemaRegistryConfig {
            uri: uri.to_owned(),
            event_record_format: self.format.map(|format| match format {
                RecordFormat::Json => EventRecordFormat::Json,
                RecordFormat::Source => EventRecordFormat::Source,
            }),
            validated: self.validated.iter().map(attribute).collect(),
        }))
    }

    /// The registry of the mapping, by these flags and the template, for who asks to see payloads. None: it has none.
    pub(crate) fn named(&self) -> Result<Option<Named>, Fault> {
        let uri = self.uri.as_deref().filter(|uri| *uri != NONE);
        registry::named(uri, self.auth.as_ref().filter(|_| uri.is_some()))
    }

    /// What is said of flags that nothing reads without a registry.
    fn without_effect(&self) -> Option<Fault> {
        // With `none` the template's settings may stand there.
        if self.uri.is_some() {
            return None;
        }
        let given = [
            ("--event-record-format", self.format.is_some()),
            ("--schema-validation", !self.validated.is_empty()),
            (AUTH, self.auth.is_some()),
        ];
        let (flag, _) = given.into_iter().find(|(_, given)| *given)?;
        let fault = Fault::new(format!("{flag} has no effect without a schema registry"));
        Some(fault.help("give --schema-registry-uri URI too, or leave it out"))
    }

    /// Each setting that Lambda may refuse, by AWS's name: its flag, and whether that was given.
    pub(crate) const fn flags(&self) -> [(&'static str, &'static str, bool); 4] {
        [
            (
                "SchemaRegistryConfig",
                "--schema-registry-uri",
                self.uri.is_some(),
            ),
            (
                "SchemaRegistryConfig.SchemaRegistryURI",
                "--schema-registry-uri",
                self.uri.is_some(),
            ),
            (
                "SchemaRegistryConfig.EventRecordFormat",
                "--event-record-format",
                self.format.is_some(),
            ),
            (
                "SchemaRegistryConfig.SchemaValidationConfigs",
                "--schema-validation",
                !self.validated.is_empty(),
            ),
        ]
    }
}
