//! Whether a type of the writer's can be read as one of the reader's, before the types inside are compared. Called by `resolve`.

use crate::avro::plan::Node;
use crate::avro::schema::{Kind, Logical, Name, Type};

#[derive(Debug)]
pub(super) enum Fit {
    No,
    /// By the names without namespaces.
    Name,
    Exact,
    Promoted(Node),
}

impl Fit {
    /// The least is taken first.
    pub(super) fn rank(&self) -> Option<usize> {
        match self {
            Self::Exact => Some(0),
            Self::Name => Some(1),
            Self::Promoted(_) => Some(2),
            Self::No => None,
        }
    }
}

/// Compares two types that are no unions.
pub(super) fn fit(writer: &Type, reader: &Type) -> Fit {
    if !logical_types_fit(writer.logical, reader.logical) {
        return Fit::No;
    }
    match (&writer.kind, &reader.kind) {
        (Kind::Record(writer), Kind::Record(reader)) => by_name(&writer.name, &reader.name),
        (Kind::Enum(writer), Kind::Enum(reader)) => by_name(&writer.name, &reader.name),
        (Kind::Fixed(writer), Kind::Fixed(reader)) if writer.size == reader.size => {
            by_name(&writer.name, &reader.name)
        }
        (Kind::Null, Kind::Null)
        | (Kind::Boolean, Kind::Boolean)
        | (Kind::Int, Kind::Int)
        | (Kind::Long, Kind::Long)
        | (Kind::Float, Kind::Float)
        | (Kind::Double, Kind::Double)
        | (Kind::Bytes, Kind::Bytes)
        | (Kind::String, Kind::String)
        | (Kind::Array(_), Kind::Array(_))
        | (Kind::Map(_), Kind::Map(_)) => Fit::Exact,
        _ => promoted(writer, reader),
    }
}

fn promoted(writer: &Type, reader: &Type) -> Fit {
    Fit::Promoted(match (&writer.kind, &reader.kind) {
        (Kind::Int, Kind::Long) => match reader.logical {
            Some(Logical::Time(of)) => Node::Time { of, is_int: true },
            _ => Node::Int,
        },
        (Kind::Int, Kind::Float) => Node::IntAsFloat,
        (Kind::Int, Kind::Double) => Node::IntAsDouble,
        (Kind::Long, Kind::Float) => Node::LongAsFloat,
        (Kind::Long, Kind::Double) => Node::LongAsDouble,
        (Kind::Float, Kind::Double) => Node::FloatAsDouble,
        (Kind::String, Kind::Bytes) => Node::Bytes,
        (Kind::Bytes, Kind::String) => Node::Text,
        _ => return Fit::No,
    })
}

/// The full names, or one of the reader's aliases, or the names without namespaces.
fn by_name(writer: &Name, reader: &Name) -> Fit {
    if writer.full == reader.full || reader.aliases.contains(&writer.full) {
        Fit::Exact
    } else if writer.simple() == reader.simple() {
        Fit::Name
    } else {
        Fit::No
    }
}

/// Two logical types that count differently would give another number without an error. If one has none, the reader's holds.
fn logical_types_fit(writer: Option<Logical>, reader: Option<Logical>) -> bool {
    match (writer, reader) {
        (None, _) | (_, None) => true,
        (Some(Logical::Time(writer)), Some(Logical::Time(reader))) => writer.counts_as(reader),
        // More digits than the reader's precision are still the same number.
        (Some(Logical::Decimal { scale: writer, .. }), Some(Logical::Decimal { scale, .. })) => {
            writer == scale
        }
        (Some(writer), Some(reader)) => writer == reader,
    }
}

/// What to do about two types that do not fit.
pub(super) fn cure(writer: &Type, reader: &Type) -> String {
    match (writer.name(), reader.name()) {
        (Some(of_writer), Some(of_reader))
            if writer.word() == reader.word() && of_writer.simple() != of_reader.simple() =>
        {
            format!("give {} the alias `{}`", of_reader.full, of_writer.full)
        }
        _ => "change the reader's schema to what is written".to_owned(),
    }
}
