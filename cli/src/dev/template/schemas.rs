//! A mapping's `SchemaRegistryConfig`, as flags would set it. Called by `template`.

use clap::ValueEnum;
use serde_json::Value;

use super::node::Node;
use super::property::Properties;
use crate::dev::flags::schemas::{AUTH, Attribute, NONE, RecordFormat, Schemas};
use crate::fault::Fault;

/// The property.
pub(crate) const CONFIG: &str = "SchemaRegistryConfig";
/// What holds it, where it stands in no event of SAM's.
const HOLDERS: [&str; 2] = [
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
];

/// Where it stands. None: nowhere.
pub(crate) fn path(below: &Node) -> Option<Vec<&'static str>> {
    let held = HOLDERS.map(|holder| vec![holder, CONFIG]);
    let mut paths = std::iter::once(vec![CONFIG]).chain(held);
    paths.find(|path| below.at(path).is_some())
}

/// What the template says and no flag does. With a flag's `none` nothing of it counts.
pub(crate) fn take<'a>(
    flags: &mut Schemas,
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
) -> Result<(), Fault> {
    let Some(path) = path(below).filter(|_| flags.uri.as_deref() != Some(NONE)) else {
        return Ok(());
    };
    let flag = "--schema-registry-uri";
    let (name, given) = (path.join("."), flags.uri.is_some());
    if properties.node(below, &path, flag)?.is_none() {
        return Ok(());
    }
    if !given && !cfg!(feature = "schemas") {
        let why = "this build of cargo msk lacks the feature schemas";
        properties.leave(&name, why, "records come as they are in the topic");
        return Ok(());
    }
    let at = |name| [&path[..], &[name]].concat();
    if !given {
        let some = |text: &str| Some(text.to_owned());
        let uri = at("SchemaRegistryURI");
        flags.uri = properties.text(below, &uri, flag, "a text", some)?;
        if flags.uri.is_none() {
            if below.at(&uri).is_none() {
                let why = "it has no SchemaRegistryURI";
                properties.leave(&name, why, "give --schema-registry-uri");
            }
            // What other flags say of it is not to be said to have no effect.
            flags.uri = Some(NONE.to_owned());
            return Ok(());
        }
    }
    if flags.format.is_none() {
        let format = |text: &str| RecordFormat::from_str(text, false).ok();
        let (keys, flag) = (at("EventRecordFormat"), "--event-record-format");
        flags.format = properties.text(below, &keys, flag, "JSON or SOURCE", format)?;
    }
    if flags.validated.is_empty() {
        let keys = at("SchemaValidationConfigs");
        let value = properties.value(below, &keys, "--schema-validation")?;
        let read = value.map(|value| attributes(properties, below, &keys, &value));
        flags.validated = read.transpose()?.unwrap_or_default();
    }
    if !given {
        let access = properties.value(below, &at("AccessConfigs"), AUTH)?;
        say_what_is_left_out(flags, properties, &at("AccessConfigs"), access.as_ref());
    }
    Ok(())
}

/// `[{Attribute: KEY}, {Attribute: VALUE}]`.
fn attributes(
    properties: &Properties<'_, '_>,
    below: &Node,
    keys: &[&str],
    value: &Value,
) -> Result<Vec<Attribute>, Fault> {
    let attribute = |entry: &Value| {
        let text = entry.get("Attribute")?.as_str()?;
        Attribute::from_str(text, false).ok()
    };
    let read: Option<Vec<Attribute>> = value
        .as_array()
        .and_then(|entries| entries.iter().map(attribute).collect());
    read.ok_or_else(|| {
        let (name, node) = (keys.join("."), below.at(keys).unwrap_or(below));
        let place = properties.resolver.place(node);
        Fault::new(format!(
            "expected a list of {{Attribute: KEY}} and {{Attribute: VALUE}} in {name}, found {value}"
        ))
        .at(format!("{place}: {}.{name}", properties.path))
        .help("correct it there, or give --schema-validation")
    })
}

/// Secrets and certificates of the account.
fn say_what_is_left_out(
    flags: &Schemas,
    properties: &mut Properties<'_, '_>,
    keys: &[&str],
    access: Option<&Value>,
) {
    let entries = access.and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let kind = entry
            .get("Type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let cure = match kind {
            "BASIC_AUTH" if flags.auth.is_some() => continue,
            "BASIC_AUTH" => {
                format!("give {AUTH} @env:NAME or @file:PATH, with USER:PASSWORD in it")
            }
            "SERVER_ROOT_CA_CERTIFICATE" => {
                "a registry's certificate is checked by the authorities of this machine".to_owned()
            }
            _ => "cargo msk dev shows a registry no certificate of its own".to_owned(),
        };
        let name = format!("{} {kind}", keys.join("."));
        properties.leave(name.trim_end(), "a secret of the account", &cure);
    }
}
