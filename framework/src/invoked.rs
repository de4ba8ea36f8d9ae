//! An invocation that has ended: the answer, and how each record ended. Made by `consumer`, read by `lambda`, tests, and whoever embeds a consumer.

use std::time::Duration;

use crate::error::Error;
use crate::outcome::Outcome;
use crate::report::RecordReport;
use crate::response::BatchResponse;

/// An invocation that has ended: what [`Consumer::invoke`](crate::Consumer::invoke) gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Invoked {
    pub(crate) response: Result<BatchResponse, Error>,
    pub(crate) records: Vec<RecordReport>,
    pub(crate) elapsed: Duration,
}

impl Invoked {
    /// The answer to Lambda.
    ///
    /// # Errors
    ///
    /// The invocation is an error: records are not done under whole-batch reporting, or the event could not be read.
    pub fn response(&self) -> Result<&BatchResponse, &Error> {
        self.response.as_ref()
    }

    /// The answer to Lambda, kept.
    ///
    /// # Errors
    ///
    /// As [`response`](Self::response).
    pub fn into_response(self) -> Result<BatchResponse, Error> {
        self.response
    }

    /// How each record ended, in the event's order. Empty where the event could not be read.
    pub fn records(&self) -> &[RecordReport] {
        &self.records
    }

    /// Only the outcomes, in the event's order.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.records.iter().map(|record| record.outcome).collect()
    }

    /// Time that it took; on a paused clock, the waits alone.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}
