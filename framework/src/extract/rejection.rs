//! Why a value could not be read as JSON, as it is told. Made by `json`, and by `explain` for it.

use crate::failure::Rejection;

/// Why a value could not be read as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonRejection {
    /// There is no value.
    #[error("the record is a tombstone (no value): take `Option<Json<_>>` if that is no fault")]
    Tombstone,
    /// The value is not JSON.
    #[error("the value ({bytes} bytes) is not JSON: {reason} at line {line}, column {column}{}", behind(*.hint))]
    #[non_exhaustive]
    Malformed {
        /// What breaks it.
        reason: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// The value's length.
        bytes: usize,
        /// What the value is instead, by its first bytes or by its schema's metadata, and the cure. None: nothing that is known.
        hint: Option<&'static str>,
    },
    /// The value is JSON of another shape.
    #[error("the value ({bytes} bytes) does not fit: {reason} {}{}", place(path, *.line, *.column), behind(*.hint))]
    #[non_exhaustive]
    Mismatch {
        /// What was found and what is expected, by kind.
        reason: String,
        /// Where: `lines[2].sku`. A key that is no name of a field or variant of the type is shown as `*`: it is payload.
        path: String,
        /// From 1. 0: the place inside of `path` is not known, since serde reads `tag`, `untagged` and `flatten` from a buffer.
        line: usize,
        /// From 1, in bytes. 0: not known.
        column: usize,
        /// The value's length.
        bytes: usize,
        /// What the value is instead, and the cure. None: nothing that is known.
        hint: Option<&'static str>,
    },
}

impl From<JsonRejection> for Rejection {
    fn from(rejection: JsonRejection) -> Self {
        let code = match rejection {
            JsonRejection::Tombstone => "reject.tombstone",
            JsonRejection::Malformed { .. } | JsonRejection::Mismatch { .. } => "reject.json",
        };
        Self::new(code, rejection.to_string())
    }
}

fn behind(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}

fn place(path: &str, line: usize, column: usize) -> String {
    let buffered = "no nearer place is known: serde reads `tag`, `untagged` and `flatten` from a buffer, which keeps none";
    match (path, line) {
        (".", 0) => format!("somewhere in the value ({buffered})"),
        (path, 0) => format!("in `{path}` ({buffered})"),
        (path, line) => format!("at `{path}`, line {line}, column {column}"),
    }
}
