//! A schema read by itself: for payloads without a reader's schema, for what is passed over, and for defaults. Called by `resolve`.

use crate::avro::plan::{Branch, Decimal, From, Node, Plan, Record, Step};
use crate::avro::schema::{Field, Kind, Logical, Schema, Type, TypeId};

impl Schema {
    /// The plan by which values of this schema are read without another.
    pub fn plan(&self) -> &Plan {
        self.own.get_or_init(|| own(self))
    }
}

/// A schema read by itself: a node for each type, in the same place.
fn own(schema: &Schema) -> Plan {
    Plan {
        nodes: (0..schema.types.len())
            .map(|id| own_node(schema, id, &|id| id))
            .collect(),
        root: schema.root,
    }
}

/// The node of a type, where `place` says the places of the types inside.
pub(super) fn own_node(schema: &Schema, id: TypeId, place: &dyn Fn(TypeId) -> usize) -> Node {
    let of = &schema.types[id];
    match &of.kind {
        Kind::Array(item) => Node::Array(place(*item)),
        Kind::Map(value) => Node::Map(place(*value)),
        Kind::Union(branches) => {
            let branch = |branch: &TypeId| Branch {
                node: place(*branch),
                name: Some(schema.types[*branch].branch_name().into()),
            };
            Node::Union(branches.iter().map(branch).collect())
        }
        Kind::Record(record) => {
            let step = |field: &Field| Step {
                name: field.name.clone(),
                node: place(field.of),
                from: From::Payload,
            };
            Node::Record(Box::new(Record {
                steps: record.fields.iter().map(step).collect(),
                is_in_order: true,
            }))
        }
        Kind::Enum(symbols) => Node::Enum(symbols.symbols.iter().cloned().map(Some).collect()),
        _ => leaf(of),
    }
}

/// The node of a type without types inside.
pub(super) fn leaf(of: &Type) -> Node {
    match (&of.kind, of.logical) {
        (Kind::Fixed(_), Some(Logical::Uuid)) => Node::Uuid,
        (Kind::Fixed(_), Some(Logical::Duration)) => Node::Duration,
        (Kind::Fixed(fixed), Some(Logical::Decimal { scale, .. })) => Node::Decimal(Decimal {
            size: Some(fixed.size),
            scale,
        }),
        (Kind::Bytes, Some(Logical::Decimal { scale, .. })) => {
            Node::Decimal(Decimal { size: None, scale })
        }
        (Kind::Int, Some(Logical::Time(time))) => Node::Time {
            of: time,
            is_int: true,
        },
        (Kind::Long, Some(Logical::Time(time))) => Node::Time {
            of: time,
            is_int: false,
        },
        (Kind::Fixed(fixed), _) => Node::Fixed(fixed.size),
        (Kind::Boolean, _) => Node::Boolean,
        (Kind::Int, _) => Node::Int,
        (Kind::Long, _) => Node::Long,
        (Kind::Float, _) => Node::Float,
        (Kind::Double, _) => Node::Double,
        (Kind::Bytes, _) => Node::Bytes,
        (Kind::String, _) => Node::Text,
        _ => Node::Null,
    }
}

/// The types directly inside a type.
pub(super) fn inside(kind: &Kind) -> Vec<TypeId> {
    match kind {
        Kind::Array(inner) | Kind::Map(inner) => vec![*inner],
        Kind::Union(branches) => branches.clone(),
        Kind::Record(record) => record.fields.iter().map(|field| field.of).collect(),
        _ => Vec::new(),
    }
}
