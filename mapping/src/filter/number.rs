//! Numbers as Lambda's matcher compares them: by value, if 64-bit floating point holds that value exactly enough to write it
//! again. A number beyond that (an id of 20 digits) has its text alone.

use std::cmp::Ordering;

/// A number that has an order.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Number(f64);

impl Number {
    /// The number that a JSON text writes. None: it cannot be compared, for it is too large, too small, or has more digits
    /// than floating point keeps.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
        let kept = Decimal::parse(&format!("{value:e}"))?;
        // Adding zero makes 0 of -0.
        (Decimal::parse(text)? == kept).then_some(Self(value + 0.0))
    }

    /// The order of two numbers: none is a NaN.
    pub(super) fn order(self, other: Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The value of a decimal text, in one form only: `300`, `300.0` and `3e2` are equal.
#[derive(PartialEq)]
struct Decimal {
    negative: bool,
    /// Without zeros at either end. Empty: zero.
    digits: String,
    /// Of the last digit.
    exponent: i64,
}

impl Decimal {
    /// None: not a JSON number, or its exponent exceeds 64 bits.
    fn parse(text: &str) -> Option<Self> {
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
        let zeros_dropped = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let exponent: i64 = exponent.parse().ok()?;
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        Some(Self {
            negative,
            digits: digits.to_owned(),
            exponent: exponent.checked_add(zeros_dropped)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} cannot be compared"))
    }

    #[test]
    fn one_value_is_one_number_however_it_is_written() {
        for text in ["300", "300.0", "3e2", "3.0E+2", "30000e-2", "300.000"] {
            assert_eq!(number(text), number("300"), "{text}");
        }
        assert_eq!(number("-0.0"), number("0"));
        assert_eq!(number("0e99"), number("0"));
    }

    #[test]
    fn numbers_have_the_order_of_their_values() {
        let ascending = ["-1e300", "-2", "-1.5", "0", "1e-300", "0.1", "1", "1e300"];

        for pair in ascending.windows(2) {
            assert!(number(pair[0]).order(number(pair[1])).is_lt(), "{pair:?}");
        }
    }

    #[test]
    fn a_number_that_floating_point_would_change_is_not_compared() {
        for text in [
            "12345678901234567890",
            "0.1234567890123456789",
            "9007199254740993",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_number_is_none() {
        for text in [
            "", "-", "null", "true", "NaN", "inf", "\"1\"", "1.2.3", "e1",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}
