//! What stands in the list of one field of a pattern, ready to be compared with a record's values.

use std::net::IpAddr;

use super::address::{self, Block};
use super::leaves::Scalar;
use super::number::Number;
use super::text::{Caseless, Wildcard};

/// One entry of a field's list. A field fits if one of its entries does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Matcher {
    /// The field is there, with a value: not an object, not an empty array.
    Exists,
    /// No value of this name is there. Not a question to one value, so [`Matcher::fits`] none.
    Absent,
    /// A string, number, boolean or null.
    Equals(Scalar),
    Address(IpAddr),
    Block(Block),
    /// Begins and ends stand with the quote at the string's own end, as [`Scalar::quoted`] has it. What ends with a quote
    /// of its own finds that of the string's other end, as in Lambda's matcher: prefix `a"` finds `a`.
    Prefix(String),
    PrefixCaseless(Caseless),
    Suffix(String),
    SuffixCaseless(Caseless),
    /// In quotes.
    EqualsCaseless(Caseless),
    Wildcard(Wildcard),
    Numeric(Range),
    /// Neither of these values, which are all strings or all numbers. A value of another kind fits.
    AnythingBut(Vec<Scalar>),
    /// Fits none of these. A value that is no string fits.
    AnythingButText(Vec<Matcher>),
}

impl Matcher {
    pub(super) fn fits(&self, value: &Scalar) -> bool {
        match self {
            Self::Exists => true,
            Self::Absent => false,
            Self::Equals(own) => equal(own, value),
            Self::Address(own) => address_of(value).is_some_and(|address| address == *own),
            Self::Block(block) => address_of(value).is_some_and(|address| block.contains(address)),
            Self::Prefix(prefix) => value.quoted().starts_with(prefix.as_str()),
            Self::PrefixCaseless(prefix) => prefix.starts(value.quoted()),
            Self::Suffix(suffix) => value.quoted().ends_with(suffix.as_str()),
            Self::SuffixCaseless(suffix) => suffix.ends(value.quoted()),
            Self::EqualsCaseless(own) => own.equals(value.quoted()),
            Self::Wildcard(wildcard) => value.text().is_some_and(|text| wildcard.matches(text)),
            Self::Numeric(range) => value.comparable().is_some_and(|number| range.holds(number)),
            Self::AnythingBut(values) => !values.iter().any(|own| equal(own, value)),
            Self::AnythingButText(texts) => !texts.iter().any(|own| own.fits(value)),
        }
    }
}

/// Numbers by value where both can be compared, everything else by text.
fn equal(own: &Scalar, other: &Scalar) -> bool {
    match (own.comparable(), other.comparable()) {
        (Some(own), Some(other)) => own == other,
        _ => own.quoted() == other.quoted(),
    }
}

fn address_of(value: &Scalar) -> Option<IpAddr> {
    value.text().and_then(address::parse)
}

/// Numbers between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    /// None: no number is too small.
    pub(super) above: Option<Bound>,
    /// None: no number is too large.
    pub(super) below: Option<Bound>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bound {
    pub(super) number: Number,
    /// Whether the number itself is in the range.
    pub(super) inclusive: bool,
}

impl Range {
    fn holds(self, number: Number) -> bool {
        let above = |bound: Bound| {
            let order = number.order(bound.number);
            order.is_gt() || bound.inclusive && order.is_eq()
        };
        let below = |bound: Bound| {
            let order = number.order(bound.number);
            order.is_lt() || bound.inclusive && order.is_eq()
        };
        self.above.is_none_or(above) && self.below.is_none_or(below)
    }
}
