//! The configuration as the machine uses it: defaults filled in, numbers checked.

use std::time::Duration;

use super::configuration::{Configuration, ConsumptionMode, Filter, StartingPosition};
use super::output::Position;
use super::readings::Readings;
use crate::event::{Envelope, Size};
use crate::limits::{
    BATCH_SIZE_DEFAULT, BATCHING_WINDOW_DEFAULT_MS, RETRY_ATTEMPTS_WITH_DESTINATION,
};
use crate::record::Record;
use crate::response::FailureReporting;
use crate::time::Time;

pub(super) struct Rules {
    pub(super) envelope: Envelope,
    /// An event without records.
    pub(super) empty: Size,
    pub(super) start: Position,
    pub(super) queue: bool,
    pub(super) batch_size: usize,
    pub(super) window: Duration,
    /// None: infinite.
    pub(super) retries: Option<u32>,
    /// None: infinite.
    pub(super) age: Option<Duration>,
    pub(super) bisect: bool,
    pub(super) reporting: FailureReporting,
    pub(super) destination: bool,
    pub(super) filter: Option<Filter>,
    pub(super) delivery_count_max: u16,
    pub(super) backoff_first: Duration,
    pub(super) backoff_most: Duration,
    pub(super) readings: Readings,
}

impl Rules {
    /// The rules of a configuration that has been checked.
    pub(super) fn of(settings: &Configuration) -> Self {
        let queue = settings.consumption_mode == ConsumptionMode::Queue;
        let number = |value: i64| u32::try_from(value).ok();
        let retries = match settings.maximum_retry_attempts {
            Some(attempts) => number(attempts),
            None if queue => Some(0),
            None => None,
        };
        let window = settings
            .maximum_batching_window_in_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(
                Duration::from_millis(BATCHING_WINDOW_DEFAULT_MS),
                Duration::from_secs,
            );
        Self {
            envelope: settings.envelope(),
            empty: settings.envelope().size(),
            start: match settings.starting_position {
                StartingPosition::TrimHorizon => Position::Beginning,
                StartingPosition::Latest => Position::End,
                StartingPosition::AtTimestamp(millis) => Position::Timestamp(millis),
            },
            queue,
            batch_size: settings
                .batch_size
                .and_then(|size| usize::try_from(size).ok())
                .unwrap_or(BATCH_SIZE_DEFAULT),
            window: if queue { Duration::ZERO } else { window },
            retries: match retries {
                None if settings.on_failure.is_some() => Some(RETRY_ATTEMPTS_WITH_DESTINATION),
                retries => retries,
            },
            age: settings
                .maximum_record_age_in_seconds
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs),
            bisect: settings.bisect_batch_on_function_error,
            reporting: settings.function_response_types,
            destination: settings.on_failure.is_some(),
            filter: settings.filter_criteria.clone(),
            delivery_count_max: settings.delivery_count_max,
            backoff_first: settings.backoff.first,
            backoff_most: settings.backoff.most.max(settings.backoff.first),
            readings: settings.readings,
        }
    }

    /// Whether a record goes to the function: by its value, or by what stands for that.
    pub(super) fn passes(&self, record: &Record, value: Option<&[u8]>) -> bool {
        let value = value.or(record.value.as_deref());
        self.filter.as_ref().is_none_or(|filter| filter(value))
    }

    /// Whether a record is older than the mapping sends. One without a timestamp has no age.
    pub(super) fn too_old(&self, record: &Record, now: Time) -> bool {
        let Some(most) = self.age else { return false };
        u64::try_from(record.timestamp)
            .is_ok_and(|timestamp| now.since(Time::from_millis(timestamp)) > most)
    }

    /// The pause after so many failures in a row, of which there is at least one.
    pub(super) fn backoff(&self, failures: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(failures.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.backoff_first
            .saturating_mul(factor)
            .min(self.backoff_most)
    }
}
