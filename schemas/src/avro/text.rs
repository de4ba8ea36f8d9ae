//! The texts of logical types: decimals, dates and times, uuids. Called by the decoder and by `write`.

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};

use crate::avro::error::Error;
use crate::avro::temporal::Temporal;
use crate::limits::{AVRO_DECIMAL_BYTES_MAX, AVRO_DECIMAL_DIGITS_MAX};

/// The unscaled value, if 16 bytes hold it.
pub(super) fn unscaled(bytes: &[u8]) -> Option<i128> {
    let bytes = without_sign_bytes(bytes);
    let sign = if is_negative(bytes) { 0xff } else { 0 };
    let mut wide = [sign; 16];
    let start = wide.len().checked_sub(bytes.len())?;
    wide[start..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

fn is_negative(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| *byte >= 0x80)
}

/// Without the bytes in front that only repeat the sign.
fn without_sign_bytes(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && let [second, ..] = rest
        && (*first == 0 && *second < 0x80 || *first == 0xff && *second >= 0x80)
    {
        bytes = rest;
    }
    bytes
}

/// A decimal of big-endian bytes in two's complement: `-12.34`.
pub(super) fn decimal(bytes: &[u8], scale: u32) -> Result<String, Error> {
    let bytes = without_sign_bytes(bytes);
    if bytes.len() > AVRO_DECIMAL_BYTES_MAX {
        return Err(Error::new(format!(
            "expected a decimal of at most {AVRO_DECIMAL_BYTES_MAX} bytes, found a longer one"
        )));
    }
    if scale > AVRO_DECIMAL_DIGITS_MAX {
        return Err(Error::new(format!(
            "expected a decimal with a scale of at most {AVRO_DECIMAL_DIGITS_MAX}, found a larger one in the schema"
        )));
    }
    let digits = match unscaled(bytes) {
        Some(value) => value.unsigned_abs().to_string(),
        None => long_digits(bytes),
    };
    let scale = scale as usize;
    let zeros = (scale + 1).saturating_sub(digits.len());
    let mut text = String::with_capacity(digits.len() + zeros + 2);
    if is_negative(bytes) {
        text.push('-');
    }
    text.extend(std::iter::repeat_n('0', zeros));
    text.push_str(&digits);
    if scale > 0 {
        text.insert(text.len() - scale, '.');
    }
    Ok(text)
}

/// The digits of a magnitude above 16 bytes.
fn long_digits(bytes: &[u8]) -> String {
    let mut magnitude = bytes.to_vec();
    if is_negative(bytes) {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    // Nine digits at a time, the last first.
    const NINE_DIGITS: u64 = 1_000_000_000;
    let mut groups = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u64;
        for byte in &mut magnitude {
            let value = rest << 8 | u64::from(*byte);
            *byte = (value / NINE_DIGITS) as u8;
            rest = value % NINE_DIGITS;
        }
        groups.push(rest);
    }
    let mut text = String::new();
    for (at, group) in groups.iter().rev().enumerate() {
        // Writing to a String does not fail.
        let _ = match at {
            0 => write!(text, "{group}"),
            _ => write!(text, "{group:09}"),
        };
    }
    text
}

/// The unscaled value of a text such as `-12.34`, in as few bytes as hold it. None: no number, or one with more digits than the type has.
pub(super) fn decimal_bytes(text: &str, precision: u32, scale: u32) -> Option<Vec<u8>> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = fraction.trim_end_matches('0');
    let zeros = (scale as usize).checked_sub(kept.len())?;
    let all = || whole.bytes().chain(kept.bytes());
    let is_number = whole
        .bytes()
        .chain(fraction.bytes())
        .all(|byte| byte.is_ascii_digit());
    if !is_number || whole.len() + fraction.len() == 0 {
        return None;
    }
    let significant = all().skip_while(|byte| *byte == b'0').count();
    let digits_max = precision.min(AVRO_DECIMAL_DIGITS_MAX) as usize;
    if significant > 0 && significant + zeros > digits_max || scale > AVRO_DECIMAL_DIGITS_MAX {
        return None;
    }
    // The least byte first.
    let mut magnitude: Vec<u8> = Vec::new();
    for digit in all().chain(std::iter::repeat_n(b'0', zeros)) {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut magnitude {
            let value = u32::from(*byte) * 10 + carry;
            *byte = value as u8;
            carry = value >> 8;
        }
        if carry > 0 {
            magnitude.push(carry as u8);
        }
    }
    magnitude.push(0);
    if is_negative {
        let mut carry = true;
        for byte in &mut magnitude {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    magnitude.reverse();
    Some(without_sign_bytes(&magnitude).to_vec())
}

/// ISO 8601: `2026-11-27`, `12:30:00.123`, `2026-11-27T12:30:00.123Z`; of a local time without the Z.
pub(super) fn temporal(of: Temporal, value: i64) -> Result<String, Error> {
    let timestamp = |made: Result<Timestamp, jiff::Error>| made.ok();
    let text = match of {
        Temporal::Date => date(value).map(|date| date.to_string()),
        Temporal::TimeMillis => time(value, 1_000_000),
        Temporal::TimeMicros => time(value, 1_000),
        Temporal::TimestampMillis => {
            timestamp(Timestamp::from_millisecond(value)).map(|time| time.to_string())
        }
        Temporal::TimestampMicros => {
            timestamp(Timestamp::from_microsecond(value)).map(|time| time.to_string())
        }
        Temporal::TimestampNanos => {
            timestamp(Timestamp::from_nanosecond(value.into())).map(|time| time.to_string())
        }
        Temporal::LocalTimestampMillis => timestamp(Timestamp::from_millisecond(value)).map(local),
        Temporal::LocalTimestampMicros => timestamp(Timestamp::from_microsecond(value)).map(local),
        Temporal::LocalTimestampNanos => {
            timestamp(Timestamp::from_nanosecond(value.into())).map(local)
        }
    };
    text.ok_or_else(|| Error::new(format!("expected a {}, found one out of range", of.name())))
}

fn date(days: i64) -> Option<Date> {
    let days = Span::new().try_days(days).ok()?;
    Date::constant(1970, 1, 1).checked_add(days).ok()
}

fn time(value: i64, unit_ns: i64) -> Option<String> {
    const DAY_NS: i64 = 86_400_000_000_000;
    let nanos = value
        .checked_mul(unit_ns)
        .filter(|nanos| (0..DAY_NS).contains(nanos))?;
    let span = Span::new().try_nanoseconds(nanos).ok()?;
    Time::midnight()
        .checked_add(span)
        .ok()
        .map(|time| time.to_string())
}

fn local(timestamp: Timestamp) -> String {
    Offset::UTC.to_datetime(timestamp).to_string()
}

/// The number that an ISO 8601 text stands for. None: no such text, out of range, or with digits that the type does not hold.
pub(super) fn temporal_number(of: Temporal, text: &str) -> Option<i64> {
    let nanos = |unit: i128| {
        let timestamp = match of {
            Temporal::LocalTimestampMillis
            | Temporal::LocalTimestampMicros
            | Temporal::LocalTimestampNanos => {
                let local: DateTime = text.parse().ok()?;
                Offset::UTC.to_timestamp(local).ok()?
            }
            _ => text.parse::<Timestamp>().ok()?,
        };
        whole(timestamp.as_nanosecond(), unit)
    };
    match of {
        Temporal::Date => {
            let date: Date = text.parse().ok()?;
            let since = date.since(Date::constant(1970, 1, 1)).ok()?;
            Some(i64::from(since.get_days()))
        }
        Temporal::TimeMillis => whole(time_nanos(text)?, 1_000_000),
        Temporal::TimeMicros => whole(time_nanos(text)?, 1_000),
        Temporal::TimestampMillis | Temporal::LocalTimestampMillis => nanos(1_000_000),
        Temporal::TimestampMicros | Temporal::LocalTimestampMicros => nanos(1_000),
        Temporal::TimestampNanos | Temporal::LocalTimestampNanos => nanos(1),
    }
}

fn whole(nanos: i128, unit: i128) -> Option<i64> {
    (nanos % unit == 0).then(|| i64::try_from(nanos / unit).ok())?
}

fn time_nanos(text: &str) -> Option<i128> {
    let time: Time = text.parse().ok()?;
    Some(time.duration_since(Time::midnight()).as_nanos())
}

/// A uuid as text: `00112233-4455-6677-8899-aabbccddeeff`.
pub(super) fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of a uuid's text.
pub(super) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let mut bytes = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = (digit(0)? << 4 | digit(1)?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{decimal, decimal_bytes, temporal, temporal_number, uuid, uuid_bytes};
    use crate::avro::temporal::Temporal;
    use crate::limits::AVRO_DECIMAL_BYTES_MAX;

    #[test]
    fn a_decimal_has_its_digits_behind_the_point() {
        for (bytes, scale, text) in [
            (&[][..], 2, "0.00"),
            (&[0], 0, "0"),
            (&[0x01], 3, "0.001"),
            (&[0xff], 3, "-0.001"),
            (&[0x04, 0xd2], 2, "12.34"),
            (&[0xff, 0xfb, 0x2e], 2, "-12.34"),
            (&[0x80], 0, "-128"),
        ] {
            assert_eq!(decimal(bytes, scale).unwrap(), text);
        }
    }

    #[test]
    fn a_decimal_of_too_many_bytes_is_refused_and_signs_in_front_do_not_count() {
        let mut bytes = vec![0xff; AVRO_DECIMAL_BYTES_MAX + 1];
        assert_eq!(decimal(&bytes, 0).unwrap(), "-1");

        bytes[0] = 0x7f;
        assert!(decimal(&bytes, 0).is_err());
        assert!(decimal(&[1], 100_000).is_err());
    }

    #[test]
    fn a_text_is_a_decimal_if_its_digits_have_room() {
        assert_eq!(decimal_bytes("12.3", 4, 2), Some(vec![0x04, 0xce]));
        assert_eq!(decimal_bytes("-12.34", 4, 2), Some(vec![0xfb, 0x2e]));
        assert_eq!(decimal_bytes("0", 4, 2), Some(vec![0]));
        assert_eq!(decimal_bytes("1.50", 4, 1), Some(vec![15]));
        for text in ["", "-", ".", "1.2.3", "x", "1.234", "123.4", "١"] {
            assert_eq!(decimal_bytes(text, 4, 2), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_decimal_comes_back_from_its_text(unscaled in any::<i128>(), scale in 0_u32..38) {
            let bytes = unscaled.to_be_bytes();
            let text = decimal(&bytes, scale).unwrap();
            let back = decimal_bytes(&text, 80, scale).unwrap();
            prop_assert_eq!(super::unscaled(&back), Some(unscaled));
        }

        #[test]
        fn a_long_decimal_comes_back_from_its_text(bytes in proptest::collection::vec(any::<u8>(), 17..100)) {
            let text = decimal(&bytes, 7).unwrap();
            let back = decimal_bytes(&text, 300, 7).unwrap();
            prop_assert_eq!(&back[..], super::without_sign_bytes(&bytes));
        }

        #[test]
        fn a_time_comes_back_from_its_text(value in any::<i64>()) {
            for of in [
                Temporal::Date, Temporal::TimeMillis, Temporal::TimeMicros, Temporal::TimestampMillis,
                Temporal::TimestampMicros, Temporal::TimestampNanos, Temporal::LocalTimestampMillis,
                Temporal::LocalTimestampMicros, Temporal::LocalTimestampNanos,
            ] {
                for value in [value, value % 86_400_000] {
                    if let Ok(text) = temporal(of, value) {
                        prop_assert_eq!(temporal_number(of, &text), Some(value), "{:?} {}", of, text);
                    }
                }
            }
        }
    }

    #[test]
    fn dates_and_times_out_of_range_are_refused() {
        assert!(temporal(Temporal::TimeMillis, 86_400_000).is_err());
        assert!(temporal(Temporal::TimeMillis, -1).is_err());
        assert!(temporal(Temporal::Date, i64::from(i32::MAX)).is_err());
        assert!(temporal(Temporal::TimestampMillis, i64::MAX).is_err());
        assert_eq!(
            temporal(Temporal::TimestampNanos, 1).unwrap(),
            "1970-01-01T00:00:00.000000001Z"
        );
    }

    #[test]
    fn a_uuid_has_its_text() {
        let bytes = std::array::from_fn(|at| at as u8 * 17);

        assert_eq!(uuid(bytes), "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(
            uuid_bytes("00112233-4455-6677-8899-aabbccddeeff"),
            Some(bytes)
        );
        assert_eq!(uuid_bytes("0011"), None);
    }
}
