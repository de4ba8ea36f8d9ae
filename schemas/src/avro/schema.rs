//! A parsed schema: its types in one list, which refer to each other by their places in it. Made by `parse`, read by `write` and `resolve`.

use std::sync::OnceLock;

use crate::avro::plan::Plan;
use crate::avro::temporal::Temporal;
use crate::id::SchemaError;

/// The place of a type in its schema's list.
pub(super) type TypeId = usize;

/// An Avro schema, parsed and checked.
#[derive(Debug)]
pub struct Schema {
    pub(super) types: Vec<Type>,
    pub(super) root: TypeId,
    /// The schema read by itself.
    pub(super) own: OnceLock<Plan>,
}

impl Schema {
    /// The full name (`shop.Order`) of the schema's outermost type. None: a type without a name, such as an array or a union.
    pub fn name(&self) -> Option<&str> {
        self.types[self.root].name().map(|name| &*name.full)
    }

    /// Checks all defaults. A schema that values are read by, as the reader's, should have no fault in one; a writer's may, since none of its defaults is ever read.
    ///
    /// # Errors
    ///
    /// A default does not fit its type: the error names the field, or the enum.
    pub fn check_defaults(&self) -> Result<(), SchemaError> {
        for of in &self.types {
            match &of.kind {
                Kind::Record(record) => {
                    let defaults = record.fields.iter().map(|field| &field.default_bytes);
                    for default in defaults.flatten() {
                        default.as_ref().map_err(Clone::clone)?;
                    }
                }
                Kind::Enum(of) => {
                    of.default.clone().transpose()?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn kind(&self, id: TypeId) -> &Kind {
        &self.types[id].kind
    }
}

#[derive(Debug)]
pub(super) struct Type {
    pub(super) kind: Kind,
    /// None: the schema gives none, or one that is unknown or does not fit the type.
    pub(super) logical: Option<Logical>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record(Record),
    Enum(Enum),
    Fixed(Fixed),
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: Name,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    pub(super) aliases: Vec<Box<str>>,
    pub(super) of: TypeId,
    /// As the schema has it. None: the field has no default.
    pub(super) default: Option<serde_json::Value>,
    /// The default in Avro's binary encoding, or why it does not fit. None: the field has no default.
    pub(super) default_bytes: Option<Result<Box<[u8]>, SchemaError>>,
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: Name,
    pub(super) symbols: Vec<Box<str>>,
    /// The place of the symbol that stands for those that a reader does not know, or why the default is none.
    pub(super) default: Option<Result<usize, SchemaError>>,
}

#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) name: Name,
    pub(super) size: usize,
}

/// The name of a record, an enum or a fixed.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// With the namespace: `shop.Order`.
    pub(super) full: Box<str>,
    /// Full names, too.
    pub(super) aliases: Vec<Box<str>>,
}

impl Name {
    /// Without the namespace.
    pub(super) fn simple(&self) -> &str {
        simple(&self.full)
    }
}

/// A full name without its namespace.
pub(super) fn simple(full: &str) -> &str {
    full.rsplit_once('.').map_or(full, |(_, name)| name)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logical {
    Decimal { precision: u32, scale: u32 },
    Uuid,
    Duration,
    Time(Temporal),
}

impl Type {
    pub(super) fn name(&self) -> Option<&Name> {
        match &self.kind {
            Kind::Record(record) => Some(&record.name),
            Kind::Enum(symbols) => Some(&symbols.name),
            Kind::Fixed(fixed) => Some(&fixed.name),
            _ => None,
        }
    }

    /// The name by which a union's branch is known: a full name, or a type's word.
    pub(super) fn branch_name(&self) -> &str {
        self.name().map_or(self.word(), |name| &name.full)
    }

    /// Avro's word for the type.
    pub(super) fn word(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(_) => "record",
            Kind::Enum(_) => "enum",
            Kind::Fixed(_) => "fixed",
        }
    }

    /// The type for an error's text: `a record shop.Order`, `an int (date)`.
    pub(super) fn described(&self) -> String {
        let word = self.word();
        let article = if word.starts_with(['a', 'e', 'i']) {
            "an"
        } else {
            "a"
        };
        let named = self
            .name()
            .map_or(String::new(), |name| format!(" {}", name.full));
        let logical = match self.logical {
            None => String::new(),
            Some(Logical::Decimal { precision, scale }) => {
                format!(" (decimal with precision {precision} and scale {scale})")
            }
            Some(Logical::Uuid) => " (uuid)".to_owned(),
            Some(Logical::Duration) => " (duration)".to_owned(),
            Some(Logical::Time(time)) => format!(" ({})", time.name()),
        };
        format!("{article} {word}{named}{logical}")
    }
}
