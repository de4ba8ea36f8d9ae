//! `SchemaRegistryConfig`, and what is wrong with one.

use super::faults::SettingFault;

/// The check of records by a schema registry, and the form in which they are delivered then. How the registry is asked, `AccessConfigs` among it, is the
/// driver's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaRegistryConfig {
    /// `SchemaRegistryURI`: the URL of a registry with Confluent's API, or the ARN of one of AWS Glue.
    pub uri: String,
    /// `EventRecordFormat`. Lambda requires it.
    pub event_record_format: Option<EventRecordFormat>,
    /// `SchemaValidationConfigs`: what is checked. Lambda requires one at least.
    pub validated: Vec<ValidatedAttribute>,
}

/// `EventRecordFormat`: the form of what was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventRecordFormat {
    /// `JSON`: a JSON document, whatever the schema's format.
    Json,
    /// `SOURCE`: the bytes of the topic, without what names the schema.
    Source,
}

/// `Attribute` of `SchemaValidationConfigs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidatedAttribute {
    /// `KEY`.
    Key,
    /// `VALUE`.
    Value,
}

impl ValidatedAttribute {
    /// AWS's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "KEY",
            Self::Value => "VALUE",
        }
    }
}

impl SchemaRegistryConfig {
    /// Whether keys, or values, are checked.
    pub fn validates(&self, attribute: ValidatedAttribute) -> bool {
        self.validated.contains(&attribute)
    }

    pub(super) fn check(&self, faults: &mut Vec<SettingFault>) {
        let mut fault = |setting, message: String| faults.push(SettingFault { setting, message });
        let uri = "SchemaRegistryConfig.SchemaRegistryURI";
        if self.uri.is_empty() {
            fault(uri, "is missing: give a registry's URL or ARN".to_owned());
        } else if !is_registry(&self.uri) {
            // A URL may hold a password.
            let message = "is no registry's: expected https://HOST[:PORT][/PATH] or arn:aws:glue:REGION:ACCOUNT:registry/NAME";
            fault(uri, message.to_owned());
        }
        if self.event_record_format.is_none() {
            let format = "SchemaRegistryConfig.EventRecordFormat";
            fault(format, "is missing: give JSON or SOURCE".to_owned());
        }
        let validations = "SchemaRegistryConfig.SchemaValidationConfigs";
        if self.validated.is_empty() {
            fault(validations, "is empty: give KEY, VALUE or both".to_owned());
        }
        for attribute in [ValidatedAttribute::Key, ValidatedAttribute::Value] {
            let of = |each: &&ValidatedAttribute| **each == attribute;
            if self.validated.iter().filter(of).count() > 1 {
                let attribute = attribute.as_str();
                fault(validations, format!("has {attribute} twice: give it once"));
            }
        }
    }
}

fn is_registry(uri: &str) -> bool {
    let of_http = ["http://", "https://"].iter().any(|scheme| {
        let rest = uri.strip_prefix(scheme);
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    });
    let of_glue = || {
        let parts: Vec<&str> = uri.splitn(6, ':').collect();
        matches!(parts[..], ["arn", _, "glue", _, _, registry] if registry.starts_with("registry/"))
    };
    of_http || of_glue()
}
