//! Protobuf as JSON, and back, by a schema that comes at run time. Called by tools that make and show payloads, and by the mapping.

mod imports;

use std::fmt;

use prost::Message;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, Kind, MessageDescriptor, ReflectMessage, SerializeOptions,
    Value,
};
use serde_json::Value as Json;

use crate::id::{SchemaError, Source};
use crate::limits::{MADE_UP_VALUES_MAX, PROTOBUF_ANY_DEPTH_MAX, PROTOBUF_JSON_BYTES_MAX};

/// The messages of a Protobuf schema, compiled with everything that it imports.
#[derive(Clone)]
pub struct Dynamic {
    messages: Vec<MessageDescriptor>,
    mapping: Mapping,
}

/// How a message is written as JSON. Each is read by both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mapping {
    /// Fields have their names as written (`order_id`), and stand there with their default values, too. 64-bit integers are numbers.
    #[default]
    Plain,
    /// The mapping of Protobuf's own documentation: `orderId`, no fields with default values, 64-bit integers in strings.
    Standard,
}

/// Why bytes are no message, or JSON is none. Has no byte of either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The schema has no message of that name.
    #[error("the Protobuf schema has no message {0}: expected one of {1}")]
    NoMessage(String, String),
    /// The bytes are no such message.
    #[error("expected a message {message}, found bytes that are none: {reason}")]
    Bytes {
        /// The message's full name.
        message: String,
        /// The decoder's words.
        reason: String,
    },
    /// The JSON is no such message.
    #[error("expected the JSON of a message {message}, found other JSON at {path}")]
    Json {
        /// The message's full name.
        message: String,
        /// The place, by the schema's names: `$.lines[2].sku`.
        path: String,
    },
    /// A message of which nothing can be made up.
    #[error("the message {0} contains itself, and no field can be left out to end it")]
    Endless(String),
    /// A message of which too much would be made up.
    #[error(
        "the message's smallest values have more than {MADE_UP_VALUES_MAX} parts, the most that are made up"
    )]
    Parts,
    /// More than is converted.
    #[error("expected at most {PROTOBUF_JSON_BYTES_MAX} bytes, found {0}")]
    Size(usize),
    /// A message has too many others within it, as `google.protobuf.Any`.
    #[error(
        "expected messages at most {PROTOBUF_ANY_DEPTH_MAX} deep in google.protobuf.Any, found more"
    )]
    Depth,
    /// A `google.protobuf.Any` has a message of another schema.
    #[error("expected messages of the schema in google.protobuf.Any, found another")]
    Any,
}

impl Dynamic {
    /// Compiles a schema: `.proto` text or a FileDescriptorProto in base64, as are its references. An import is looked up among the references, Protobuf's own files, and
    /// Confluent's `meta.proto` and `decimal.proto`; nothing else is read.
    ///
    /// # Errors
    ///
    /// The schema or a reference cannot be compiled, or imports what is not there.
    pub fn of(source: &Source) -> Result<Self, SchemaError> {
        let file = imports::compiled(source)?;
        let mut messages = Vec::new();
        add(&mut messages, file.messages());
        Ok(Self {
            messages,
            mapping: Mapping::default(),
        })
    }

    /// Sets how messages are written as JSON.
    #[must_use]
    pub fn mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = mapping;
        self
    }

    /// The full names of the schema's messages, nested ones included, in the order of their declarations.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(MessageDescriptor::full_name)
    }

    /// A message's bytes as JSON. Fields that the schema does not have are left out.
    ///
    /// # Errors
    ///
    /// The schema has no such message, or the bytes are none.
    pub fn to_json(&self, message: &str, bytes: &[u8]) -> Result<Json, ConvertError> {
        let descriptor = self.message(message)?;
        bounded(bytes.len())?;
        let no_message = |reason: String| ConvertError::Bytes {
            message: message.to_owned(),
            reason,
        };
        let decoded = DynamicMessage::decode(descriptor, bytes);
        let decoded = decoded.map_err(|error| no_message(without_values(&error.to_string())))?;
        check_any(&decoded, 0)?;
        let options = match self.mapping {
            Mapping::Standard => SerializeOptions::new(),
            Mapping::Plain => SerializeOptions::new()
                .stringify_64_bit_integers(false)
                .use_proto_field_name(true)
                .skip_default_fields(false),
        };
        let json = decoded.serialize_with_options(serde_json::value::Serializer, &options);
        // Times before year 1 and the like: the words have the value.
        json.map_err(|_| {
            no_message("a well-known type has a value that JSON cannot have".to_owned())
        })
    }

    /// The bytes of a message that is given as JSON, in either mapping. A field that the schema does not have is an error.
    ///
    /// # Errors
    ///
    /// The schema has no such message, or the JSON is none, with the place.
    pub fn from_json(&self, message: &str, json: &Json) -> Result<Vec<u8>, ConvertError> {
        let descriptor = self.message(message)?;
        let encoded = match read(&descriptor, json) {
            Some(read) => read.encode_to_vec(),
            None => {
                let mut path = String::from("$");
                place(&mut path, &descriptor, json);
                let message = message.to_owned();
                return Err(ConvertError::Json { message, path });
            }
        };
        bounded(encoded.len())?;
        Ok(encoded)
    }

    pub(super) fn message(&self, name: &str) -> Result<MessageDescriptor, ConvertError> {
        let found = self
            .messages
            .iter()
            .find(|message| message.full_name() == name);
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.messages().take(20).collect();
            ConvertError::NoMessage(name.to_owned(), names.join(", "))
        })
    }
}

impl fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<&str> = self.messages().collect();
        f.debug_struct("Dynamic")
            .field("messages", &messages)
            .field("mapping", &self.mapping)
            .finish()
    }
}

fn add(messages: &mut Vec<MessageDescriptor>, more: impl Iterator<Item = MessageDescriptor>) {
    for message in more {
        if message.is_map_entry() {
            continue;
        }
        messages.push(message.clone());
        add(messages, message.child_messages());
    }
}

fn bounded(bytes: usize) -> Result<(), ConvertError> {
    match bytes <= PROTOBUF_JSON_BYTES_MAX {
        true => Ok(()),
        false => Err(ConvertError::Size(bytes)),
    }
}

/// The decoder's words without the numbers that it found: `invalid tag value: 0`.
fn without_values(said: &str) -> String {
    let end = said
        .find("value: ")
        .map_or(said.len(), |at| at + "value".len());
    said[..end].to_owned()
}

/// Checks what is packed in `Any`: each level begins a decoder of its own, which the decoder's bound of depth does not see.
fn check_any(message: &DynamicMessage, depth: usize) -> Result<(), ConvertError> {
    if message.descriptor().full_name() == "google.protobuf.Any" {
        if depth >= PROTOBUF_ANY_DEPTH_MAX {
            return Err(ConvertError::Depth);
        }
        let packed = message.transcode_to::<prost_types::Any>().ok();
        let packed = packed.ok_or(ConvertError::Any)?;
        let name = packed.type_url.rsplit('/').next().unwrap_or_default();
        let pool = message.descriptor().parent_pool().clone();
        let within = pool.get_message_by_name(name).ok_or(ConvertError::Any)?;
        let within = DynamicMessage::decode(within, packed.value.as_slice());
        return check_any(&within.map_err(|_| ConvertError::Any)?, depth + 1);
    }
    for (_, value) in message.fields() {
        check_value(value, depth)?;
    }
    Ok(())
}

fn check_value(value: &Value, depth: usize) -> Result<(), ConvertError> {
    match value {
        Value::Message(message) => check_any(message, depth),
        Value::List(values) => values
            .iter()
            .try_for_each(|value| check_value(value, depth)),
        Value::Map(map) => map.values().try_for_each(|value| check_value(value, depth)),
        _ => Ok(()),
    }
}

fn read(descriptor: &MessageDescriptor, json: &Json) -> Option<DynamicMessage> {
    let options = DeserializeOptions::new();
    DynamicMessage::deserialize_with_options(descriptor.clone(), json, &options).ok()
}

/// Adds the way to the first place that is no part of the message, by names of the schema alone.
fn place(path: &mut String, descriptor: &MessageDescriptor, json: &Json) {
    let Json::Object(fields) = json else {
        return;
    };
    for (key, value) in fields {
        let alone = Json::Object([(key.clone(), value.clone())].into_iter().collect());
        if read(descriptor, &alone).is_some() {
            continue;
        }
        let by_name = descriptor.get_field_by_name(key);
        let Some(field) = by_name.or_else(|| descriptor.get_field_by_json_name(key)) else {
            path.push_str(".*");
            return;
        };
        path.push('.');
        path.push_str(field.name());
        let Kind::Message(within) = field.kind() else {
            return;
        };
        match value {
            Json::Array(values) if field.is_list() => {
                let bad = values
                    .iter()
                    .position(|value| read(&within, value).is_none());
                if let Some(bad) = bad {
                    path.push_str(&format!("[{bad}]"));
                    place(path, &within, &values[bad]);
                }
            }
            Json::Object(_) if field.is_map() => path.push_str(".*"),
            _ => place(path, &within, value),
        }
        return;
    }
}

#[cfg(test)]
mod tests;
