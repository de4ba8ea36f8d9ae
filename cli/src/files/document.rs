//! What is wrong with a file that should be JSON: a byte order mark, UTF-16, comments, several documents. Called for the error of each command that reads one.

use serde::de::IgnoredAny;

/// What a document is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// To follow "the file ".
    pub(crate) what: String,
    pub(crate) help: &'static str,
}

const SAMPLES: &str =
    "there are samples in events/, and `cargo msk event --topic orders` makes one";

/// How a document is encoded, if not as UTF-8 alone. None: nothing is known against it.
pub(crate) fn encoding(bytes: &[u8]) -> Option<Foreign> {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => said(
            "begins with a byte order mark, which JSON does not have",
            "save it as UTF-8 without one: sed '1s/^\\xEF\\xBB\\xBF//' FILE",
        ),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] => said(
            "is text in UTF-16, and JSON is UTF-8",
            "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE",
        ),
        [0x1F, 0x8B, ..] => said("is compressed with gzip", "unpack it first: gunzip"),
        _ => None,
    }
}

/// None: it is one JSON document.
pub(crate) fn foreign(bytes: &[u8]) -> Option<Foreign> {
    if let Some(encoded) = encoding(bytes) {
        return Some(encoded);
    }
    if bytes.trim_ascii().is_empty() {
        return said("is empty", SAMPLES);
    }
    let error = serde_json::from_slice::<IgnoredAny>(bytes).err()?;
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    let begins = |with: &str| text.starts_with(with);
    if begins("trailing comma") || ends_behind_a_comma(bytes, &error) {
        return said(
            &format!("has a trailing comma, which JSON does not allow ({place})"),
            "remove the comma",
        );
    }
    if begins("trailing characters") {
        return Some(several(bytes).unwrap_or_else(|| Foreign {
            what: format!("has text after the end of its JSON document ({place})"),
            help: "give one JSON document",
        }));
    }
    match found(bytes, &error) {
        Some(b'/' | b'#') => said(
            &format!("has a comment, which JSON does not allow ({place})"),
            "remove the comments",
        ),
        Some(b'\'') => said(
            &format!("has single quotes, and JSON has double quotes ({place})"),
            "put names and strings in \"",
        ),
        _ if error.is_eof() => said(
            &format!("ends in the middle of its JSON document ({place})"),
            "give the whole document",
        ),
        _ => said(&format!("is not JSON ({place})"), SAMPLES),
    }
}

fn said(what: &str, help: &'static str) -> Option<Foreign> {
    let what = what.to_owned();
    Some(Foreign { what, help })
}

/// A document a line.
fn several(bytes: &[u8]) -> Option<Foreign> {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    let are_json = lines
        .iter()
        .all(|line| serde_json::from_slice::<IgnoredAny>(line).is_ok());
    if lines.len() < 2 || !are_json {
        return None;
    }
    said(
        &format!("has {} JSON documents, one a line", lines.len()),
        "give one of them: head -n 1 FILE",
    )
}

/// Whether the reader stopped at an end that has a comma before it.
fn ends_behind_a_comma(bytes: &[u8], error: &serde_json::Error) -> bool {
    let above: usize = bytes
        .split(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(|line| line.len() + 1)
        .sum();
    let end = (above + error.column()).saturating_sub(1).min(bytes.len());
    let (before, at) = bytes.split_at(end);
    matches!(at.first(), Some(b'}' | b']')) && before.trim_ascii_end().ends_with(b",")
}

/// The byte at which the reader stopped.
fn found(bytes: &[u8], error: &serde_json::Error) -> Option<u8> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let line = lines.nth(error.line().checked_sub(1)?)?;
    line.get(error.column().checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::foreign;

    #[test]
    fn a_file_that_is_not_json_is_named_by_what_it_is() {
        for (bytes, said) in [
            (b"\xEF\xBB\xBF{}".to_vec(), "a byte order mark"),
            (b"\xFF\xFE{\0}\0".to_vec(), "UTF-16"),
            (b"\xFE\xFF\0{\0}".to_vec(), "UTF-16"),
            (b"{\0}\0".to_vec(), "UTF-16"),
            (b"\x1F\x8B\x08".to_vec(), "gzip"),
            (b" \n".to_vec(), "is empty"),
            (
                b"// my event\n{}".to_vec(),
                "has a comment, which JSON does not allow (line 1, column 1)",
            ),
            (
                b"{\n/* a */}".to_vec(),
                "has a comment, which JSON does not allow (line 2, column 1)",
            ),
            (b"# a\n{}".to_vec(), "has a comment"),
            (
                b"{\"a\":1,}".to_vec(),
                "has a trailing comma, which JSON does not allow (line 1, column 8)",
            ),
            (b"[1,\n]".to_vec(), "has a trailing comma"),
            (b"{'a':1}".to_vec(), "single quotes"),
            (
                b"{\"a\":".to_vec(),
                "ends in the middle of its JSON document",
            ),
            (b"nope".to_vec(), "is not JSON (line 1, column 2)"),
            (
                b"{} x".to_vec(),
                "has text after the end of its JSON document",
            ),
            (b"{}\n{}\n".to_vec(), "has 2 JSON documents, one a line"),
        ] {
            let foreign = foreign(&bytes).unwrap();
            assert!(foreign.what.contains(said), "{said}: {foreign:?}");
        }
        for json in ["{}", " [1]\n", "7"] {
            assert_eq!(foreign(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn what_a_file_holds_is_not_shown() {
        for text in ["4111 4111", "{4111}", "4111\n4111 x", "'4111'"] {
            let foreign = foreign(text.as_bytes()).unwrap();
            assert!(!foreign.what.contains("4111"), "{foreign:?}");
        }
    }
}
