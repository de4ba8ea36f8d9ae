//! Text for programs: without the escape sequences that colour a terminal or move its cursor.

use serde_json::Value;

/// What begins each of them.
const ESCAPE: char = '\u{1b}';

pub(crate) fn text(text: &str) -> String {
    anstream::adapter::strip_str(text)
        .to_string()
        .replace(ESCAPE, "")
}

/// The document with every text plain: what a function wrote in colours is read by a program all the same.
pub(crate) fn json(value: Value) -> Value {
    match value {
        Value::String(given) if given.contains(ESCAPE) => Value::String(text(&given)),
        Value::Array(items) => items.into_iter().map(json).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(
                fields
                    .map(|(name, value)| (text_of(name), json(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

fn text_of(name: String) -> String {
    if name.contains(ESCAPE) {
        text(&name)
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn no_text_of_a_document_keeps_an_escape_sequence() {
        let coloured = json!({"a\u{1b}[1m": ["\u{1b}[31mred\u{1b}[0m", 1], "b": "plain é"});

        let plain = super::json(coloured);

        assert_eq!(plain, json!({"a": ["red", 1], "b": "plain é"}));
    }
}
