//! What a batch handler says of the records that it was given. Made by handlers, read by `process`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use crate::failure::{Failure, Next, Reason};

/// The code of a failure for outcomes that are at fault.
pub(crate) const OUTCOMES_CODE: &str = "handler.outcomes";

/// The outcome of each record of a call: all are Done until something else is said of one. Made by [`Batch::outcomes`](crate::Batch::outcomes).
///
/// An index is that of the [`Batch`](crate::Batch). An index that is out of range or is said twice fails the whole call, with the code `handler.outcomes`: then nothing of what was said counts.
///
/// # Example
///
/// ```
/// use lambda_msk::{Batch, Failure, Json, Outcomes};
///
/// async fn store(orders: Batch<Json<u64>>) -> Result<Outcomes, Failure> {
///     let mut outcomes = orders.outcomes();
///     for (index, Json(order)) in orders.iter().enumerate() {
///         if *order == 0 {
///             outcomes.reject(index, Failure::reject("no such order").code("order.unknown"));
///         }
///     }
///     Ok(outcomes)
/// }
/// ```
#[derive(Debug)]
#[must_use = "return the outcomes: without them all records are Done"]
pub struct Outcomes {
    records: usize,
    said: BTreeMap<usize, Word>,
    fault: Option<Fault>,
}

/// What was said of one record.
#[derive(Debug)]
enum Word {
    Next(Next, Failure),
    Fail(Failure),
    NotReached,
}

/// What becomes of one record of which something was said.
#[derive(Debug)]
pub(crate) enum Said {
    Reject(Reason),
    Retry(Reason),
    /// Not tried again in this invocation, whatever is set: its lane goes no further.
    Fail(Reason),
    /// It stands behind one that fails.
    NotReached,
}

/// What is wrong with an index.
#[derive(Clone, Copy, Debug)]
enum Fault {
    OutOfRange(usize),
    Twice(usize),
}

impl Outcomes {
    /// That many records, all Done.
    pub(crate) fn done(records: usize) -> Self {
        Self {
            records,
            said: BTreeMap::new(),
            fault: None,
        }
    }

    /// Says that no retry can help the record: it goes to the destination. The failure's own next step has no effect.
    pub fn reject(&mut self, index: usize, why: impl Into<Failure>) {
        self.say(index, Next::Reject, why.into());
    }

    /// Says that the record is not done: it is tried again in this invocation, in a call with the later records of its lane that are not done either. Its lane waits for it. The
    /// failure's own next step has no effect; its wait has.
    pub fn retry(&mut self, index: usize, why: impl Into<Failure>) {
        self.say(index, Next::Retry, why.into());
    }

    /// Says that the record is Failed, however many attempts are left: another try in this invocation cannot help.
    pub(crate) fn fail(&mut self, index: usize, why: Failure) {
        self.word(index, Word::Fail(why));
    }

    /// Says that the record was not started, since it stands behind one that fails.
    pub(crate) fn not_reached(&mut self, index: usize) {
        self.word(index, Word::NotReached);
    }

    /// The records of which something was said, in a call of that many.
    ///
    /// # Errors
    ///
    /// They are at fault: a failure that names the index, as the engine's.
    pub(crate) fn said(&self, records: usize) -> Result<BTreeSet<usize>, Failure> {
        match self.fault_in(records) {
            Some(fault) => Err(Failure::retry(fault).code(OUTCOMES_CODE)),
            None => Ok(self.said.keys().copied().collect()),
        }
    }

    fn say(&mut self, index: usize, next: Next, why: Failure) {
        self.word(index, Word::Next(next, why));
    }

    fn word(&mut self, index: usize, word: Word) {
        let fault = match self.said.entry(index) {
            _ if index >= self.records => Fault::OutOfRange(index),
            Entry::Occupied(_) => Fault::Twice(index),
            Entry::Vacant(place) => {
                place.insert(word);
                return;
            }
        };
        self.fault.get_or_insert(fault);
    }

    /// The number of records.
    #[expect(clippy::len_without_is_empty, reason = "no chunk is empty")]
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether nothing else was said of the record at that index. False also if the index is out of range.
    pub fn is_done(&self, index: usize) -> bool {
        index < self.records && !self.said.contains_key(&index)
    }

    /// What was said, by index, for a call of that many records. *Err: it is at fault.*
    pub(crate) fn of(self, records: usize) -> Result<BTreeMap<usize, Said>, String> {
        match self.fault_in(records) {
            Some(fault) => Err(fault),
            None => {
                let said = self.said.into_iter();
                Ok(said.map(|(index, word)| (index, word.said())).collect())
            }
        }
    }

    /// What is wrong with it in a call of that many records. *None: nothing.*
    fn fault_in(&self, records: usize) -> Option<String> {
        let found = self.records;
        match self.fault {
            _ if found != records => Some(format!(
                "expected the outcomes of {records} records, found those of {found}: make them with `outcomes()` of the batch that the call was given"
            )),
            Some(Fault::OutOfRange(index)) => Some(format!(
                "expected an index below {records}, found {index}: `Outcomes` counts the records of this call, from 0"
            )),
            Some(Fault::Twice(index)) => Some(format!(
                "expected one outcome of each index, found two of {index}: decide on one before you say it"
            )),
            None => None,
        }
    }
}

impl Word {
    fn said(self) -> Said {
        match self {
            Self::Next(Next::Reject, why) => Said::Reject(why.reason()),
            Self::Next(Next::Retry, why) => Said::Retry(why.reason()),
            Self::Fail(why) => Said::Fail(why.reason()),
            Self::NotReached => Said::NotReached,
        }
    }
}

/// A type that a batch handler may return: `Result<Outcomes, E>`, or `Result<(), E>` or `()` if all records end alike.
#[diagnostic::on_unimplemented(
    message = "a batch handler cannot return `{Self}`",
    label = "not a result that a batch handler can return",
    note = "return `Result<Outcomes, Failure>`, or `Result<(), Failure>` if all records end alike; any error will do for `Failure` (`anyhow::Error`, `Box<dyn Error + Send + Sync>`, …)",
    note = "make the outcomes with `let mut outcomes = batch.outcomes();`, and say which records are not done"
)]
pub trait IntoOutcomes {
    /// Converts the returned value. *None: all records are Done.*
    ///
    /// # Errors
    ///
    /// The failure of the whole call.
    fn into_outcomes(self) -> Result<Option<Outcomes>, Failure>;
}

impl IntoOutcomes for () {
    fn into_outcomes(self) -> Result<Option<Outcomes>, Failure> {
        Ok(None)
    }
}

impl IntoOutcomes for Outcomes {
    fn into_outcomes(self) -> Result<Option<Outcomes>, Failure> {
        Ok(Some(self))
    }
}

impl IntoOutcomes for Infallible {
    fn into_outcomes(self) -> Result<Option<Outcomes>, Failure> {
        match self {}
    }
}

impl<E: Into<Failure>> IntoOutcomes for Result<(), E> {
    fn into_outcomes(self) -> Result<Option<Outcomes>, Failure> {
        self.map(|()| None).map_err(Into::into)
    }
}

impl<E: Into<Failure>> IntoOutcomes for Result<Outcomes, E> {
    fn into_outcomes(self) -> Result<Option<Outcomes>, Failure> {
        self.map(Some).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcomes, Said};
    use crate::failure::Failure;

    #[test]
    fn an_index_that_is_out_of_range_or_said_twice_is_named() {
        let mut beyond = Outcomes::done(3);
        beyond.retry(0, Failure::retry("busy"));
        beyond.reject(3, Failure::reject("unknown"));
        let mut twice = Outcomes::done(3);
        twice.reject(2, Failure::reject("unknown"));
        twice.retry(2, Failure::retry("busy"));

        let beyond = beyond.of(3).unwrap_err();
        let twice = twice.of(3).unwrap_err();

        assert!(
            beyond.starts_with("expected an index below 3, found 3"),
            "{beyond}"
        );
        assert!(
            twice.starts_with("expected one outcome of each index, found two of 2"),
            "{twice}"
        );
    }

    #[test]
    fn outcomes_of_another_call_are_refused() {
        let why = Outcomes::done(2).of(3).unwrap_err();

        assert!(
            why.starts_with("expected the outcomes of 3 records, found those of 2"),
            "{why}"
        );
    }

    #[test]
    fn the_method_says_what_happens_next_and_not_the_failure() {
        let mut outcomes = Outcomes::done(2);
        outcomes.reject(0, Failure::retry("unknown"));
        outcomes.retry(1, Failure::reject("busy"));

        assert!(!outcomes.is_done(0) && !outcomes.is_done(1) && !outcomes.is_done(2));
        let said = outcomes.of(2).unwrap();

        assert!(matches!(said[&0], Said::Reject(_)) && matches!(said[&1], Said::Retry(_)));
    }
}
