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
        place.fault("is an empty list, which nothing fits: write what fits, or `[\"\"]` for an empty string");
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
            place.fault("is a list in a list: any entry of the outer list may fit already, so write its entries there");
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

fn operator(place: &mut Place, name: &str, operand: &Json) -> Option<Matcher> {
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
    place.fault(format!("is no operator: write {known}"));
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
        place.fault("is no block of IP addresses: write an address, a slash, and less than 32 bits (IPv6: 128), such as `10.0.0.0/24`");
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
        place.fault("is an empty list: write what must not be there");
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
            place.fault("is no comparison: write a sign and a number, or two of each, such as `[\">\", 0, \"<=\", 10]`");
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
                "is no sign of Lambda's: write `{\"anything-but\": 5}` for everything but 5",
            );
        }
        _ => place.fault(format!(
            "is no sign that fits here: write one of `{}`",
            signs.join("` `")
        )),
    }
    None
}
