//! serde's words for kinds of values, as JSON's: what was found, and what the type expects. Called by `explain`; nothing that comes from the value passes.

/// Longest text of a type's own that is shown.
const EXPECTED_BYTES_MAX: usize = 128;
/// Most names of variants or fields that are listed.
const LISTED_MAX: usize = 20;

/// What was found, by kind: `invalid type: floating point `1.5`, …` is a floating-point number.
pub(super) fn found(text: &str) -> Option<&'static str> {
    let (_, text) = text.split_once(": ")?;
    let kinds = [
        ("boolean `", "a boolean"),
        ("integer `", "an integer"),
        ("floating point `", "a floating-point number"),
        ("character `", "a character"),
        ("string \"", "a string"),
        ("null", "null"),
        ("unit value", "null"),
        ("Option value", "null"),
        ("sequence", "an array"),
        ("map", "an object"),
        ("unit variant", "a text alone"),
        ("newtype variant", "an object with a value for a variant"),
        ("tuple variant", "an object with an array for a variant"),
        ("struct variant", "an object with an object for a variant"),
        ("byte array", "bytes"),
    ];
    let kind = kinds.iter().find(|(start, _)| text.starts_with(start));
    kind.map(|(_, kind)| *kind)
}

/// What is expected, from the end of serde's text: the value stands before it, and may hold anything. `heard` is what a part of the type said of itself.
pub(super) fn of(text: &str, heard: Option<&str>) -> Option<String> {
    let text = without_place(text);
    let at_the_end = text
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected);
    if let Some(known) = at_the_end.and_then(in_json) {
        return Some(known);
    }
    let heard = heard.filter(|heard| !heard.is_empty() && heard.len() <= EXPECTED_BYTES_MAX)?;
    Some(in_json(heard).unwrap_or_else(|| heard.to_owned()))
}

/// The names that stand at the end of serde's text: `, expected one of `a`, `b``. They are the type's.
pub(super) fn listed(text: &str) -> String {
    let text = without_place(text);
    let list = ["`, expected one of `", "`, expected `"]
        .iter()
        .filter_map(|between| text.rsplit_once(between))
        .map(|(_, list)| list.trim_end_matches('`'))
        .min_by_key(|list| list.len());
    let Some(list) = list else {
        return String::new();
    };
    // Of two names serde writes `a` or `b`.
    let names: Vec<&str> = list
        .split("`, `")
        .flat_map(|names| names.split("` or `"))
        .collect();
    let more = if names.len() > LISTED_MAX {
        ", …"
    } else {
        ""
    };
    let shown: Vec<String> = names
        .iter()
        .take(LISTED_MAX)
        .map(|name| format!("`{name}`"))
        .collect();
    format!(" where one of {}{more} is expected", shown.join(", "))
}

/// The text without serde_json's line and column.
pub(super) fn without_place(text: &str) -> &str {
    text.rsplit_once(" at line ").map_or(text, |(text, _)| text)
}

/// serde's own texts, and what derived types say of themselves. None: a text of somebody else.
fn in_json(text: &str) -> Option<String> {
    let integer = |text: &str| {
        text.strip_prefix(['i', 'u'])
            .is_some_and(|bits| ["8", "16", "32", "64", "128", "size"].contains(&bits))
    };
    let plain = [
        ("f32", "a number"),
        ("f64", "a number"),
        ("a boolean", "a boolean"),
        ("a string", "a string"),
        ("a borrowed string", "a string without escapes"),
        ("a character", "a string of one character"),
        ("a sequence", "an array"),
        ("a map", "an object"),
        ("unit", "null"),
        ("option", "a value or null"),
        ("string or map", "a string or an object"),
        ("variant identifier", "the name of a variant"),
        ("field identifier", "the name of a field"),
        ("map", "an object"),
    ];
    if let Some((_, json)) = plain.iter().find(|(serde, _)| *serde == text) {
        return Some((*json).to_owned());
    }
    if integer(text) || text.strip_prefix("a nonzero ").is_some_and(integer) {
        return Some(format!("an integer ({text})"));
    }
    let is_name = text.len() <= EXPECTED_BYTES_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_: <>,".contains(&byte));
    let derived = [
        ("struct variant ", "an object"),
        ("struct ", "an object"),
        ("tuple variant ", "an array"),
        ("tuple struct ", "an array"),
        ("a tuple of size ", "an array"),
        ("an array of length ", "an array"),
        ("internally tagged enum ", "an object"),
        ("adjacently tagged enum ", "an object"),
        ("enum ", "a variant"),
        ("newtype struct ", "a value"),
        ("unit struct ", "null"),
    ];
    let of = derived.iter().find(|(start, _)| text.starts_with(start));
    of.filter(|_| is_name)
        .map(|(_, json)| format!("{json} ({text})"))
}

#[cfg(test)]
mod tests {
    use super::{found, listed, of};

    #[test]
    fn what_a_value_holds_never_passes() {
        let text = r#"invalid type: string "4111, expected 4111 at line 4111", expected u64 at line 1 column 2"#;

        assert_eq!(found(text), Some("a string"));
        assert_eq!(of(text, None).as_deref(), Some("an integer (u64)"));
        assert_eq!(of(r#"invalid type: string "a", expected 4111"#, None), None);
        let variant = "unknown variant `4111`, expected one of `4112`, expected one of `a`, `b`, `c` at line 1 column 2";
        assert_eq!(listed(variant), " where one of `a`, `b`, `c` is expected");
        assert_eq!(
            listed("unknown variant `x`, expected `a` or `b`"),
            " where one of `a`, `b` is expected"
        );
        assert_eq!(listed("unknown variant `x`, there are no variants"), "");
    }

    #[test]
    fn a_text_of_a_types_own_is_taken_where_it_was_heard_of_the_type() {
        let text = "invalid type: integer `7`, expected a day of the week";

        assert_eq!(of(text, None), None);
        assert_eq!(
            of(text, Some("a day of the week")).as_deref(),
            Some("a day of the week")
        );
    }
}
