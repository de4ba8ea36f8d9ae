//! `--starting-position` with its time. Read by `settings`.

use clap::ValueEnum;
use jiff::Timestamp;
use msk_mapping::machine::StartingPosition;

use crate::fault::Fault;

/// The starting position of a group without offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    /// The oldest record.
    #[value(name = "TRIM_HORIZON")]
    TrimHorizon,
    /// Records produced from now on.
    #[value(name = "LATEST")]
    Latest,
    /// The first record at or after --starting-position-timestamp.
    #[value(name = "AT_TIMESTAMP")]
    AtTimestamp,
}

/// The position that the two flags name together.
pub(super) fn position(
    start: Option<Start>,
    time: Option<&str>,
    now: Timestamp,
) -> Result<StartingPosition, Fault> {
    match (start, time) {
        (Some(Start::AtTimestamp), Some(time)) => {
            Ok(StartingPosition::AtTimestamp(millis(time, now)?))
        }
        (Some(Start::AtTimestamp), None) => {
            Err(Fault::new("expected a time for AT_TIMESTAMP, found none")
                .help("give it with --starting-position-timestamp 2026-01-31T12:00:00Z"))
        }
        (_, Some(_)) => Err(Fault::new("--starting-position-timestamp has no effect")
            .help("it goes with --starting-position AT_TIMESTAMP")),
        (Some(Start::Latest), None) => Ok(StartingPosition::Latest),
        (Some(Start::TrimHorizon) | None, None) => Ok(StartingPosition::TrimHorizon),
    }
}

/// Milliseconds since 1970, from either form that AWS takes. It refuses what is yet to come, from which a mapping would
/// read nothing.
fn millis(text: &str, now: Timestamp) -> Result<i64, Fault> {
    let seconds = text.parse::<i64>();
    let millis = match &seconds {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => {
            let time: Timestamp = text.parse().map_err(|error: jiff::Error| {
                Fault::new(format!(
                    "expected a time in --starting-position-timestamp, found {text}"
                ))
                .at(error.to_string())
                .help("write it as 2026-01-31T12:00:00Z, or in seconds since 1970")
            })?;
            time.as_millisecond()
        }
    };
    if millis <= now.as_millisecond() {
        return Ok(millis);
    }
    let fault = Fault::new(format!(
        "expected a time in the past in --starting-position-timestamp, found {text}"
    ));
    Err(match seconds {
        Ok(number) if number <= now.as_millisecond() => {
            fault.help(format!("seconds, not milliseconds? {}", number / 1_000))
        }
        _ => fault.help("Lambda refuses it: give the time of an existing record, or LATEST"),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use msk_mapping::machine::StartingPosition;

    use super::Start;

    fn start(position: Option<Start>, time: Option<&str>) -> Result<StartingPosition, String> {
        let now: Timestamp = "2026-01-31T12:00:01Z".parse().unwrap();
        super::position(position, time, now).map_err(|fault| fault.text())
    }

    #[test]
    fn a_time_is_read_in_both_forms_of_aws() {
        let at = Ok(StartingPosition::AtTimestamp(1_769_860_800_000));

        assert_eq!(
            start(Some(Start::AtTimestamp), Some("2026-01-31T12:00:00Z")),
            at
        );
        assert_eq!(start(Some(Start::AtTimestamp), Some("1769860800")), at);
    }

    #[test]
    fn a_time_goes_with_at_timestamp_and_with_nothing_else() {
        assert!(start(Some(Start::AtTimestamp), None).is_err());
        assert!(start(Some(Start::Latest), Some("1769860800")).is_err());
        assert!(start(Some(Start::AtTimestamp), Some("noon")).is_err());
        assert_eq!(start(None, None), Ok(StartingPosition::TrimHorizon));
    }

    #[test]
    fn a_time_yet_to_come_is_refused_and_milliseconds_are_known_as_such() {
        let said = |time| start(Some(Start::AtTimestamp), Some(time)).unwrap_err();

        let milliseconds = said("1769860800000");
        let future = said("2026-01-31T12:00:02Z");

        assert!(
            milliseconds.contains("seconds, not milliseconds? 1769860800\n"),
            "{milliseconds}"
        );
        assert!(future.contains("expected a time in the past"), "{future}");
        assert!(!future.contains("milliseconds"), "{future}");
    }
}
