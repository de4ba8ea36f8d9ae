//! A list of failures that stands where Lambda does not look, or under another name: Lambda takes such an answer for "all done".

use serde_json::Value;

/// The one name, at the top of the answer.
const NAME: &str = "batchItemFailures";
/// How deep it is looked for: `{"Ok": {"body": "{…}"}}` is as far as wrappers go.
const DEPTH_MAX: usize = 3;
/// The characters of each name that are shown.
const NAME_CHARS_MAX: usize = 64;

/// A list that Lambda does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nearly {
    /// Its place in the answer: `body.batchItemFailures`.
    pub(super) field: String,
    /// The number of its entries.
    pub(super) listed: usize,
}

/// The first such list with an entry.
pub(super) fn find(body: &[u8]) -> Option<Nearly> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    within(&answer, "", 0)
}

fn within(value: &Value, above: &str, depth: usize) -> Option<Nearly> {
    let Value::Object(fields) = value else {
        return None;
    };
    let place = |name: &str| {
        // Of the function's making: it may hold anything.
        let name: String = name.escape_debug().take(NAME_CHARS_MAX).collect();
        if above.is_empty() {
            name
        } else {
            format!("{above}.{name}")
        }
    };
    let here = fields.iter().find_map(|(name, value)| {
        let is_read = depth == 0 && name == NAME;
        let listed = entries(value);
        (!is_read && is_meant(name) && listed > 0).then(|| Nearly {
            field: place(name),
            listed,
        })
    });
    if here.is_some() || depth == DEPTH_MAX {
        return here;
    }
    fields.iter().find_map(|(name, value)| match value {
        Value::Object(_) => within(value, &place(name), depth + 1),
        // As an answer over HTTP has it: text that holds JSON.
        Value::String(text) if text.contains('{') => {
            let value = serde_json::from_str(text).ok()?;
            within(&value, &place(name), depth + 1)
        }
        _ => None,
    })
}

/// Whether a name is meant for the one that Lambda reads: `BatchItemFailures`, `batch_item_failures`, `batchItemFailure`.
fn is_meant(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    letters.contains("itemfailure") || letters.contains("itemsfailure")
}

/// The entries of a list, or the one that stands there without one.
fn entries(value: &Value) -> usize {
    match value {
        Value::Array(entries) => entries.len(),
        Value::Object(entry) => usize::from(!entry.is_empty()),
        _ => 0,
    }
}
