//! How bytes of one schema are read as another: each node says what stands in the bytes, and what it is for the reader. Made by `resolve`, followed by the decoder.

use crate::avro::temporal::Temporal;

/// A compiled way to read values: the writer's schema against the reader's, compared once.
#[derive(Debug)]
pub struct Plan {
    pub(super) nodes: Vec<Node>,
    pub(super) root: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    // Promoted: what is written, and what it is read as. An int is a long already.
    IntAsFloat,
    IntAsDouble,
    LongAsFloat,
    LongAsDouble,
    FloatAsDouble,
    Bytes,
    Text,
    Fixed(usize),
    /// Of 16 bytes. A uuid in a string is text.
    Uuid,
    /// Of 12 bytes.
    Duration,
    Decimal(Decimal),
    Time {
        of: Temporal,
        /// Written as an int.
        is_int: bool,
    },
    /// By the writer's number. None: the reader has neither the symbol nor a default.
    Enum(Box<[Option<Box<str>>]>),
    Array(usize),
    Map(usize),
    /// A union of the writer.
    Union(Box<[Branch]>),
    /// A union of the reader alone: no number stands in the bytes.
    Branch(Box<Branch>),
    Record(Box<Record>),
    /// The writer's type cannot be read as the reader's, which is an error once such a value is met. The text says why.
    Refuse(Box<str>),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal {
    /// None: of bytes, with their length before them.
    pub(super) size: Option<usize>,
    pub(super) scale: u32,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) node: usize,
    /// The branch of the reader's union. None: the reader has no union there.
    pub(super) name: Option<Box<str>>,
}

#[derive(Debug)]
pub(super) struct Record {
    /// The writer's fields in their order, then those that only the reader has.
    pub(super) steps: Box<[Step]>,
    /// The steps that are read stand in the order of the reader's fields.
    pub(super) is_in_order: bool,
}

#[derive(Debug)]
pub(super) struct Step {
    /// The reader's name of the field, or the writer's of one that is dropped.
    pub(super) name: Box<str>,
    pub(super) node: usize,
    pub(super) from: From,
}

#[derive(Debug)]
pub(super) enum From {
    /// The payload, for the reader.
    Payload,
    /// The payload, and the reader has no such field.
    Dropped,
    /// The reader's default, encoded.
    Default(Box<[u8]>),
}
