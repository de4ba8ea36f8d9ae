//! An invocation that has ended: the response, and how each record ended. Made by `consumer`, read by `lambda`, tests, and services that embed a consumer.

use std::time::Duration;

use crate::error::Error;
use crate::outcome::Outcome;
use crate::report::RecordReport;
use crate::response::BatchResponse;

/// An invocation that has ended: the result of [`Consumer::invoke`](crate::Consumer::invoke).
#[derive(Debug)]
#[non_exhaustive]
pub struct Invoked {
    pub(crate) response: Result<BatchResponse, Error>,
    pub(crate) records: Vec<RecordReport>,
    pub(crate) elapsed: Duration,
}

impl Invoked {
    /// The response to Lambda.
    ///
    /// # Errors
    ///
    /// The invocation is an error: with whole-batch reporting some records are not done, or the event could not be read.
    pub fn response(&self) -> Result<&BatchResponse, &Error> {
        self.response.as_ref()
    }

    /// Converts the invocation into the response to Lambda.
    ///
    /// # Errors
    ///
    /// As [`response`](Self::response).
    pub fn into_response(self) -> Result<BatchResponse, Error> {
        self.response
    }

    /// The report of each record, in the event's order. Empty if the event could not be read.
    pub fn records(&self) -> &[RecordReport] {
        &self.records
    }

    /// The outcome of each record, in the event's order.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.records.iter().map(|record| record.outcome).collect()
    }

    /// Duration of the invocation. On a paused clock, only waits count.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}
