//! What bytes are that are not JSON, by how they begin, and what to do about it. Called by `json`, `payload`, `avro`, `protobuf` and `bytes` for their errors: never the bytes themselves.

#[cfg(any(feature = "avro", feature = "protobuf"))]
use msk_schemas::frame::Kind;
#[cfg(any(feature = "avro", feature = "protobuf"))]
use msk_schemas::id::SchemaId;
use serde::de::IgnoredAny;

/// Byte 0 and a schema id of four bytes.
const CONFLUENT_BYTES: usize = 5;
/// Byte 3, a byte for the compression, and a schema version's UUID.
const GLUE_BYTES: usize = 18;

/// What else than JSON in UTF-8 the bytes are, with the cure. None: nothing that is known by its beginning.
pub(super) fn of(bytes: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    match bytes {
        _ if begins(&[0x1F, 0x8B]) => Some(
            "it begins like gzip: let the producer compress batches (compression.type), not values",
        ),
        _ if begins(&[0x28, 0xB5, 0x2F, 0xFD]) => Some(
            "it begins like Zstandard: let the producer compress batches (compression.type), not values",
        ),
        _ if begins(b"Obj\x01") => Some(
            "it begins like an Avro container file, which holds a schema and many records: let the producer write one record's bytes (for `Avro<_>`), or decode the bytes yourself",
        ),
        _ if begins(&[0xEF, 0xBB, 0xBF]) => Some(
            "it begins with a byte order mark, which JSON does not allow: let the producer leave it out",
        ),
        _ if begins(&[0xFF, 0xFE]) || begins(&[0xFE, 0xFF]) || is_utf_16(bytes) => {
            Some("it is text in UTF-16, but JSON must be UTF-8: let the producer write UTF-8")
        }
        [3, 0 | 5, ..] if bytes.len() >= GLUE_BYTES => Some(match bytes[1] {
            0 if is_json(&bytes[GLUE_BYTES..]) => {
                "it is JSON after the 18 bytes that AWS Glue's serializer writes (3, compression, a schema's UUID): take `Json<_>` with LAMBDA_MSK_SCHEMA_FRAMING=auto or glue, which removes them"
            }
            _ => {
                "it begins with the 18 bytes that AWS Glue's serializer writes (3, compression, a schema's UUID): take `Avro<_>` or `Protobuf<_>` and name the registry with `.schemas(…)` or LAMBDA_MSK_SCHEMA_REGISTRY"
            }
        }),
        [0, ..] if bytes.len() >= CONFLUENT_BYTES => Some(if is_json(&bytes[CONFLUENT_BYTES..]) {
            "it is JSON after the 5 bytes that Confluent's serializers write (0, a schema id): take `Json<_>` with LAMBDA_MSK_SCHEMA_FRAMING=auto or confluent, which removes them"
        } else {
            "it begins with the 5 bytes that Confluent's serializers write (0, a schema id): take `Avro<_>` or `Protobuf<_>` and name the registry with `.schemas(…)` or LAMBDA_MSK_SCHEMA_REGISTRY"
        }),
        _ => None,
    }
}

/// The same of a value that is JSON, and not of the wanted shape: text that holds a document.
pub(super) fn of_text(json: &[u8]) -> Option<&'static str> {
    if !json.trim_ascii_start().starts_with(b"\"") {
        return None;
    }
    let text: String = serde_json::from_slice(json).ok()?;
    (text.trim_start().starts_with(['{', '[']) && is_json(text.as_bytes()))
        .then_some("it is a JSON string that holds JSON: the producer has encoded it twice")
}

/// What a payload that does not fit may be otherwise than its frame, or the want of one, says; with the cure. `cure_of_json`: what to do if it is JSON. `unread`: its schema, if no registry tells what it is.
#[cfg(any(feature = "avro", feature = "protobuf"))]
pub(super) fn misread(
    kind: Kind<'_>,
    bytes: &[u8],
    cure_of_json: &str,
    unread: Option<SchemaId>,
) -> Option<String> {
    let is_framed = match *bytes {
        [0, ..] => bytes.len() >= CONFLUENT_BYTES,
        [3, 0 | 5, ..] => bytes.len() >= GLUE_BYTES,
        _ => false,
    };
    if kind == Kind::Plain && is_framed {
        return Some("it begins as a schema registry's frame does, and the framing is `none`: if the producer writes frames, set LAMBDA_MSK_SCHEMA_FRAMING=auto".to_owned());
    }
    if kind == Kind::Metadata && is_json(bytes) {
        return Some(format!("it is JSON: {cure_of_json}"));
    }
    unread.map(|id| {
        format!("its schema {id} was not looked up, since there is no registry: set LAMBDA_MSK_SCHEMA_REGISTRY or `.schemas(…)`")
    })
}

pub(super) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Two letters of ASCII, of two bytes each, in either order.
fn is_utf_16(bytes: &[u8]) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    match bytes {
        [0, one, 0, other, ..] | [one, 0, other, 0, ..] => is_letter(*one) && is_letter(*other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{of, of_text};

    #[test]
    fn what_is_not_json_is_known_by_its_beginning() {
        let glue = |compression, rest: &[u8]| [&[3, compression][..], &[7; 16], rest].concat();
        for (bytes, said) in [
            (
                b"\0\0\0\0\x2A{\"a\":1}".to_vec(),
                "JSON after the 5 bytes that Confluent's",
            ),
            (
                b"\0\0\0\0\x07\x02\x0A".to_vec(),
                "begins with the 5 bytes that Confluent's",
            ),
            (glue(0, b"{}"), "JSON after the 18 bytes that AWS Glue's"),
            (
                glue(5, b"x\x9C"),
                "begins with the 18 bytes that AWS Glue's",
            ),
            (b"\x1F\x8B\x08\0".to_vec(), "gzip"),
            (b"\x28\xB5\x2F\xFD".to_vec(), "Zstandard"),
            (b"Obj\x01\x04".to_vec(), "Avro container"),
            (b"\xEF\xBB\xBF{}".to_vec(), "a byte order mark"),
            (b"\xFF\xFE{\0".to_vec(), "UTF-16"),
            (b"{\0\"\0".to_vec(), "UTF-16"),
            (b"\0{\0\"".to_vec(), "UTF-16"),
        ] {
            let found = of(&bytes).unwrap_or_default();
            assert!(found.contains(said), "{said}: {found}");
        }
        for plain in [&b""[..], b"{", b"nope", b"\0", b"\x03\x00", b"O", b"12"] {
            assert_eq!(of(plain), None, "{plain:?}");
        }
    }

    #[test]
    fn a_string_that_holds_json_is_told_from_other_strings() {
        assert!(of_text(br#" "{\"a\":1}""#).is_some());
        assert!(of_text(br#""[1]""#).is_some());
        for other in [&br#""text""#[..], br#""{""#, b"{}", b"1", b"\""] {
            assert_eq!(of_text(other), None, "{other:?}");
        }
    }
}
