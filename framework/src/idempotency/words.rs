//! The words: what a function asks for, how an earlier delivery of a record ended, and why a record does not run now.

use crate::idempotency::store::IdempotencyStore;
use crate::idempotency::store::box_store::BoxStore;
use crate::record::Record;

/// What keeps a record's effect from happening twice: where it is kept what was settled.
///
/// Any [`IdempotencyStore`] becomes one: `.idempotency(DynamoDbStore::new("orders-idempotency")?)`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Idempotency {
    /// In this process's memory: what was settled is skipped when the same process gets it again, for up to
    /// [`MEMORY_LEDGER_AGE_MS`](crate::limits::MEMORY_LEDGER_AGE_MS), or [ten minutes](crate::limits::LEDGER_AGE_BEYOND_MS) beyond a longer time-out of the
    /// function. Another process knows nothing of it.
    ///
    /// A batch that is replayed by hand into a warm process is skipped as well: the log says so.
    #[default]
    Memory,
    /// In a store of all processes, which outlives them.
    Store(BoxStore),
    /// Nowhere: every record runs in every delivery.
    None,
}

impl<S: IdempotencyStore> From<S> for Idempotency {
    fn from(store: S) -> Self {
        Self::Store(BoxStore::new(store))
    }
}

/// How often a record's handler may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guarantee {
    /// Until the record is done: what was started and may not have ended is started again.
    #[default]
    AtLeastOnce,
    /// Once a key at most, while its mark is kept: the record is marked before its handler starts. For effects that are better missing than done twice.
    ///
    /// A record that is found marked, unsettled and without its owner goes to the destination with the code `reject.at_most_once`; the message says how its
    /// handler left it, if that is known. So does one that was begun before this guarantee was asked for, or by Powertools. One whose handler failed is rejected
    /// at once. A record whose handler did not start (an extractor panicked, time was up) is not marked, and comes again.
    ///
    /// *Without a destination such a record is lost:* it is Skipped, so Lambda commits it; an error line names it, the line of the invocation counts it, and
    /// [`RecordReport::is_lost`](crate::report::RecordReport::is_lost) tells it. The function warns of that when it starts.
    ///
    /// Needs [`PerRecord`](crate::idempotency::PerRecord) keys, a store that outlives the process, one attempt, and [`WhenStoreFails::Fail`]: anything else is a build error. A tower layer that
    /// repeats its call starts the handler again: use none. Marks are kept for
    /// [`AT_MOST_ONCE_MARK_MS`](crate::limits::AT_MOST_ONCE_MARK_MS) at the least, longer than Lambda's `MaximumRecordAgeInSeconds` can be.
    AtMostOnce,
}

/// What becomes of records while the store fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStoreFails {
    /// They are Failed, and come again: nothing runs unclaimed.
    #[default]
    Fail,
    /// They run without it, after [two seconds](crate::limits::STORE_PATIENCE_MS): what was done already is done again, two invocations may run a record
    /// side by side, and the log says so. For effects that may happen twice and must not wait.
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
            Self::Rejected => record.redrive().is_none(),
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
