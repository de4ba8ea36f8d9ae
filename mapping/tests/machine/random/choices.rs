//! Any configuration that Lambda would take, under any reading.

use std::sync::Arc;
use std::time::Duration;

use msk_mapping::event::Source;
use msk_mapping::machine::{
    Again, Age, Attempts, Bisecting, Configuration, ConsumptionMode, Exhausted, Halves, NextBatch,
    Nulls, OnFailure, PartialAnswer, Progress, Rebalance, StartingPosition, Throttles, Window,
};
use msk_mapping::response::FailureReporting;

use crate::desk;

/// A record whose value is this does not pass the filter.
pub(crate) const FILTERED: &[u8] = b"filtered";

/// Bytes that choose.
pub(crate) struct Choices(std::vec::IntoIter<u8>);

impl Choices {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into_iter())
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        let byte = usize::from(self.0.next().unwrap_or(0));
        choices[byte % choices.len()].clone()
    }

    pub(crate) fn stream_settings(mut self) -> Configuration {
        let mut settings = desk::settings();
        settings.batch_size = Some(self.of(&[1, 2, 3, 5]));
        settings.maximum_batching_window_in_seconds = self.of(&[None, Some(0), Some(1)]);
        self.errors(&mut settings);
        let readings = &mut settings.readings;
        readings.again = self.of(&[Again::OnlyListed, Again::FromLowest]);
        readings.rebalance = self.of(&[Rebalance::StartsAnew, Rebalance::Keeps]);
        readings.next_batch = self.of(&[NextBatch::Waits, NextBatch::Waits, NextBatch::GoesOn]);
        readings.window = self.of(&[Window::FromArrival, Window::FromFree]);
        settings
    }

    pub(crate) fn queue_settings(mut self) -> Configuration {
        let source = Source::SelfManaged {
            bootstrap_servers: None,
        };
        let mut settings = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
        settings.provisioned_poller_config = desk::settings().provisioned_poller_config;
        settings.function_response_types = FailureReporting::Partial;
        settings.consumption_mode = ConsumptionMode::Queue;
        settings.batch_size = Some(self.of(&[1, 2, 3, 5]));
        self.errors(&mut settings);
        settings
    }

    fn errors(&mut self, settings: &mut Configuration) {
        settings.maximum_retry_attempts = self.of(&[None, Some(-1), Some(0), Some(1), Some(3)]);
        settings.maximum_record_age_in_seconds = self.of(&[None, None, Some(60)]);
        settings.bisect_batch_on_function_error = self.of(&[false, true]);
        settings.on_failure = self.of(&[None, Some(OnFailure::Sns("arn".to_owned()))]);
        settings.backoff.first = self.of(&[Duration::ZERO, Duration::from_millis(100)]);
        settings.filter_criteria = Some(Arc::new(|value: Option<&[u8]>| value != Some(FILTERED)));
        let readings = &mut settings.readings;
        readings.throttles = self.of(&[Throttles::Free, Throttles::Count]);
        readings.attempts = self.of(&[Attempts::PerBatch, Attempts::PerRecord]);
        readings.progress = self.of(&[Progress::Keeps, Progress::StartsAnew]);
        readings.bisecting = self.of(&[Bisecting::Free, Bisecting::Counts, Bisecting::StartsAnew]);
        readings.partial_answer = self.of(&[
            PartialAnswer::SplitsAtReturned,
            PartialAnswer::Halves,
            PartialAnswer::Unsplit,
        ]);
        readings.halves = self.of(&[Halves::InSequence, Halves::SideBySide]);
        readings.exhausted = self.of(&[Exhausted::Listed, Exhausted::FromLowest]);
        readings.age = self.of(&[Age::PerRecord, Age::PerBatch]);
        readings.nulls = self.of(&[Nulls::Absent, Nulls::Null]);
    }
}
