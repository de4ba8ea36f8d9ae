//! What stands before a payload, or in a header: a schema's id and a Protobuf message's place in its file. Decided by fixed rules and never tried. Called by `lambda-msk` for each record
//! that is read by a schema, and by the mapping.

use std::borrow::Cow;

use crate::id::{Format, SchemaId};
use crate::limits::MESSAGE_INDEXES_MAX;

/// Header with the schema id of the value.
pub const VALUE_HEADER: &str = "__value_schema_id";
/// Header with the schema id of the key.
pub const KEY_HEADER: &str = "__key_schema_id";

/// Byte 0, and an id of four bytes.
const CONFLUENT_BYTES: usize = 5;
/// Byte 3, a byte for the compression, and a UUID.
const GLUE_BYTES: usize = 18;
/// A byte for the kind, and a UUID.
const GUID_BYTES: usize = 17;

/// The framing of payloads: what names the schema of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// Each record decides, in this order: the schema metadata of the event, a header with a schema id, Confluent's frame, Glue's frame.
    #[default]
    Auto,
    /// A header with a schema id, or Confluent's frame.
    Confluent,
    /// Glue's frame.
    Glue,
    /// No frame: the whole payload is the message.
    None,
}

/// A payload whose frame was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framed<'a> {
    /// The id of the writer's schema. *None: nothing names it.*
    pub id: Option<SchemaId>,
    /// The kind of frame.
    pub kind: Kind<'a>,
    /// What stands behind the frame. Compressed if `kind` says so.
    pub rest: &'a [u8],
}

/// What names the schema of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind<'a> {
    /// The event's metadata: the mapping has removed the frame. Of Protobuf the message indexes may be left.
    Metadata,
    /// A header. Of Protobuf the message indexes stand in it, behind the id.
    Header(&'a [u8]),
    /// Confluent's frame. Of Protobuf the message indexes follow.
    Confluent,
    /// Glue's frame. Of Protobuf the message's place follows, inside what is compressed.
    Glue {
        /// The rest is compressed with zlib.
        zlib: bool,
    },
    /// No frame.
    Plain,
}

/// What a record says of one of its parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// The schema id in the event's metadata. *None: the event has no metadata for this part. Some(None): it has, without an id.*
    pub metadata: Option<Option<&'a str>>,
    /// The header with a schema id: the last one of that name. *None: there is no such header, or its value is null.*
    pub header: Option<&'a [u8]>,
    /// The part's bytes.
    pub bytes: &'a [u8],
}

impl Framing {
    /// The number and the rest of a payload behind Confluent's frame that no header and no metadata speak of, as almost all are: what [`find`](Self::find) says of it, and quicker. *None: `find`
    /// tells.*
    #[inline]
    pub fn number(self, given: Given<'_>) -> Option<(u32, &[u8])> {
        let [0, a, b, c, d, ref rest @ ..] = *given.bytes else {
            return None;
        };
        let alone = match self {
            Self::Auto => given.metadata.is_none() && given.header.is_none(),
            Self::Confluent => given.header.is_none(),
            Self::Glue | Self::None => false,
        };
        alone.then(|| (u32::from_be_bytes([a, b, c, d]), rest))
    }

    /// Finds the frame of a payload in that format. *None: there is none, though this framing asks for one.*
    pub fn find<'a>(self, given: Given<'a>, format: Format) -> Option<Framed<'a>> {
        let plain = Framed {
            id: None,
            kind: Kind::Plain,
            rest: given.bytes,
        };
        match self {
            Self::None => Some(plain),
            Self::Confluent => header(given, format).or_else(|| confluent(given.bytes)),
            Self::Glue => glue(given.bytes),
            Self::Auto => match given.metadata {
                Some(id) => Some(Framed {
                    id: id.and_then(metadata_id),
                    kind: Kind::Metadata,
                    rest: given.bytes,
                }),
                None => header(given, format)
                    .or_else(|| confluent(given.bytes))
                    .or_else(|| glue(given.bytes)),
            },
        }
    }
}

/// The schema id in the event's metadata: Glue's has 36 characters, Confluent's is a number. *None: neither.*
fn metadata_id(text: &str) -> Option<SchemaId> {
    match text.len() {
        36 => uuid(text).map(SchemaId::Version),
        _ => text.parse().ok().map(SchemaId::Number),
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut digits = 0;
    for (at, letter) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if letter != b'-' {
                return None;
            }
            continue;
        }
        let digit = (letter as char).to_digit(16)? as u8;
        bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
        digits += 1;
    }
    (digits == 32).then_some(bytes)
}

/// A header counts only if it has exactly this form: anything else of that name is the user's own.
#[inline]
fn header<'a>(given: Given<'a>, format: Format) -> Option<Framed<'a>> {
    of_header(given.header?, given.bytes, format)
}

fn of_header<'a>(header: &'a [u8], bytes: &'a [u8], format: Format) -> Option<Framed<'a>> {
    let (id, behind) = match *header.first()? {
        0 => {
            let (number, behind) = header[1..].split_first_chunk()?;
            (SchemaId::Number(u32::from_be_bytes(*number)), behind)
        }
        1 if header.len() >= GUID_BYTES => {
            let (guid, behind) = header[1..].split_first_chunk()?;
            (SchemaId::Guid(*guid), behind)
        }
        _ => return None,
    };
    let fits = match format {
        Format::Protobuf => message_indexes(behind).is_some_and(|(_, rest)| rest.is_empty()),
        Format::Avro | Format::Json => behind.is_empty(),
    };
    fits.then_some(Framed {
        id: Some(id),
        kind: Kind::Header(behind),
        rest: bytes,
    })
}

#[inline]
fn confluent(bytes: &[u8]) -> Option<Framed<'_>> {
    if *bytes.first()? != 0 || bytes.len() < CONFLUENT_BYTES {
        return None;
    }
    let (number, rest) = bytes[1..].split_first_chunk()?;
    Some(Framed {
        id: Some(SchemaId::Number(u32::from_be_bytes(*number))),
        kind: Kind::Confluent,
        rest,
    })
}

fn glue(bytes: &[u8]) -> Option<Framed<'_>> {
    let [3, compression @ (0 | 5), ..] = *bytes else {
        return None;
    };
    if bytes.len() < GLUE_BYTES {
        return None;
    }
    let (version, rest) = bytes[2..].split_first_chunk()?;
    Some(Framed {
        id: Some(SchemaId::Version(*version)),
        kind: Kind::Glue {
            zlib: compression == 5,
        },
        rest,
    })
}

/// The path to a message inside its file: the place of a message, then the place of a message nested in that one, and so on.
pub type MessageIndexes = Cow<'static, [u32]>;

/// Confluent's message indexes, and what stands behind them: a count and as many places, as zigzag varints; a single 0 means the first message. *None: these are none.*
pub fn message_indexes(bytes: &[u8]) -> Option<(MessageIndexes, &[u8])> {
    let (count, mut rest) = place(bytes)?;
    if count == 0 {
        return Some((Cow::Borrowed(&[0]), rest));
    }
    if count as usize > MESSAGE_INDEXES_MAX {
        return None;
    }
    let mut indexes = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let (index, behind) = place(rest)?;
        indexes.push(index);
        rest = behind;
    }
    Some((Cow::Owned(indexes), rest))
}

/// Message indexes as Confluent's serializers write them: the first message is a single 0.
pub fn write_message_indexes(indexes: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if indexes == [0] {
        bytes.push(0);
        return bytes;
    }
    write_place(&mut bytes, indexes.len() as u64);
    for index in indexes {
        write_place(&mut bytes, u64::from(*index));
    }
    bytes
}

/// A zigzag varint.
fn write_place(bytes: &mut Vec<u8>, place: u64) {
    let mut number = place * 2;
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The place of a message that Glue's frame gives: one unsigned varint. *None: there is none.*
pub fn glue_message(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (place, rest) = varint(bytes)?;
    Some((u32::try_from(place).ok()?, rest))
}

/// A zigzag varint that is not negative.
fn place(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = varint(bytes)?;
    match number % 2 {
        0 => Some((u32::try_from(number / 2).ok()?, rest)),
        _ => None,
    }
}

/// Of five bytes at most: what is counted with it has 32 bits.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

/// Why compressed bytes cannot be read.
#[cfg(feature = "inflate")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// The bytes are not what zlib writes.
    #[error("the frame says that zlib has compressed the payload, but these bytes are not zlib's")]
    NotZlib,
    /// The payload is larger than allowed.
    #[error("the payload has more than {max} bytes behind its compression")]
    TooLarge {
        /// Bytes that are allowed.
        max: usize,
    },
}

/// Decompresses what Glue's serializer has compressed.
///
/// # Errors
///
/// The bytes are not zlib's, or there are more of them than [`INFLATED_BYTES_MAX`](crate::limits::INFLATED_BYTES_MAX).
#[cfg(feature = "inflate")]
pub fn inflate(bytes: &[u8]) -> Result<Vec<u8>, InflateError> {
    inflate_within(bytes, crate::limits::INFLATED_BYTES_MAX)
}

/// As [`inflate`], up to `max` bytes.
///
/// # Errors
///
/// The bytes are not zlib's, or there are more of them than `max`.
// Never inlined: its decoder stands on the stack, 54 kB that each caller would touch for every payload.
#[cfg(feature = "inflate")]
#[inline(never)]
pub fn inflate_within(bytes: &[u8], max: usize) -> Result<Vec<u8>, InflateError> {
    use std::io::Read;

    let mut inflated = Vec::new();
    let mut reader = flate2::read::ZlibDecoder::new(bytes);
    let read = reader
        .by_ref()
        .take(max as u64 + 1)
        .read_to_end(&mut inflated);
    match read {
        Err(_) => Err(InflateError::NotZlib),
        Ok(read) if read > max => Err(InflateError::TooLarge { max }),
        // Bytes behind the stream are no part of it.
        Ok(_) if reader.total_in() != bytes.len() as u64 => Err(InflateError::NotZlib),
        Ok(_) => Ok(inflated),
    }
}

#[cfg(test)]
mod tests;
