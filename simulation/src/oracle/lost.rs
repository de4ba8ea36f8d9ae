//! *Nothing lost:* a handler returned Ok for it, or it is at the destination, or the mapping gave it up with attempts or age exceeded by a count of our own.

use crate::fact::{GivenUp, LogId, RecordId};
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

impl Judge<'_> {
    /// What a commit passes is never sent again.
    pub(super) fn committed(&mut self, log: LogId, position: i64) {
        let from = self.model.positions.get(&log).copied().unwrap_or(0);
        let lost: Vec<RecordId> = self
            .model
            .records
            .iter()
            .filter(|(_, record)| record.log == log && (from..position).contains(&record.offset))
            .filter(|(_, record)| !record.is_over())
            .map(|(record, _)| *record)
            .collect();
        for record in lost {
            let text = format!("{} is committed, and nobody has done it", self.name(record));
            self.broken(Invariant::NothingLost, text);
        }
    }

    pub(super) fn given_up(&mut self, record: RecordId, why: GivenUp) {
        let known = &self.model.records[&record];
        if why == GivenUp::Attempts && !self.is_delivered_often_enough(record) {
            let text = format!(
                "{} was given up, and the broker would have delivered it again",
                self.name(record)
            );
            self.broken(Invariant::NothingLost, text);
            return;
        }
        match why {
            GivenUp::Attempts => {
                let allowed = self.terms.retries.map(|retries| retries + 1);
                let used_up =
                    |record| allowed.is_some_and(|allowed| self.attempts(record) >= allowed);
                let before = |other: &&RecordId| {
                    let other = &self.model.records[other];
                    other.log == known.log && other.offset < known.offset
                };
                let mut before = known.beside.iter().filter(before);
                let taken_along = self.terms.tail_goes_too && before.any(|other| used_up(*other));
                if !used_up(record) && !taken_along {
                    let text = format!(
                        "{} was given up after {} attempts of {allowed:?}",
                        self.name(record),
                        self.attempts(record)
                    );
                    self.broken(Invariant::NothingLost, text);
                }
            }
            GivenUp::Age => {
                let too_old = |timestamp_ms: i64| {
                    let age = self.now_ms.cast_signed() - timestamp_ms;
                    let allowed = self.terms.age_ms.map(u64::cast_signed);
                    allowed.is_some_and(|allowed| age >= allowed)
                };
                let own = too_old(known.timestamp_ms);
                // A batch may be given up before it was ever sent: then its records are not known to have stood together.
                let any = || {
                    self.model
                        .records
                        .values()
                        .any(|other| too_old(other.timestamp_ms))
                };
                let excused = self.terms.age_of_batch && any();
                if !own && !excused {
                    let text = format!("{} was given up, and is not too old", self.name(record));
                    self.broken(Invariant::NothingLost, text);
                }
            }
        }
    }

    /// A share group never delivers again what it has as done.
    pub(super) fn accepted(&mut self, record: RecordId) {
        if !self.model.records[&record].is_over() {
            let text = format!("{} is accepted, and nobody has done it", self.name(record));
            self.broken(Invariant::NothingLost, text);
        }
    }

    /// Nor what it has archived: which needs no doing only if it was given up, or delivered as often as is allowed.
    pub(super) fn archived(&mut self, record: RecordId) {
        if !self.model.records[&record].is_over() && !self.is_delivered_often_enough(record) {
            let text = format!(
                "{} is archived after {} deliveries of the broker",
                self.name(record),
                self.model.records[&record].acquired
            );
            self.broken(Invariant::NothingLost, text);
        }
    }

    /// Nothing is left in the end that nobody has done.
    pub(super) fn none_left(&mut self) {
        let left = self
            .model
            .records
            .iter()
            .filter(|(_, record)| !record.is_over());
        let left: Vec<RecordId> = left.map(|(record, _)| *record).collect();
        for record in left {
            let text = format!("{} was never done", self.name(record));
            self.broken(Invariant::NothingLost, text);
        }
    }

    /// Outside Queue mode the broker does not count.
    fn is_delivered_often_enough(&self, record: RecordId) -> bool {
        let most = self.terms.deliveries_max;
        most.is_none_or(|most| self.model.records[&record].acquired >= most)
    }

    /// How often a record was tried. Under every reading of whose attempts are counted, it was in each attempt of its batch.
    fn attempts(&self, record: RecordId) -> u64 {
        let known = &self.model.records[&record];
        let throttles = match self.terms.throttles_count {
            true => known.throttles,
            false => 0,
        };
        known.deliveries + throttles
    }
}
