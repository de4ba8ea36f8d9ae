//! Protobuf: the messages of a schema's file, and the two ways in which payloads name one of them. Reading is the user's, with prost. Called by readers and writers of payloads.

#[cfg(feature = "protobuf-json")]
pub mod json;

#[cfg(all(feature = "made-up", feature = "protobuf-json"))]
mod made_up;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto};

use crate::id::{Format, SchemaError, Source};
use crate::limits::PROTOBUF_MESSAGES_MAX;

/// The messages of one Protobuf file, nested ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// In the order of their declarations, each before those that are nested in it.
    messages: Vec<Named>,
    /// Places in `messages`, in the order of full names.
    by_name: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    full_name: String,
    /// As protoc counts: the entries of maps are nested messages, too.
    indexes: Vec<u32>,
    /// As Confluent's Java client counts: only what is declared. None: the entry of a map.
    declared: Option<Vec<u32>>,
}

impl File {
    /// The messages of a schema: `.proto` text, or a FileDescriptorProto in base64. Types that the file imports are not looked at.
    ///
    /// # Errors
    ///
    /// The text is neither, or has more messages than are read.
    pub fn of(source: &Source) -> Result<Self, SchemaError> {
        Self::of_descriptor(&descriptor("schema.proto", source)?)
    }

    fn of_descriptor(file: &FileDescriptorProto) -> Result<Self, SchemaError> {
        let mut messages = Vec::new();
        gather(
            &mut messages,
            file.package(),
            &[],
            Some(&[]),
            &file.message_type,
        )?;
        let mut by_name: Vec<usize> = (0..messages.len()).collect();
        by_name.sort_by(|a, b| messages[*a].full_name.cmp(&messages[*b].full_name));
        let same = |pair: &&[usize]| messages[pair[0]].full_name == messages[pair[1]].full_name;
        if let Some(pair) = by_name.windows(2).find(same) {
            let name = &messages[pair[0]].full_name;
            return Err(SchemaError(format!(
                "the Protobuf schema has two messages {name}"
            )));
        }
        Ok(Self { messages, by_name })
    }

    /// The full name of the message at Confluent's message indexes.
    ///
    /// Confluent's clients count in two ways: most as protoc's descriptors do, where each map's entry is a nested message, too; the Java client, of a schema's text, only
    /// what is declared. They differ for a message that is declared behind a map in the same message. Indexes that are right in the first way mean that;
    /// to check for a message that you expect, use [`fits`](Self::fits).
    pub fn message_at(&self, indexes: &[u32]) -> Option<&str> {
        let [counted, declared] = self.names_at(indexes);
        counted.or(declared)
    }

    /// Whether Confluent's message indexes name that message and no other, in either way to count. If one way names this message and the other way another one, nobody can tell.
    pub fn fits(&self, indexes: &[u32], full_name: &str) -> bool {
        let names = self.names_at(indexes);
        names.contains(&Some(full_name)) && names.iter().flatten().all(|name| *name == full_name)
    }

    /// The full names of the messages at Confluent's message indexes: as protoc's descriptors count, and as the Java client counts. *None: there is no such message.*
    pub fn names_at(&self, indexes: &[u32]) -> [Option<&str>; 2] {
        let counted = |named: &&Named| named.declared.is_some() && named.indexes == indexes;
        let declared = |named: &&Named| named.declared.as_deref() == Some(indexes);
        [
            self.messages
                .iter()
                .find(counted)
                .map(|named| &*named.full_name),
            self.messages
                .iter()
                .find(declared)
                .map(|named| &*named.full_name),
        ]
    }

    /// The full name of the message at a place of Glue's: among the full names of all messages of the file, nested ones and entries of maps included, in lexicographic order.
    pub fn message_in_order(&self, place: u32) -> Option<&str> {
        let at = self.by_name.get(usize::try_from(place).ok()?)?;
        Some(self.messages[*at].full_name.as_str())
    }

    /// The place that Glue gives to a message.
    pub fn order_of(&self, full_name: &str) -> Option<u32> {
        let place = self.place(full_name)?;
        u32::try_from(place).ok()
    }

    /// Confluent's message indexes of a message, as protoc's descriptors count them.
    pub fn indexes_of(&self, full_name: &str) -> Option<&[u32]> {
        self.named(full_name).map(|named| named.indexes.as_slice())
    }

    fn named(&self, full_name: &str) -> Option<&Named> {
        let place = self.place(full_name)?;
        Some(&self.messages[self.by_name[place]])
    }

    fn place(&self, full_name: &str) -> Option<usize> {
        let name = |at: &usize| self.messages[*at].full_name.as_str();
        let place = self.by_name.binary_search_by(|at| name(at).cmp(full_name));
        place.ok()
    }
}

/// Adds messages with those that are nested in them. As deep as the parser and the decoder of descriptors go.
fn gather(
    messages: &mut Vec<Named>,
    scope: &str,
    indexes: &[u32],
    declared: Option<&[u32]>,
    siblings: &[DescriptorProto],
) -> Result<(), SchemaError> {
    let mut declared_before = 0;
    for (index, message) in (0..).zip(siblings) {
        if messages.len() >= PROTOBUF_MESSAGES_MAX {
            return Err(SchemaError(format!(
                "the Protobuf schema has more than {PROTOBUF_MESSAGES_MAX} messages, the most that are read"
            )));
        }
        let full_name = match scope {
            "" => message.name().to_owned(),
            scope => format!("{scope}.{}", message.name()),
        };
        let entry = is_entry(message);
        let within = |outer: &[u32], index| [outer, &[index]].concat();
        let named = Named {
            full_name: full_name.clone(),
            indexes: within(indexes, index),
            declared: match declared {
                Some(outer) if !entry => Some(within(outer, declared_before)),
                _ => None,
            },
        };
        declared_before += u32::from(!entry);
        let (indexes, declared) = (named.indexes.clone(), named.declared.clone());
        messages.push(named);
        let nested = &message.nested_type;
        gather(messages, &full_name, &indexes, declared.as_deref(), nested)?;
    }
    Ok(())
}

/// Whether a message is the entry of a map. Confluent's Java client writes them out in a schema's text, with the option that says so.
fn is_entry(message: &DescriptorProto) -> bool {
    let Some(options) = &message.options else {
        return false;
    };
    let mut written = options.uninterpreted_option.iter();
    options.map_entry()
        || written.any(|option| {
            matches!(option.name.as_slice(), [part] if part.name_part == "map_entry" && !part.is_extension)
                && option.identifier_value() == "true"
        })
}

/// The descriptor of a schema's file, under a name for messages and imports.
fn descriptor(name: &str, source: &Source) -> Result<FileDescriptorProto, SchemaError> {
    if source.format != Format::Protobuf {
        return Err(SchemaError(format!(
            "expected a Protobuf schema, found one of {}",
            source.format
        )));
    }
    if let Some(mut file) = in_base64(&source.text) {
        file.name = Some(name.to_owned());
        return Ok(file);
    }
    protox_parse::parse(name, &source.text).map_err(|error| {
        let mut lines = source.text.lines().map(str::trim_start);
        let edition = lines.find_map(|line| line.strip_prefix("edition")?.trim_start().strip_prefix('='));
        if edition.is_some() {
            return SchemaError(
                "expected `.proto` text with `syntax = \"proto2\"` or `\"proto3\"`, found one of an edition, which is not read: register the schema in one of these".to_owned(),
            );
        }
        SchemaError(format!(
            "expected Protobuf's `.proto` text or a FileDescriptorProto in base64, found neither: {error}"
        ))
    })
}

/// The descriptor that a text is in base64. None: it is not. No text in base64's letters alone is a `.proto` file with a message.
fn in_base64(text: &str) -> Option<FileDescriptorProto> {
    let bytes = STANDARD.decode(text).ok()?;
    FileDescriptorProto::decode(bytes.as_slice()).ok()
}

#[cfg(test)]
mod tests;
