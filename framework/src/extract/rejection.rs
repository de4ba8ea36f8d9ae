//! The reason why a value cannot be read as JSON. Made by `json` and `explain`.

use std::fmt::{Display, Write};

use crate::failure::Rejection;

/// Room for most texts. A longer one grows.
const TEXT_BYTES_USUAL: usize = 160;

/// The reason why a value cannot be read as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonRejection {
    /// The record has no value.
    #[error("the record is a tombstone (no value): take `Option<Json<_>>` if that is allowed")]
    Tombstone,
    /// The value is not JSON.
    #[error("the value ({bytes} bytes) is not JSON: {reason} at line {line}, column {column}{}", behind(*.hint))]
    #[non_exhaustive]
    Malformed {
        /// The fault.
        reason: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// The value's length.
        bytes: usize,
        /// The format of the value, by its first bytes or its schema's metadata, and the cure. None: the format is unknown.
        hint: Option<&'static str>,
    },
    /// The value is JSON, but does not fit the type.
    #[error("the value ({bytes} bytes) does not fit: {reason} {}{}", place(path, *.line, *.column), behind(*.hint))]
    #[non_exhaustive]
    Mismatch {
        /// The found and the expected kind.
        reason: String,
        /// The path: `lines[2].sku`. A key that is not the name of a field or variant of the type is shown as `*`, since it is payload.
        path: String,
        /// The line, from 1. 0: the place inside `path` is unknown, since serde reads `tag`, `untagged` and `flatten` from a buffer.
        line: usize,
        /// The column in bytes, from 1. 0: unknown.
        column: usize,
        /// The value's length.
        bytes: usize,
        /// The format of the value, and the cure. None: the format is unknown.
        hint: Option<&'static str>,
    },
    /// The value stands behind a frame that cannot be taken off.
    #[error("{0}")]
    Frame(Rejection),
}

impl From<JsonRejection> for Rejection {
    fn from(rejection: JsonRejection) -> Self {
        let code = match rejection {
            JsonRejection::Frame(rejection) => return rejection,
            JsonRejection::Tombstone => "reject.tombstone",
            JsonRejection::Malformed { .. } | JsonRejection::Mismatch { .. } => "reject.json",
        };
        Self::new(code, text_of(&rejection))
    }
}

/// As `to_string`, in one piece of memory: a text that grows bit by bit costs as much as reading the record.
pub(super) fn text_of(error: &impl Display) -> String {
    let mut text = String::with_capacity(TEXT_BYTES_USUAL);
    write!(text, "{error}").expect("a string takes all");
    text
}

fn behind(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}

fn place(path: &str, line: usize, column: usize) -> String {
    let buffered = "the exact place is unknown: serde reads `tag`, `untagged` and `flatten` from a buffer without positions";
    match (path, line) {
        (".", 0) => format!("somewhere in the value ({buffered})"),
        (path, 0) => format!("in `{path}` ({buffered})"),
        (path, line) => format!("at `{path}`, line {line}, column {column}"),
    }
}
