//! JSON Schema: the check of a value, without network and files. Called for routes that want their values checked, and by the mapping.

#[cfg(feature = "made-up")]
mod made_up;

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{Draft, Retrieve, Uri, uri};
use serde_json::Value;

#[cfg(feature = "made-up")]
pub use self::made_up::made_up;
use crate::id::{Format, Reference, SchemaError, Source};
use crate::limits::SCHEMA_ERROR_CHARS_MAX;

/// The base of a schema that has no `$id`.
const NO_ID: &str = "json-schema:///";

/// The check of values by one schema.
pub struct Validator {
    compiled: jsonschema::Validator,
    /// The names of properties in the schema and its references: these may be shown, where the keys of a payload's maps may not.
    names: HashSet<String>,
}

/// Where a value does not fit its schema, and by which keyword. Has no byte of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value does not fit its JSON Schema at {path}: {reason}")]
#[non_exhaustive]
pub struct Misfit {
    /// The place, such as `$.lines[2].sku`. A key that is no property's name in the schema is shown as `*`.
    pub path: String,
    /// The keyword that failed, with what it wants: `type: expected integer, found string`.
    pub reason: String,
}

/// Why a value is not one of its schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The value does not fit.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Nobody knows: a regular expression took more steps than are made. The schema should have a simpler one.
    #[error(
        "the regular expression at {keyword} in the JSON Schema takes too many steps for the value at {path}: write it without look-around and back-references"
    )]
    Undecided {
        /// The place in the value.
        path: String,
        /// The place in the schema: `/properties/sku/pattern`.
        keyword: String,
    },
}

impl Validator {
    /// Compiles a schema. Without `$schema` it is draft 7's, as Confluent's and Glue's serializers have it. A `$ref` to another schema is looked up among the references, by
    /// their names and by their `$id`.
    ///
    /// # Errors
    ///
    /// The text is no JSON Schema, or refers to one that is not among the references: nothing is ever requested.
    pub fn of(source: &Source) -> Result<Self, SchemaError> {
        if source.format != Format::Json {
            return Err(SchemaError(format!(
                "expected a JSON Schema, found a schema of {}",
                source.format
            )));
        }
        let mut referred = Referred::default();
        let mut names = HashSet::new();
        let schema = referred.gather(NO_ID, source, &mut names)?;
        let mut options = jsonschema::options().with_retriever(referred);
        if schema.get("$schema").is_none() {
            options = options.with_draft(Draft::Draft7);
        }
        let compiled = options.build(&schema).map_err(|error| {
            let path = shown(error.instance_path(), None);
            fault(&format!("{error} (at {path})"))
        })?;
        Ok(Self { compiled, names })
    }

    /// Checks a value.
    ///
    /// # Errors
    ///
    /// The first place at which the value does not fit, or a regular expression that gave up where the value's fit depends on it.
    pub fn check(&self, value: &Value) -> Result<(), Unfit> {
        self.compiled.validate(value).map_err(|error| {
            let path = shown(error.instance_path(), Some(&self.names));
            match error.kind() {
                ValidationErrorKind::BacktrackLimitExceeded { .. }
                | ValidationErrorKind::RegexEngineFailure { .. } => Unfit::Undecided {
                    path,
                    keyword: error.schema_path().to_string(),
                },
                kind => Unfit::Misfit(Misfit {
                    path,
                    reason: reason(kind, error.instance()),
                }),
            }
        })
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator").finish_non_exhaustive()
    }
}

/// The schemas that others refer to, by their URIs.
#[derive(Debug, Default)]
struct Referred(BTreeMap<String, Value>);

impl Referred {
    /// Reads a schema, and puts in what it refers to, each by its name as seen from the schema and by its own `$id`.
    fn gather(
        &mut self,
        base: &str,
        source: &Source,
        names: &mut HashSet<String>,
    ) -> Result<Value, SchemaError> {
        let schema: Value = serde_json::from_str(&source.text).map_err(|error| {
            // Of what stands where in JSON, and nothing of the text.
            fault(&format!("no JSON: {error}"))
        })?;
        add_names(&schema, names);
        let base = resolved(base, own_id(&schema).unwrap_or_default())?;
        for Reference { name, source } in &source.references {
            let place = resolved(base.as_str(), name)?;
            // Each repeats its own references wherever it stands.
            if self.0.contains_key(place.as_str()) {
                continue;
            }
            let schema = self.gather(place.as_str(), source, names)?;
            if let Some(own) = own_id(&schema) {
                let own = resolved(place.as_str(), own)?;
                self.0
                    .entry(without_fragment(&own))
                    .or_insert_with(|| schema.clone());
            }
            self.0.insert(without_fragment(&place), schema);
        }
        Ok(schema)
    }
}

impl Retrieve for Referred {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.0.get(&without_fragment(uri));
        found
            .cloned()
            .ok_or_else(|| "it is not among the schema's references".into())
    }
}

/// The URI that a schema gives itself: `$id`, and before draft 6 `id`. None: it gives none.
fn own_id(schema: &Value) -> Option<&str> {
    let word = |key: &str| schema.get(key).and_then(Value::as_str);
    let is_old = |draft: &str| draft.contains("draft-03") || draft.contains("draft-04");
    match word("$schema").is_some_and(is_old) {
        true => word("id"),
        false => word("$id"),
    }
}

fn resolved(base: &str, name: &str) -> Result<Uri<String>, SchemaError> {
    let resolved = uri::from_str(base).and_then(|base| uri::resolve_against(&base.borrow(), name));
    resolved.map_err(|error| fault(&error.to_string()))
}

fn without_fragment(uri: &Uri<String>) -> String {
    let uri = uri.as_str();
    uri.split('#').next().unwrap_or(uri).to_owned()
}

fn fault(found: &str) -> SchemaError {
    let found: String = found.chars().take(SCHEMA_ERROR_CHARS_MAX).collect();
    SchemaError(format!("expected a JSON Schema, found {found}"))
}

/// Adds the names of all properties that a schema names.
fn add_names(schema: &Value, names: &mut HashSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                names.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| add_names(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| add_names(value, names)),
        _ => {}
    }
}

/// A place in a value. Without names each key is shown.
fn shown(path: &Location, names: Option<&HashSet<String>>) -> String {
    let mut shown = String::from("$");
    for segment in path.segments() {
        match segment {
            LocationSegment::Index(index) => shown.push_str(&format!("[{index}]")),
            LocationSegment::Property(key) => {
                shown.push('.');
                let hidden = names.is_some_and(|names| !names.contains(key.as_ref()));
                shown.push_str(if hidden { "*" } else { &key });
            }
        }
    }
    shown
}

/// The keyword with what the schema wants there.
fn reason(kind: &ValidationErrorKind, found: &Value) -> String {
    let keyword = kind.keyword();
    match kind {
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(several) => {
                    let several: Vec<String> = several.iter().map(|one| one.to_string()).collect();
                    several.join(" or ")
                }
            };
            format!("{keyword}: expected {expected}, found {}", kind_of(found))
        }
        ValidationErrorKind::Required { property } => match property.as_str() {
            Some(name) => format!("{keyword}: `{name}` is missing"),
            None => keyword.to_owned(),
        },
        ValidationErrorKind::Format { format } => format!("{keyword}: expected {format}"),
        ValidationErrorKind::AdditionalProperties { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. } => {
            format!("{keyword}: the value has a property that the schema does not name")
        }
        ValidationErrorKind::FalseSchema => "the schema allows no value here".to_owned(),
        _ => keyword.to_owned(),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests;
