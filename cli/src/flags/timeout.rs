//! A function's time-out: how it is written, and what Lambda says of it. Used by `dev` and `invoke`, for flags and templates.

use std::time::Duration;

use msk_mapping::limits::TIMEOUT_MAX_MS;

/// The longest time-out that Lambda's guide allows a function fed from Kafka: 14 minutes. Its API takes more.
const KAFKA: Duration = Duration::from_secs(14 * 60);

/// `500ms`, `30s`, `2m`; a bare number is seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => return Err("expected a number and ms, s or m".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a number and ms, s or m".to_owned())?;
    match number.checked_mul(unit_ms) {
        Some(ms) if (1..=TIMEOUT_MAX_MS).contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err("expected 1ms to 90m, the longest time-out of Lambda".to_owned()),
    }
}

/// The remark on a time-out that is longer than Lambda documents for Kafka, wherever it comes from.
pub(crate) fn remark(timeout: Duration) -> Option<String> {
    (timeout > KAFKA).then(|| {
        format!(
            "the time-out is {} s: Lambda's guide allows a function fed from Kafka 14 minutes ({} s)",
            timeout.as_secs(),
            KAFKA.as_secs()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse, remark};

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse("7"), Ok(Duration::from_secs(7)));
        assert_eq!(parse("90m"), Ok(Duration::from_secs(5_400)));
        for wrong in [
            "",
            "s",
            "1h",
            "-1s",
            "0s",
            "91m",
            "1.5s",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_out_longer_than_lambda_documents_for_kafka_is_remarked_on() {
        assert_eq!(
            remark(Duration::from_secs(900)).as_deref(),
            Some(
                "the time-out is 900 s: Lambda's guide allows a function fed from Kafka 14 minutes (840 s)"
            )
        );
        assert_eq!(remark(Duration::from_secs(840)), None);
    }
}
