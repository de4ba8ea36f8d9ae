//! From the list of a field to its matchers: `["new", {"prefix": "re"}, {"numeric": [">", 0]}]`. Every operator of Lambda's
//! matcher, with the operands that it takes.

use super::address::{self, Block};
use super::json::Json;
use super::leaves::Scalar;
use super::matcher::{Bound, Matcher, Range};
use super::number::Number;
use super::place::Place;
use super::text::{Caseless, Wildcard};

const OPERATORS: &str = "`prefix`, `suffix`, `equals-ignore-case`, `wildcard`, `anything-but`, `numeric`, `exists`, `cidr` or `exactly`";

/// The matchers of a list. Those with a fault are missing, and the fault is noted.
pub(super) fn list(place: &mut Place, entries: &[Json]) -> Vec<Matcher> {
    if entries.is_empty() {
        place.fault("is an empty list, which matches nothing: write values, or `[\"\"]` for an empty string");
    }
    let entry = |(index, entry)| place.element(index, |place| self::entry(place, entry));
    entries.iter().enumerate().filter_map(entry).collect()
}

fn entry(place: &mut Place, entry: &Json) -> Option<Matcher> {
    Some(match entry {
        Json::String(text) => address::parse(text)
            .map_or_else(|| Matcher::Equals(Scalar::string(text)), Matcher::Address),
        Json::Number(text) => Matcher::Equals(Scalar::number(text)),
        Json::Null => Matcher::Equals(Scalar::literal("null")),
        Json::Bool(true) => Matcher::Equals(Scalar::literal("true")),
        Json::Bool(false) => Matcher::Equals(Scalar::literal("false")),
        Json::Array(_) => {
            place.fault("is a list in a list: one entry of the outer list is enough, so write its entries there");
            return None;
        }
        Json::Object(fields) => {
            let (name, operand) = only(place, fields)?;
            return place.field(name, |place| operator(place, name, operand));
        }
    })
}

/// The one field of an object.
fn only<'a>(place: &mut Place, fields: &'a [(String, Json)]) -> Option<(&'a str, &'a Json)> {
    if let [(name, operand)] = fields {
        return Some((name, operand));
    }
    place.fault(format!(
        "has {} operators: write one operator an object, {OPERATORS}",
        fields.len()
    ));
    None
}

/// What AWS's page on event filtering does not list, though it names EventBridge's rules.
const UNDOCUMENTED: &str =
    "is an operator of EventBridge's that AWS does not document for mappings: Lambda may refuse it";

fn operator(place: &mut Place, name: &str, operand: &Json) -> Option<Matcher> {
    let is_nested = matches!(operand, Json::Object(_));
    if matches!(name, "wildcard" | "cidr")
        || (is_nested && matches!(name, "prefix" | "suffix" | "anything-but"))
    {
        place.remark(UNDOCUMENTED);
    }
    match name {
        "exactly" => string(place, operand).map(|text| Matcher::Equals(Scalar::string(text))),
        "prefix" | "suffix" => match operand {
            Json::Object(fields) => {
                let (inner, operand) = only(place, fields)?;
                place.field(inner, |place| match inner {
                    "equals-ignore-case" => caseless_end(place, name, operand),
                    _ => unknown(
                        place,
                        "`equals-ignore-case`, or a string in place of the object",
                    ),
                })
            }
            _ => string(place, operand).map(|text| end(name, text)),
        },
        "equals-ignore-case" => {
            string(place, operand).and_then(|text| equals_caseless(place, text))
        }
        "wildcard" => string(place, operand).and_then(|text| wildcard(place, text)),
        "anything-but" => anything_but(place, operand),
        "numeric" => numeric(place, operand).map(Matcher::Numeric),
        "exists" => match operand {
            Json::Bool(true) => Some(Matcher::Exists),
            Json::Bool(false) => Some(Matcher::Absent),
            other => wrong(place, other, "true or false"),
        },
        "cidr" => string(place, operand).and_then(|text| block(place, text)),
        _ => unknown(place, OPERATORS),
    }
}

fn unknown<T>(place: &mut Place, known: &str) -> Option<T> {
    place.fault(format!("is not an operator: write {known}"));
    None
}

fn wrong<T>(place: &mut Place, found: &Json, wanted: &str) -> Option<T> {
    place.fault(format!("is {}: write {wanted}", found.kind()));
    None
}

fn string<'a>(place: &mut Place, operand: &'a Json) -> Option<&'a str> {
    match operand {
        Json::String(text) => Some(text),
        other => wrong(place, other, "a string"),
    }
}

fn caseless(place: &mut Place, text: &str) -> Option<Caseless> {
    let caseless = Caseless::new(text);
    if caseless.is_none() {
        place.fault("has a character above U+FFFF, which Lambda's matcher never finds without regard to case: leave it out");
    }
    caseless
}

fn end(name: &str, text: &str) -> Matcher {
    match name {
        "prefix" => Matcher::Prefix(format!("\"{text}")),
        _ => Matcher::Suffix(format!("{text}\"")),
    }
}

fn caseless_end(place: &mut Place, name: &str, operand: &Json) -> Option<Matcher> {
    let text = string(place, operand)?;
    match name {
        "prefix" => caseless(place, &format!("\"{text}")).map(Matcher::PrefixCaseless),
        _ => caseless(place, &format!("{text}\"")).map(Matcher::SuffixCaseless),
    }
}

fn equals_caseless(place: &mut Place, text: &str) -> Option<Matcher> {
    caseless(place, &format!("\"{text}\"")).map(Matcher::EqualsCaseless)
}

fn wildcard(place: &mut Place, text: &str) -> Option<Matcher> {
    match Wildcard::parse(text) {
        Ok(wildcard) => Some(Matcher::Wildcard(wildcard)),
        Err(reason) => {
            place.fault(reason);
            None
        }
    }
}

fn block(place: &mut Place, text: &str) -> Option<Matcher> {
    let block = Block::parse(text);
    if block.is_none() {
        place.fault("is not a block of IP addresses: write an address, a slash, and less than 32 bits (IPv6: 128), such as `10.0.0.0/24`");
    }
    block.map(Matcher::Block)
}

fn anything_but(place: &mut Place, operand: &Json) -> Option<Matcher> {
    let Json::Object(fields) = operand else {
        return anything_but_values(place, operand);
    };
    let (name, operand) = only(place, fields)?;
    place.field(name, |place| {
        let read = |place: &mut Place, operand: &Json| {
            let text = string(place, operand)?;
            match name {
                "prefix" | "suffix" if text.is_empty() => {
                    place.fault(format!("is empty, which every string has as its {name}: write at least one character"));
                    None
                }
                "prefix" | "suffix" => Some(end(name, text)),
                "equals-ignore-case" => equals_caseless(place, text),
                _ => wildcard(place, text),
            }
        };
        if !["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&name) {
            return unknown(place, "`prefix`, `suffix`, `equals-ignore-case` or `wildcard`, or values in place of the object");
        }
        each(place, operand, read).map(Matcher::AnythingButText)
    })
}

fn anything_but_values(place: &mut Place, operand: &Json) -> Option<Matcher> {
    let read = |place: &mut Place, operand: &Json| match operand {
        Json::String(text) => Some(Scalar::string(text)),
        Json::Number(text) => number(place, text).map(|_| Scalar::number(text)),
        other => wrong(place, other, "a string or a number"),
    };
    let values = each(place, operand, read)?;
    let strings = values.iter().filter(|value| value.text().is_some()).count();
    if strings > 0 && strings < values.len() {
        place.fault(
            "has strings and numbers: write one kind, and the other in a pattern of its own",
        );
        return None;
    }
    Some(Matcher::AnythingBut(values))
}

/// Reads an operand, or each of a list of operands. None: one had a fault, or the list is empty.
fn each<T>(
    place: &mut Place,
    operand: &Json,
    mut read: impl FnMut(&mut Place, &Json) -> Option<T>,
) -> Option<Vec<T>> {
    let Json::Array(list) = operand else {
        return read(place, operand).map(|one| vec![one]);
    };
    if list.is_empty() {
        place.fault("is an empty list: write the values to exclude");
        return None;
    }
    let read = |(index, operand)| place.element(index, |place| read(place, operand));
    // Every fault is wanted, so none ends the walk.
    let all: Vec<Option<T>> = list.iter().enumerate().map(read).collect();
    all.into_iter().collect()
}

fn number(place: &mut Place, text: &str) -> Option<Number> {
    let number = Number::parse(text);
    if number.is_none() {
        place.fault("is a number that 64-bit floating point cannot hold: write fewer digits, or compare it as a plain entry of the list");
    }
    number
}

/// `["=", 5]`, `[">", 0]`, `[">=", 0, "<", 10]`.
fn numeric(place: &mut Place, operand: &Json) -> Option<Range> {
    let Json::Array(list) = operand else {
        return wrong(place, operand, "a list, such as `[\">\", 0, \"<=\", 10]`");
    };
    match list.as_slice() {
        [sign, number] => {
            let signs = ["=", "<", "<=", ">", ">="];
            let (sign, bound) = comparison(place, 0, sign, number, &signs)?;
            Some(Range {
                above: (!sign.starts_with('<')).then_some(bound),
                below: (!sign.starts_with('>')).then_some(bound),
            })
        }
        [low_sign, low, high_sign, high] => {
            let low = comparison(place, 0, low_sign, low, &[">", ">="]);
            let high = comparison(place, 2, high_sign, high, &["<", "<="]);
            let ((_, low), (_, high)) = low.zip(high)?;
            if low.number.order(high.number).is_ge() {
                place.fault("ends before it begins: write the smaller number first, and `=` for a single number");
                return None;
            }
            Some(Range {
                above: Some(low),
                below: Some(high),
            })
        }
        _ => {
            place.fault("is not a comparison: write a sign and a number, or two of each, such as `[\">\", 0, \"<=\", 10]`");
            None
        }
    }
}

/// A sign, which stands at this index, and the number behind it.
fn comparison<'a>(
    place: &mut Place,
    index: usize,
    sign: &'a Json,
    operand: &Json,
    signs: &[&str],
) -> Option<(&'a str, Bound)> {
    let sign = place.element(index, |place| self::sign(place, sign, signs));
    let number = place.element(index + 1, |place| match operand {
        Json::Number(text) => number(place, text),
        other => wrong(place, other, "a number"),
    });
    let (sign, number) = sign.zip(number)?;
    let inclusive = sign.contains('=');
    Some((sign, Bound { number, inclusive }))
}

fn sign<'a>(place: &mut Place, sign: &'a Json, signs: &[&str]) -> Option<&'a str> {
    match sign {
        Json::String(sign) if signs.contains(&sign.as_str()) => return Some(sign),
        Json::String(sign) if sign == "!=" => {
            place.fault(
                "is not a sign of Lambda's: write `{\"anything-but\": 5}` for everything but 5",
            );
        }
        _ => place.fault(format!(
            "is not a sign that is allowed here: write one of `{}`",
            signs.join("` `")
        )),
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_operator_that_aws_does_not_document_for_mappings_is_remarked() {
        let remarks = |list: &str| {
            let filter = Filter::parse([format!(r#"{{"value": {{"a": [{list}]}}}}"#)]).unwrap();
            filter.remarks().count()
        };

        for undocumented in [
            r#"{"wildcard": "a*"}"#,
            r#"{"cidr": "10.0.0.0/24"}"#,
            r#"{"anything-but": {"prefix": "a"}}"#,
            r#"{"anything-but": {"wildcard": "a*"}}"#,
            r#"{"prefix": {"equals-ignore-case": "a"}}"#,
        ] {
            assert_eq!(remarks(undocumented), 1, "{undocumented}");
        }
        for documented in [
            r#"{"anything-but": ["a"]}"#,
            r#"{"prefix": "a"}"#,
            r#"{"suffix": "a"}"#,
            r#"{"exists": true}"#,
            r#"{"numeric": ["=", 5]}"#,
            r#"{"equals-ignore-case": "a"}"#,
        ] {
            assert_eq!(remarks(documented), 0, "{documented}");
        }
    }

    use crate::filter::Filter;

    /// Whether a field with this value fits this list.
    fn fits(list: &str, value: &str) -> bool {
        let filter = Filter::parse([format!(r#"{{"value": {{"f": {list}}}}}"#)]).unwrap();
        filter.matches(Some(format!(r#"{{"f": {value}}}"#).as_bytes()))
    }

    fn fits_all(list: &str, values: &[&str]) {
        for value in values {
            assert!(fits(list, value), "{value} does not fit {list}");
        }
    }

    fn fits_none(list: &str, values: &[&str]) {
        for value in values {
            assert!(!fits(list, value), "{value} fits {list}");
        }
    }

    /// The one fault in a list: its place below the list, and its reason.
    fn fault(list: &str) -> (String, String) {
        let error = Filter::parse([format!(r#"{{"value": {{"f": {list}}}}}"#)]).unwrap_err();
        let [fault] = error.faults() else {
            panic!("{error}")
        };
        let place = fault.place.strip_prefix("Filters[0].Pattern: value.f");
        (place.unwrap().to_owned(), fault.reason.clone())
    }

    #[test]
    fn one_entry_of_the_list_is_enough() {
        fits_all(r#"["a", 1, {"prefix": "b"}]"#, &[r#""a""#, "1", r#""bc""#]);
        fits_none(r#"["a", 1, {"prefix": "b"}]"#, &[r#""c""#, "2", "null"]);
    }

    #[test]
    fn a_string_fits_itself_alone() {
        fits_all(r#"["a"]"#, &[r#""a""#, r#""\u0061""#]);
        fits_none(r#"["a"]"#, &[r#""A""#, r#""ab""#, r#""""#]);
        fits_none(r#"["1", "null", "true"]"#, &["1", "null", "true"]);
    }

    #[test]
    fn an_empty_string_fits_an_empty_string() {
        fits_all(r#"[""]"#, &[r#""""#]);
        fits_none(r#"[""]"#, &[r#"" ""#, "null", "[]", "{}"]);
    }

    #[test]
    fn null_and_booleans_fit_themselves() {
        fits_all("[null, true]", &["null", "true"]);
        fits_none("[null, true]", &["false", "0", r#""""#, "[]"]);
    }

    #[test]
    fn a_number_fits_its_value_however_written() {
        fits_all("[300]", &["300", "300.0", "3.0e2"]);
        fits_none("[300]", &["301", r#""300""#, "-300"]);
    }

    #[test]
    fn a_number_that_cannot_be_compared_fits_its_text() {
        fits_all("[12345678901234567890]", &["12345678901234567890"]);
        fits_none(
            "[12345678901234567890]",
            &["12345678901234567891", "12345678901234567890.0"],
        );
    }

    #[test]
    fn a_string_that_is_an_ip_address_fits_the_address_however_written() {
        fits_all(r#"["::1"]"#, &[r#""0:0:0:0:0:0:0:1""#]);
        fits_none(r#"["::1"]"#, &[r#""::2""#, r#""localhost""#]);
        fits_none(r#"[{"exactly": "::1"}]"#, &[r#""0:0:0:0:0:0:0:1""#]);
    }

    #[test]
    fn prefix_fits_strings_that_begin_so() {
        fits_all(r#"[{"prefix": "ab"}]"#, &[r#""ab""#, r#""abc""#]);
        fits_none(r#"[{"prefix": "ab"}]"#, &[r#""a""#, r#""cab""#, r#""AB""#]);
        fits_none(r#"[{"prefix": "1"}]"#, &["1", "12"]);
        fits_all(r#"[{"prefix": ""}]"#, &[r#""""#, r#""a""#]);
        fits_none(r#"[{"prefix": ""}]"#, &["1", "null"]);
    }

    #[test]
    fn suffix_fits_strings_that_end_so() {
        fits_all(r#"[{"suffix": "ab"}]"#, &[r#""ab""#, r#""cab""#]);
        fits_none(r#"[{"suffix": "ab"}]"#, &[r#""b""#, r#""abc""#, r#""AB""#]);
    }

    #[test]
    fn prefix_and_suffix_may_leave_case_aside() {
        fits_all(
            r#"[{"prefix": {"equals-ignore-case": "aB"}}]"#,
            &[r#""ABc""#, r#""abC""#],
        );
        fits_none(
            r#"[{"prefix": {"equals-ignore-case": "aB"}}]"#,
            &[r#""cab""#],
        );
        fits_all(
            r#"[{"suffix": {"equals-ignore-case": "aB"}}]"#,
            &[r#""cAB""#],
        );
        fits_none(
            r#"[{"suffix": {"equals-ignore-case": "aB"}}]"#,
            &[r#""abc""#],
        );
    }

    #[test]
    fn equals_ignore_case_fits_small_and_capital_letters() {
        fits_all(r#"[{"equals-ignore-case": "Éa"}]"#, &[r#""éA""#, r#""ÉA""#]);
        fits_none(
            r#"[{"equals-ignore-case": "Éa"}]"#,
            &[r#""ea""#, r#""éab""#, "1"],
        );
    }

    #[test]
    fn wildcard_fits_any_characters_at_its_asterisks() {
        fits_all(r#"[{"wildcard": "a*z"}]"#, &[r#""az""#, r#""a-to-z""#]);
        fits_none(r#"[{"wildcard": "a*z"}]"#, &[r#""a""#, r#""zaz""#]);
        fits_none(r#"[{"wildcard": "*"}]"#, &["1", "null"]);
    }

    #[test]
    fn numeric_compares_with_one_number() {
        fits_all(r#"[{"numeric": ["=", 5]}]"#, &["5", "5.0"]);
        fits_none(r#"[{"numeric": ["=", 5]}]"#, &["4", r#""5""#, "null"]);
        fits_all(r#"[{"numeric": ["<", 5]}]"#, &["4.9", "-1e300"]);
        fits_none(r#"[{"numeric": ["<", 5]}]"#, &["5", "6"]);
        fits_all(r#"[{"numeric": ["<=", 5]}]"#, &["5", "4"]);
        fits_none(r#"[{"numeric": ["<=", 5]}]"#, &["5.1"]);
        fits_all(r#"[{"numeric": [">", 5]}]"#, &["5.1", "1e300"]);
        fits_none(r#"[{"numeric": [">", 5]}]"#, &["5", "4"]);
        fits_all(r#"[{"numeric": [">=", 5]}]"#, &["5", "6"]);
        fits_none(r#"[{"numeric": [">=", 5]}]"#, &["4.9"]);
    }

    #[test]
    fn numeric_takes_a_range() {
        fits_all(r#"[{"numeric": [">", 0, "<=", 5]}]"#, &["0.1", "5"]);
        fits_none(r#"[{"numeric": [">", 0, "<=", 5]}]"#, &["0", "5.1", "-1"]);
        fits_all(r#"[{"numeric": [">=", 0, "<", 5]}]"#, &["0", "-0", "4.9"]);
        fits_none(r#"[{"numeric": [">=", 0, "<", 5]}]"#, &["5"]);
    }

    #[test]
    fn anything_but_fits_other_values_that_are_there() {
        fits_all(
            r#"[{"anything-but": "a"}]"#,
            &[r#""b""#, r#""""#, "1", "null"],
        );
        fits_none(r#"[{"anything-but": "a"}]"#, &[r#""a""#, "[]", "{}"]);
        fits_all(r#"[{"anything-but": [1, 2]}]"#, &["3", r#""1""#, "false"]);
        fits_none(r#"[{"anything-but": [1, 2]}]"#, &["1.0", "2"]);
    }

    #[test]
    fn anything_but_takes_prefix_suffix_case_and_wildcard() {
        fits_all(
            r#"[{"anything-but": {"prefix": ["a", "b"]}}]"#,
            &[r#""cab""#, "1"],
        );
        fits_none(
            r#"[{"anything-but": {"prefix": ["a", "b"]}}]"#,
            &[r#""ab""#, r#""b""#],
        );
        fits_all(r#"[{"anything-but": {"suffix": "a"}}]"#, &[r#""ab""#]);
        fits_none(r#"[{"anything-but": {"suffix": "a"}}]"#, &[r#""ba""#]);
        fits_all(
            r#"[{"anything-but": {"equals-ignore-case": "a"}}]"#,
            &[r#""b""#],
        );
        fits_none(
            r#"[{"anything-but": {"equals-ignore-case": "a"}}]"#,
            &[r#""A""#],
        );
        fits_all(r#"[{"anything-but": {"wildcard": "a*"}}]"#, &[r#""ba""#]);
        fits_none(r#"[{"anything-but": {"wildcard": "a*"}}]"#, &[r#""ab""#]);
    }

    #[test]
    fn exists_sees_values_but_no_objects() {
        fits_all(r#"[{"exists": true}]"#, &["null", r#""""#, "[1]", "[[1]]"]);
        fits_none(r#"[{"exists": true}]"#, &["{}", "[]", r#"{"a": 1}"#]);
        fits_all(r#"[{"exists": false}]"#, &["{}", "[]", r#"{"a": 1}"#]);
        fits_none(r#"[{"exists": false}]"#, &["null", "[1]"]);
    }

    #[test]
    fn cidr_fits_the_addresses_of_its_block() {
        fits_all(r#"[{"cidr": "10.0.0.0/24"}]"#, &[r#""10.0.0.255""#]);
        fits_none(
            r#"[{"cidr": "10.0.0.0/24"}]"#,
            &[r#""10.0.1.0""#, r#""ten""#, "10"],
        );
    }

    #[test]
    fn of_an_array_one_element_is_enough() {
        fits_all(r#"["a"]"#, &[r#"["b", "a"]"#, r#"[["b"], ["a"]]"#]);
        fits_none(r#"["a"]"#, &[r#"["b"]"#, "[]"]);
        // So this one fits too: "b" is anything but "a".
        fits_all(r#"[{"anything-but": "a"}]"#, &[r#"["a", "b"]"#]);
    }

    #[test]
    fn what_ends_with_a_quote_finds_that_at_the_strings_end() {
        fits_all(r#"[{"prefix": "a\""}]"#, &[r#""a""#, r#""a\"b""#]);
        fits_none(r#"[{"prefix": "a\""}]"#, &[r#""ab""#]);
    }

    #[test]
    fn a_fault_says_where_it_is_and_what_to_write() {
        let place_and_cure = [
            ("[]", "", "[\"\"]"),
            ("[[1]]", "[0]", "outer list"),
            ("[\"a\", {}]", "[1]", "one operator"),
            (r#"[{"prefix": "a", "suffix": "b"}]"#, "[0]", "one operator"),
            (r#"[{"begins": "a"}]"#, "[0].begins", "`prefix`"),
            (r#"[{"prefix": 1}]"#, "[0].prefix", "a string"),
            (
                r#"[{"prefix": {"wildcard": "a"}}]"#,
                "[0].prefix.wildcard",
                "`equals-ignore-case`",
            ),
            (
                r#"[{"equals-ignore-case": "😀"}]"#,
                "[0].equals-ignore-case",
                "leave it out",
            ),
            (r#"[{"wildcard": "a**"}]"#, "[0].wildcard", "write one"),
            (r#"[{"exists": "true"}]"#, "[0].exists", "true or false"),
            (r#"[{"cidr": "10.0.0.0/32"}]"#, "[0].cidr", "10.0.0.0/24"),
            (
                r#"[{"anything-but": true}]"#,
                "[0].anything-but",
                "a string or a number",
            ),
            (
                r#"[{"anything-but": []}]"#,
                "[0].anything-but",
                "the values to exclude",
            ),
            (
                r#"[{"anything-but": ["a", 1]}]"#,
                "[0].anything-but",
                "one kind",
            ),
            (
                r#"[{"anything-but": ["a", null]}]"#,
                "[0].anything-but[1]",
                "a string or a number",
            ),
            (
                r#"[{"anything-but": {"prefix": ""}}]"#,
                "[0].anything-but.prefix",
                "one character",
            ),
            (
                r#"[{"anything-but": {"exists": true}}]"#,
                "[0].anything-but.exists",
                "`prefix`",
            ),
            (
                r#"[{"anything-but": {"suffix": ["a", 1]}}]"#,
                "[0].anything-but.suffix[1]",
                "a string",
            ),
            (r#"[{"numeric": 5}]"#, "[0].numeric", "a list"),
            (
                r#"[{"numeric": [">", 0, "<="]}]"#,
                "[0].numeric",
                "two of each",
            ),
            (
                r#"[{"numeric": ["!=", 5]}]"#,
                "[0].numeric[0]",
                "anything-but",
            ),
            (
                r#"[{"numeric": ["<", 5, ">", 0]}]"#,
                "[0].numeric[0]",
                "`>` `>=`",
            ),
            (r#"[{"numeric": [">", "5"]}]"#, "[0].numeric[1]", "a number"),
            (
                r#"[{"numeric": [">", 1e400]}]"#,
                "[0].numeric[1]",
                "fewer digits",
            ),
            (
                r#"[{"numeric": [">", 5, "<", 5]}]"#,
                "[0].numeric",
                "smaller number first",
            ),
        ];

        for (list, expected, cure) in place_and_cure {
            let faults = Filter::parse([format!(r#"{{"value": {{"f": {list}}}}}"#)]).unwrap_err();
            let (place, reason) = match faults.faults() {
                [_] => fault(list),
                // Both signs of a range are wrong.
                faults => (
                    faults[0].place["Filters[0].Pattern: value.f".len()..].to_owned(),
                    faults[0].reason.clone(),
                ),
            };
            assert_eq!(place, expected, "{list}: {reason}");
            assert!(reason.contains(cure), "{list}: {reason}");
        }
    }
}
