//! JSON as Python's `json.dumps(…, sort_keys=True)` writes it, so that a hash of it is the one that Powertools for Python makes. Called by `per_record`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::value::RawValue;

use crate::limits::KEY_JSON_DEPTH_MAX;

/// Why a text has no canonical form. Never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCanonical {
    NotJson,
    TooDeep,
}

/// A value of a JSON document. Numbers stay the text that they are until they are written: Python's integers have no end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a>(&'a str);

impl<'a> Node<'a> {
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, NotCanonical> {
        let raw: &RawValue = serde_json::from_slice(json).map_err(|_| NotCanonical::NotJson)?;
        Ok(Self(raw.get()))
    }

    /// The value that one step of a JSON pointer leads to. *None: there is none.*
    pub(crate) fn child(self, step: &str) -> Option<Self> {
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

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Whether it names nothing, as Powertools has it: null, or empty, or holds only nulls.
    pub(crate) fn is_missing(self) -> bool {
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
    pub(crate) fn write(self, out: &mut String) -> Result<(), NotCanonical> {
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
pub(crate) fn write_text(text: &str, out: &mut String) {
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
///
/// For Python, numbers that no 64 bits tell apart are one: 1e400 and 2e400 are `Infinity`, 1e-400 is 0.0, and of more than 17 digits the last do not count. Two records
/// would have one key, and one of them would be skipped. So a number that is not its shortest text is written with all its digits, in a form that Python never writes.
fn write_number(text: &str, out: &mut String) -> Result<(), NotCanonical> {
    if !text.contains(['.', 'e', 'E']) {
        out.push_str(if text == "-0" { "0" } else { text });
        return Ok(());
    }
    let number: f64 = text.parse().map_err(|_| NotCanonical::NotJson)?;
    let shortest = format!("{number:e}");
    match (Decimal::of(text), Decimal::of(&shortest)) {
        (Some(exact), shortest) if Some(&exact) != shortest.as_ref() => {
            let Decimal {
                negative,
                digits,
                exponent,
            } = exact;
            let sign = if negative { "-" } else { "" };
            let _ = write!(out, "{sign}{digits}e{exponent}");
            return Ok(());
        }
        (None, _) => {
            out.push_str(text);
            return Ok(());
        }
        _ => {}
    }
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

/// A number as it is, however large: digits without zeros at either end, times a power of ten. Zero has no digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// *None: no number of JSON, or its exponent takes more than 64 bits.*
    fn of(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_end_matches('0');
        let zeros = all.len() - digits.len();
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            let exponent = 0;
            return Some(Self {
                negative,
                digits,
                exponent,
            });
        }
        let exponent: i64 = exponent.parse().ok()?;
        let exponent = exponent
            .checked_sub_unsigned(fraction.len() as u64)?
            .checked_add_unsigned(zeros as u64)?;
        Some(Self {
            negative,
            digits,
            exponent,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::Strategy;
    use proptest::sample::select;
    use proptest::{prop_assert_eq, proptest};

    use super::{Decimal, Node, NotCanonical};

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
            ("123456789012345680.0", "1.2345678901234568e+17"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5e-7", "1.5e-07"),
            ("-2.50", "-2.5"),
            ("0e5", "0.0"),
            ("0e99999999999999999999", "0.0"),
            ("100e-2", "1.0"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ] {
            assert_eq!(canonical(json).as_deref(), Ok(python), "{json}");
        }
    }

    /// Python would write `Infinity`, 0.0, or a rounded number.
    #[test]
    fn a_number_that_64_bits_do_not_hold_is_written_with_its_digits() {
        for (json, written) in [
            ("1e400", "1e400"),
            ("10.0e399", "1e400"),
            ("-1e400", "-1e400"),
            ("2e400", "2e400"),
            ("1E-400", "1e-400"),
            ("0.10000000000000000001", "10000000000000000001e-20"),
            ("123456789012345678.0", "123456789012345678e0"),
            ("3e-324", "3e-324"),
            ("1e99999999999999999999", "1e99999999999999999999"),
            (r#"{"a":[2e400]}"#, r#"{"a": [2e400]}"#),
        ] {
            assert_eq!(canonical(json).as_deref(), Ok(written), "{json}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_written_alike_only_if_they_are_the_same(
            one in number(),
            other in number(),
        ) {
            let alike = canonical(&one) == canonical(&other);

            prop_assert_eq!(alike, Decimal::of(&one) == Decimal::of(&other), "{} {}", one, other);
        }
    }

    /// Few numbers in many forms, so that the same ones meet: about a double's edges, and beyond them.
    fn number() -> impl Strategy<Value = String> {
        let mantissa = select(vec![
            "0.0",
            "1.0",
            "1.00",
            "10.0",
            "2.5",
            "9007199254740993.0",
            "9007199254740992.0",
            "0.1",
            "0.10000000000000001",
        ]);
        let exponent = select(vec![
            "", "e0", "E1", "e-1", "e308", "e309", "e400", "e-323", "e-324", "e-400",
        ]);
        (mantissa, exponent).prop_map(|(mantissa, exponent)| format!("{mantissa}{exponent}"))
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
