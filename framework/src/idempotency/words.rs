//! Basic types: the idempotency that a function asks for, the outcome of an earlier delivery of a record, and the reason why a record does not run now.

use crate::idempotency::store::IdempotencyStore;
use crate::idempotency::store::box_store::BoxStore;
use crate::record::Record;

/// Where settled records are stored, so that they are not run twice.
///
/// Any [`IdempotencyStore`] converts into it: `.idempotency(DynamoDbStore::new("orders-idempotency")?)`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Idempotency {
    /// In this process's memory: a settled record is skipped if it is redelivered to the same process, for up to
    /// [`MEMORY_LEDGER_AGE_MS`](crate::limits::MEMORY_LEDGER_AGE_MS), or [ten minutes](crate::limits::LEDGER_AGE_BEYOND_MS) beyond a longer function
    /// timeout. Other processes run it again.
    ///
    /// A batch that is replayed by hand into a warm process is skipped too: the log shows it.
    #[default]
    Memory,
    /// In a store that all processes share, and that outlives them.
    Store(BoxStore),
    /// Nowhere: every record runs in every delivery.
    None,
}

impl<S: IdempotencyStore> From<S> for Idempotency {
    fn from(store: S) -> Self {
        Self::Store(BoxStore::new(store))
    }
}

/// The guarantee: how often a record's handler may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guarantee {
    /// A handler starts until the record is done: a handler that was started and may not have ended is started again.
    #[default]
    AtLeastOnce,
    /// A handler starts at most once per key, while its mark is kept: the record is marked before its handler starts. For effects that may be missing but must not happen twice.
    ///
    /// A record that is marked, not settled, and without an owner goes to the destination with the code `reject.at_most_once`; the message tells how its
    /// handler ended, if known. So does a record that was started before this guarantee was set, or by Powertools. A record whose handler failed is rejected
    /// at once. A record whose handler did not start (an extractor panicked, time was up) is not marked, and is redelivered.
    ///
    /// *Without a destination such a record is lost:* it is Skipped, so Lambda commits it; an error line names it, the line of the invocation counts it, and
    /// [`RecordReport::is_lost`](crate::report::RecordReport::is_lost) returns true. The function warns of this when it starts.
    ///
    /// Requires [`PerRecord`](crate::idempotency::PerRecord) keys, a store that outlives the process, one attempt, and [`WhenStoreFails::Fail`]: otherwise `build` fails. A tower layer that
    /// repeats its call starts the handler again, so do not use one. Marks are kept for at least
    /// [`AT_MOST_ONCE_MARK_MS`](crate::limits::AT_MOST_ONCE_MARK_MS), longer than Lambda's `MaximumRecordAgeInSeconds` can be.
    AtMostOnce,
}

/// The choice for records while the store fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStoreFails {
    /// They are Failed, and redelivered: no record runs without a lease or claim.
    #[default]
    Fail,
    /// They run without the store, after [two seconds](crate::limits::STORE_PATIENCE_MS): records that were done run again, two invocations may run a record
    /// concurrently, and a warning is logged. For effects that may happen twice and must not wait.
    Process,
}

/// Why a record does not run now: it is Failed, and comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    /// Names the store.
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) const UNAVAILABLE: &str = "idempotency.unavailable";
    pub(crate) const HELD: &str = "idempotency.held";
    pub(crate) const LOST: &str = "idempotency.lost";

    pub(super) fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }

    /// Whether a problem's code is that of a refusal.
    pub(crate) fn is_code(code: &str) -> bool {
        [Self::UNAVAILABLE, Self::HELD, Self::LOST].contains(&code)
    }

    pub(super) fn is_the_stores(&self) -> bool {
        self.code == Self::UNAVAILABLE
    }
}

/// How an earlier delivery of a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    Rejected,
}

impl Settled {
    /// Whether a record that ended so is skipped. A dead letter that is fed back runs though it was rejected; if it was done since, it does not.
    pub(crate) fn skips(self, record: &Record) -> bool {
        match self {
            Self::Done => true,
            Self::Rejected => !record.is_redriven(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Settled;
    use crate::testing::{Event, Sample};

    #[test]
    fn only_a_dead_letter_that_is_fed_back_runs_though_it_was_rejected() {
        let sample = || Sample::new("orders", 0).offset(5);
        let plain = Event::msk().record(sample()).build();
        let plain = plain.records().unwrap().remove(0);
        let redriven = Event::msk()
            .redrive("r-1:orders-0@5")
            .record(sample())
            .build();
        let redriven = redriven.records().unwrap().remove(0);

        assert!(Settled::Rejected.skips(&plain));
        assert!(!Settled::Rejected.skips(&redriven));
        assert!(Settled::Done.skips(&plain));
        assert!(Settled::Done.skips(&redriven));
    }
}
