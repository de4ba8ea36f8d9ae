//! Why a value could not be read as JSON: found and expected by kind, and where, without a byte of the value. Called by `json`.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::extract::names::{By, Names, TypeRefusal};
use crate::extract::rejection::{JsonRejection, text_of};
use crate::extract::{expected, form};

/// Reads a second time, slower, to learn the path. `otherwise` is what it may be by what stands around it, if its own bytes do not tell.
pub(super) fn explain<T: DeserializeOwned>(
    value: &[u8],
    error: &serde_json::Error,
    otherwise: Option<&'static str>,
) -> JsonRejection {
    let (line, column, bytes) = (error.line(), error.column(), value.len());
    let malformed = |reason| JsonRejection::Malformed {
        reason,
        line,
        column,
        bytes,
        hint: form::of(value).or(otherwise),
    };
    match error.classify() {
        Category::Eof if value.is_empty() => malformed("it is empty"),
        Category::Eof => malformed("it ends early"),
        Category::Syntax | Category::Io => malformed(syntax_reason(error, byte_at(value, error))),
        Category::Data => mismatch::<T>(value, error),
    }
}

/// What is to be done about a value that stood behind a frame.
pub(super) const BEHIND_A_FRAME: &str = "it stands behind a schema registry's frame: if its schema is one of Avro or Protobuf, take `Avro<_>` or `Protobuf<_>` (of a key, `Key<Avro<_>>`)";

/// What is to be done about a value of the format that the event's metadata gives.
pub(super) fn of_schema(format: Option<&str>) -> Option<&'static str> {
    match format {
        Some("AVRO") => Some(
            "the event gives its schema as AVRO: take `Avro<_>`, or set EventRecordFormat JSON in the mapping's SchemaRegistryConfig",
        ),
        Some("PROTOBUF") => Some(
            "the event gives its schema as PROTOBUF: take `Protobuf<_>`, or set EventRecordFormat JSON in the mapping's SchemaRegistryConfig",
        ),
        _ => None,
    }
}

fn mismatch<T: DeserializeOwned>(value: &[u8], error: &serde_json::Error) -> JsonRejection {
    let mut json = serde_json::Deserializer::from_slice(value);
    let names = Names::default();
    let path = serde_path_to_error::deserialize::<_, T>(names.of(&mut json))
        .err()
        .map_or_else(String::new, |error| path_of(error.path(), &names));
    let refusal = names.refusal();
    let text = text_of(error);
    let (line, column) = if is_buffered(&text, refusal.as_ref()) {
        (0, 0)
    } else {
        (error.line(), error.column())
    };
    JsonRejection::Mismatch {
        reason: reason_of(&text, &names, refusal.as_ref()),
        path,
        line,
        column,
        bytes: value.len(),
        hint: form::of_text(value),
    }
}

/// The byte that serde did not expect.
fn byte_at(value: &[u8], error: &serde_json::Error) -> Option<u8> {
    let line = value
        .split(|byte| *byte == b'\n')
        .nth(error.line().checked_sub(1)?)?;
    line.get(error.column().checked_sub(1)?).copied()
}

fn syntax_reason(error: &serde_json::Error, found: Option<u8>) -> &'static str {
    let text = text_of(error);
    match found {
        Some(b'\'') => return "a single quote: JSON has double quotes",
        Some(b'N' | b'I') if text.starts_with("expected value") => {
            return "a word such as NaN or Infinity, which JSON does not have";
        }
        Some(b'/') if text.starts_with("expected value") || text.starts_with("key must") => {
            return "a slash: JSON has no comments";
        }
        _ => {}
    }
    let kind = [
        ("trailing characters", "more after its end"),
        ("trailing comma", "a comma before an end"),
        ("recursion limit", "nested too deeply"),
        ("number out of range", "a number out of range"),
        ("key must be", "a key that is not a string"),
        ("control character", "a control character in a string"),
        ("invalid escape", "an invalid escape"),
        ("invalid unicode", "a string that is not UTF-8"),
        ("lone leading surrogate", "half of a surrogate pair"),
        ("invalid value: expected key", "a key that is not a number"),
        (
            "invalid number",
            "a number in a form that JSON does not allow",
        ),
        ("expected value", "expected a value"),
        ("expected `:`", "expected `:`"),
        (
            "expected `,` or `]`",
            "expected `,` or `]` after an element",
        ),
        ("expected `,` or `}`", "expected `,` or `}` after a field"),
    ];
    kind.iter()
        .find(|(start, _)| text.starts_with(start))
        .map_or("an unexpected character", |(_, reason)| reason)
}

/// serde's own text quotes the value (`invalid type: string "4111…"`), so only what comes from the type is taken from it.
fn reason_of(text: &str, names: &Names, refusal: Option<&TypeRefusal>) -> String {
    let text = expected::without_place(text);
    let name_behind = |start: &str| {
        text.strip_prefix(start)
            .and_then(|rest| rest.split('`').next())
            .filter(|name| is_name(name))
    };
    if let Some(field) = name_behind("missing field `") {
        return format!("no field `{field}`");
    }
    if let Some(field) = name_behind("duplicate field `").filter(|field| names.contains(field)) {
        return format!("the field `{field}` twice");
    }
    if let Some(name) = name_behind("data did not match any variant of untagged enum ") {
        return format!("a value that is no variant of the untagged enum `{name}`");
    }
    let wanted = || match expected::of(text, refusal.map(|refusal| &*refusal.expected)) {
        Some(expected) => format!(" where {expected} is expected"),
        None => String::new(),
    };
    let found = || expected::found(text);
    match text.split(':').next().unwrap_or_default() {
        "invalid type" => {
            let found = found().unwrap_or("a value of another type");
            format!("{found}{}", wanted())
        }
        "invalid value" => match found() {
            Some(number @ ("an integer" | "a floating-point number")) => {
                format!("{number} out of range{}", wanted())
            }
            Some(found) => format!("{found} that is not allowed{}", wanted()),
            None => format!("a value that is not allowed{}", wanted()),
        },
        _ if text.starts_with("invalid length") => {
            format!("another number of elements{}", wanted())
        }
        _ if text.starts_with("unknown variant") => {
            format!("an unknown variant{}", expected::listed(text))
        }
        _ if text.starts_with("unknown field") => {
            format!("an unknown field{}", expected::listed(text))
        }
        _ if text.starts_with("duplicate field") => "a field that stands twice".to_owned(),
        _ if text.starts_with("missing field") => "a missing field".to_owned(),
        _ => format!("a value that its type refuses{}", wanted()),
    }
}

/// Whether the error comes of a buffer, into which serde has read the object before it made the type of it: then line and column are 0, or those of the
/// object's end.
fn is_buffered(text: &str, refusal: Option<&TypeRefusal>) -> bool {
    let of_serde = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
        "data did not match",
    ];
    let is_of_serde = of_serde.iter().any(|start| text.starts_with(start));
    match refusal.map(|refusal| refusal.by) {
        Some(By::Value) => false,
        Some(By::Object) => is_of_serde,
        Some(By::Type) | None => {
            is_of_serde
                || ["missing field", "unknown field", "duplicate field"]
                    .iter()
                    .any(|start| text.starts_with(start))
        }
    }
}

fn path_of(path: &serde_path_to_error::Path, names: &Names) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(if names.contains(name) { name } else { "*" });
            }
            Segment::Unknown => text.push_str(if text.is_empty() { "?" } else { ".?" }),
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}

/// Whether a text can be a field's name: serde takes it from the type, an error of the type's own might not.
fn is_name(text: &str) -> bool {
    const FIELD_NAME_BYTES_MAX: usize = 64;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=FIELD_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::explain;
    use crate::failure::Rejection;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Order {
        order_id: u64,
        #[serde(default)]
        lines: Vec<Line>,
        #[serde(default)]
        by_name: BTreeMap<String, Line>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Line {
        sku: u64,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    enum Kind {
        Express { hours: u8 },
        Days(u8),
    }

    /// What the rejection says after the value's size.
    fn said<T: DeserializeOwned + std::fmt::Debug>(value: &str) -> String {
        said_of::<T>(value.as_bytes(), None)
    }

    fn said_of<T: DeserializeOwned + std::fmt::Debug>(
        value: &[u8],
        format: Option<&str>,
    ) -> String {
        let error = serde_json::from_slice::<T>(value).unwrap_err();
        let message =
            Rejection::from(explain::<T>(value, &error, super::of_schema(format))).message;
        message.split_once("bytes) ").unwrap().1.to_owned()
    }

    #[test]
    fn what_is_not_json_is_told_by_what_breaks_it_and_where() {
        let deep = "[".repeat(200);
        let cases = [
            ("", "is not JSON: it is empty at line 1, column 0"),
            ("{", "is not JSON: it ends early at line 1, column 1"),
            ("1 2", "is not JSON: more after its end at line 1, column 3"),
            (
                "{\n?",
                "is not JSON: a key that is not a string at line 2, column 1",
            ),
            (
                &deep,
                "is not JSON: nested too deeply at line 1, column 128",
            ),
            (
                "1e999",
                "is not JSON: a number out of range at line 1, column 5",
            ),
            ("?", "is not JSON: expected a value at line 1, column 1"),
            (
                "[1;2]",
                "is not JSON: expected `,` or `]` after an element at line 1, column 3",
            ),
            (
                "'hello'",
                "is not JSON: a single quote: JSON has double quotes at line 1, column 1",
            ),
            (
                r#"{"total":NaN}"#,
                "is not JSON: a word such as NaN or Infinity, which JSON does not have at line 1, column 10",
            ),
            (
                "// a\n{}",
                "is not JSON: a slash: JSON has no comments at line 1, column 1",
            ),
            (
                "{}\n{}",
                "is not JSON: more after its end at line 2, column 1",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(said::<serde_json::Value>(value), expected, "{value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_by_path_line_and_column() {
        let cases = [
            (
                r#"{"order_id":"x"}"#,
                "a string where an integer (u64) is expected at `order_id`, line 1, column 15",
            ),
            (
                r#"{"order_id":3.0}"#,
                "a floating-point number where an integer (u64) is expected at `order_id`, line 1, column 15",
            ),
            (
                r#"{"order_id":null}"#,
                "null where an integer (u64) is expected at `order_id`, line 1, column 16",
            ),
            (
                r#"{"order_id":1,"lines":[{"sku":1},{"sku":-7}]}"#,
                "an integer out of range where an integer (u64) is expected at `lines[1].sku`, line 1, column 42",
            ),
            (
                r#"{"order_id":1,"lines":{}}"#,
                "an object where an array is expected at `lines`, line 1, column 22",
            ),
            (
                r#"{"lines":[]}"#,
                "no field `order_id` at `.`, line 1, column 12",
            ),
            (
                r#"{"order_id":1,"order_id":1}"#,
                "the field `order_id` twice at `.`, line 1, column 24",
            ),
            (
                r#"{"order_id":1,"kind":{"Express":{"hours":300}}}"#,
                "an integer out of range where an integer (u8) is expected at `kind.Express.hours`, line 1, column 44",
            ),
            (
                r#"{"order_id":1,"kind":{"Days":"x"}}"#,
                "a string where an integer (u8) is expected at `kind.Days`, line 1, column 32",
            ),
            (
                r#"{"order_id":1,"kind":{"alice":1}}"#,
                "an unknown variant where one of `Express`, `Days` is expected at `kind`, line 1, column 29",
            ),
            (
                r#"[{"order_id":9}]"#,
                "an object where an integer (u64) is expected at `[0]`, line 1, column 1",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(
                said::<Order>(value),
                format!("does not fit: {expected}"),
                "{value}"
            );
        }
    }

    #[test]
    fn a_key_that_is_no_name_of_the_type_is_not_shown() {
        let of_a_map = said::<Order>(r#"{"order_id":1,"by_name":{"alice":{"sku":"x"}}}"#);
        let of_the_root = said::<BTreeMap<String, u64>>(r#"{"alice":"x"}"#);
        let of_a_variant = said::<Order>(r#"{"order_id":1,"kind":{"alice":1}}"#);

        assert!(of_a_map.contains("`by_name.*.sku`"), "{of_a_map}");
        assert!(of_the_root.contains("`*`"), "{of_the_root}");
        assert!(!of_a_variant.contains("alice"), "{of_a_variant}");
    }

    #[test]
    fn where_serde_reads_from_a_buffer_no_place_is_known_and_that_is_said() {
        #[derive(Debug, Deserialize)]
        #[serde(tag = "type")]
        #[allow(dead_code)]
        enum Tagged {
            #[serde(rename = "order.created")]
            Created { order_id: u64 },
            #[serde(rename = "order.paid")]
            Paid { cents: u64 },
        }
        #[derive(Debug, Deserialize)]
        #[serde(untagged)]
        #[allow(dead_code)]
        enum Untagged {
            Created { order_id: u64 },
            Paid { cents: u64 },
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Flat {
            id: u64,
            #[serde(flatten)]
            line: Line,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Around<T> {
            event: T,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Perhaps<T> {
            event: Option<T>,
        }
        const WHY: &str = "(the exact place is unknown: serde reads `tag`, `untagged` and `flatten` from a buffer without positions)";
        let wrong = r#"{"type":"order.created","order_id":1.5}"#;
        let inside = format!(r#"{{"event":{wrong}}}"#);

        let string = "a floating-point number where an integer (u64) is expected";
        let tagged = format!("does not fit: {string} somewhere in the value {WHY}");
        assert_eq!(said::<Tagged>(wrong), tagged);
        let below = format!("does not fit: {string} in `event` {WHY}");
        assert_eq!(said::<Around<Tagged>>(&inside), below);
        assert_eq!(said::<Perhaps<Tagged>>(&inside), below);
        assert_eq!(
            said::<Untagged>(wrong),
            format!(
                "does not fit: a value that is no variant of the untagged enum `Untagged` somewhere in the value {WHY}"
            )
        );
        assert_eq!(
            said::<Flat>(r#"{"id":1,"sku":"4111"}"#),
            format!(
                "does not fit: a string where an integer (u64) is expected somewhere in the value {WHY}"
            )
        );
        // What stands outside of the buffer has its place.
        assert_eq!(
            said::<Flat>(r#"{"id":"4111","sku":1}"#),
            "does not fit: a string where an integer (u64) is expected at `*`, line 1, column 12"
        );
        assert_eq!(
            said::<Tagged>(r#"{"type":"order.lost","order_id":1}"#),
            "does not fit: an unknown variant where one of `order.created`, `order.paid` is expected at `*`, line 1, column 20"
        );
    }

    #[test]
    fn a_types_own_words_for_what_it_expects_are_said() {
        use std::net::Ipv4Addr;

        let address = said::<Vec<Ipv4Addr>>(r#"["4111"]"#);
        let number = said::<Vec<Ipv4Addr>>("[4111]");

        assert_eq!(
            address,
            "does not fit: a value that its type refuses where IPv4 address is expected at `[0]`, line 1, column 7"
        );
        assert!(
            number.starts_with("does not fit: an integer where IPv4 address is expected"),
            "{number}"
        );
    }

    #[test]
    fn what_is_no_json_is_named_by_its_beginning_or_by_its_schema() {
        let framed = said_of::<Order>(b"\0\0\0\0\x2A{\"order_id\":1}", Some("AVRO"));
        let avro = said_of::<Order>(b"\x02\x0Ac-123\x80\x01", Some("AVRO"));
        let protobuf = said_of::<Order>(b"\x08\x01", Some("PROTOBUF"));
        let json = said_of::<Order>(b"nope", Some("JSON"));
        let twice = said::<Order>(r#""{\"order_id\":1}""#);

        assert!(
            framed.contains("; it is JSON after the 5 bytes that Confluent's"),
            "{framed}"
        );
        assert!(
            avro.contains("; the event gives its schema as AVRO"),
            "{avro}"
        );
        assert!(protobuf.contains("its schema as PROTOBUF"), "{protobuf}");
        assert!(!json.contains(';'), "{json}");
        assert!(
            twice.contains("a string where an object (struct Order) is expected"),
            "{twice}"
        );
        assert!(
            twice.ends_with(
                "; it is a JSON string that holds JSON: the producer has encoded it twice"
            ),
            "{twice}"
        );
    }
}
