//! JSON as Python's `json.dumps(…, sort_keys=True)` writes it, so that a hash of it is the one that Powertools for Python makes. Called by `per_record`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::value::RawValue;

use crate::limits::KEY_JSON_DEPTH_MAX;

/// Why a text has no canonical form. Never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotCanonical {
    NotJson,
    TooDeep,
}

/// A value of a JSON document. Numbers stay the text that they are until they are written: Python's integers have no end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a>(&'a str);

impl<'a> Node<'a> {
    pub(super) fn parse(json: &'a [u8]) -> Result<Self, NotCanonical> {
        let raw: &RawValue = serde_json::from_slice(json).map_err(|_| NotCanonical::NotJson)?;
        Ok(Self(raw.get()))
    }

    /// The value that one step of a JSON pointer leads to. *None: there is none.*
    pub(super) fn child(self, step: &str) -> Option<Self> {
        match self.0.as_bytes()[0] {
            b'{' => self.fields().ok()?.remove(step),
            b'[' => {
                // RFC 6901: digits without a leading zero.
                let plain = step == "0" || !step.starts_with(['0', '+']);
                let index: usize = step.parse().ok().filter(|_| plain)?;
                self.elements().ok()?.get(index).copied()
            }
            _ => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Whether it names nothing, as Powertools has it: null, or empty, or holds only nulls.
    pub(super) fn is_missing(self) -> bool {
        let null = |node: &Self| node.is_null();
        match self.0.as_bytes()[0] {
            b'{' => self.fields().is_ok_and(|fields| fields.values().all(null)),
            b'[' => self
                .elements()
                .is_ok_and(|elements| elements.iter().all(null)),
            b'"' => self.0 == "\"\"",
            _ => null(&self),
        }
    }

    /// Writes the value as Python would.
    pub(super) fn write(self, out: &mut String) -> Result<(), NotCanonical> {
        self.write_at(0, out)
    }

    fn write_at(self, depth: usize, out: &mut String) -> Result<(), NotCanonical> {
        if depth > KEY_JSON_DEPTH_MAX {
            return Err(NotCanonical::TooDeep);
        }
        match self.0.as_bytes()[0] {
            b'{' => {
                out.push('{');
                for (index, (name, value)) in self.fields()?.into_iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    write_text(&name, out);
                    out.push_str(": ");
                    value.write_at(depth + 1, out)?;
                }
                out.push('}');
            }
            b'[' => {
                out.push('[');
                for (index, value) in self.elements()?.into_iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    value.write_at(depth + 1, out)?;
                }
                out.push(']');
            }
            b'"' => {
                let text: String = self.read()?;
                write_text(&text, out);
            }
            b't' | b'f' | b'n' => out.push_str(self.0),
            _ => write_number(self.0, out)?,
        }
        Ok(())
    }

    /// By name in the order of code points, as Python sorts; of a name that stands twice the last, as Python has it.
    fn fields(self) -> Result<BTreeMap<String, Node<'a>>, NotCanonical> {
        let fields: BTreeMap<String, &RawValue> = self.read()?;
        let fields = fields.into_iter();
        Ok(fields.map(|(name, raw)| (name, Self(raw.get()))).collect())
    }

    fn elements(self) -> Result<Vec<Self>, NotCanonical> {
        let elements: Vec<&RawValue> = self.read()?;
        Ok(elements.into_iter().map(|raw| Self(raw.get())).collect())
    }

    fn read<T: serde::Deserialize<'a>>(self) -> Result<T, NotCanonical> {
        serde_json::from_str(self.0).map_err(|_| NotCanonical::NotJson)
    }
}

/// A text in quotes, of ASCII alone.
pub(super) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing into a String does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// An integer is its digits, any other number the shortest text that reads back as the same 64 bits, in Python's form.
fn write_number(text: &str, out: &mut String) -> Result<(), NotCanonical> {
    if !text.contains(['.', 'e', 'E']) {
        out.push_str(if text == "-0" { "0" } else { text });
        return Ok(());
    }
    let number: f64 = text.parse().map_err(|_| NotCanonical::NotJson)?;
    if number.is_infinite() {
        out.push_str(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
        return Ok(());
    }
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| NotCanonical::NotJson)?;
    // `repr` of Python's float: plain from 1e-4 to below 1e16.
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        out.push_str(&plain);
        if !plain.contains('.') {
            out.push_str(".0");
        }
        return Ok(());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "{digits}e{sign}{:02}", exponent.unsigned_abs());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Node, NotCanonical};

    fn canonical(json: &str) -> Result<String, NotCanonical> {
        let mut out = String::new();
        Node::parse(json.as_bytes())?.write(&mut out)?;
        Ok(out)
    }

    /// Each right side was printed by `json.dumps(json.loads(left), sort_keys=True)` of Python 3.11.
    #[test]
    fn it_is_what_python_writes() {
        for (json, python) in [
            (r#""abc""#, r#""abc""#),
            (
                "\"Gr\u{f6}\u{df}e \u{1f600}\"",
                r#""Gr\u00f6\u00dfe \ud83d\ude00""#,
            ),
            (
                r#""\u007f\u0001\b\f\n\r\t\"\\\/""#,
                r#""\u007f\u0001\b\f\n\r\t\"\\/""#,
            ),
            (" [ 1 ,2,\n[ ] , { } ] ", "[1, 2, [], {}]"),
            (
                r#"{"b":1,"a":{"z":null,"y":true}}"#,
                r#"{"a": {"y": true, "z": null}, "b": 1}"#,
            ),
            (r#"{"a":1,"a":2}"#, r#"{"a": 2}"#),
            (
                "{\"\u{ffff}\":1,\"\u{10000}\":2}",
                r#"{"\uffff": 1, "\ud800\udc00": 2}"#,
            ),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("1.0", "1.0"),
            ("1e2", "100.0"),
            ("0.1", "0.1"),
            ("1e15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("123456789012345678.0", "1.2345678901234568e+17"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5e-7", "1.5e-07"),
            ("1e400", "Infinity"),
            ("-1e400", "-Infinity"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ] {
            assert_eq!(canonical(json).as_deref(), Ok(python), "{json}");
        }
    }

    #[test]
    fn what_is_no_json_or_too_deep_has_no_canonical_form() {
        let deep = "[".repeat(1_000) + &"]".repeat(1_000);

        for json in ["", "x", "{", "01", "\"\u{1}\"", "1 2"] {
            assert_eq!(canonical(json), Err(NotCanonical::NotJson), "{json}");
        }
        assert_eq!(canonical(&deep), Err(NotCanonical::TooDeep));
    }

    #[test]
    fn null_and_what_is_empty_or_holds_only_nulls_is_missing() {
        let missing = |json: &str| Node::parse(json.as_bytes()).unwrap().is_missing();

        for json in ["null", "\"\"", "[]", "{}", "[null]", r#"{"a":null}"#] {
            assert!(missing(json), "{json}");
        }
        for json in ["0", "false", "\"0\"", "[0]", "[[]]", r#"{"a":""}"#] {
            assert!(!missing(json), "{json}");
        }
    }
}
