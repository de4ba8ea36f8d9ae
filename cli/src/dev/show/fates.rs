//! What became of the records of a run that were not simply done: from the mapping's notices and the function's log. Kept
//! by `show`, and what the run's verdict is made of.

mod attempt;
mod fate;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use msk_mapping::driver::{Flight, Notice, Status};
use msk_mapping::machine::Offsets;
use msk_mapping::response::Verdict as Answered;
use msk_mapping::{Ending, Phase, Report};

use self::attempt::{Attempt, How, count, open, places, reason};
pub(crate) use self::fate::{Fate, Row};
use super::answer;
use crate::function::dead_letters::Letter;
use crate::function::said::{End, Place, Reason, Rejected, Said};
use crate::verdict::Verdict;

/// So many records are kept with their reasons; the others are counted.
const RECORDS_MAX: usize = 10_000;
/// So many of the last invocations are kept, to tell what they had done of a batch that is given up.
const ATTEMPTS_KEPT: usize = 256;
/// So many starts of a function fail, and none works, before it is said not to start.
const STARTS_MAX: u32 = 3;
/// The error of a function of lambda-msk that has not done all of a batch.
const INCOMPLETE: &str = "batch.incomplete";
/// How that error names a record that no handler takes, and no destination either.
const WAITS_FOR_HANDLER: [&str; 2] = [
    "(handler.missing)",
    "(reject.no_handler, and no destination is set)",
];
/// The code of a record that was to be rejected, in a function without a destination.
const NO_DESTINATION: &str = "destination.missing";

/// What is known of the records of each mapping, by its topic.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    topics: BTreeMap<String, Topic>,
    /// How many records each invocation rejected, until it is known which topic's it is.
    rejected_by: BTreeMap<String, u64>,
}

/// What a line or a notice told that was not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Record(Row),
    /// No handler takes the records of this topic.
    Unhandled(String),
}

#[derive(Debug, Default)]
pub(crate) struct Topic {
    rejected: Rejected,
    /// Tried and not settled yet.
    failed: BTreeMap<Place, Reason>,
    /// Given up, dropped or lost.
    ended: BTreeMap<Place, (Fate, Reason)>,
    attempts: VecDeque<Attempt>,
    /// Of the records that were given up, how many the function had done.
    pub(crate) done_of_given_up: u64,
    /// The function says that it has skipped them for good.
    lost_by_function: u64,
    /// How many records the invocation rejected that ended last.
    pub(crate) rejected_last: u64,
    unhandled: bool,
    /// What no handler takes is failed, and comes again for nothing.
    waits_for_handler: bool,
    started: bool,
    starts_failed: u32,
    /// How the last start failed.
    start: Option<String>,
}

impl Fates {
    /// A line of the function's log.
    pub(crate) fn said(&mut self, said: Said) -> Option<News> {
        match said {
            Said::Batch { request, rejected } => {
                if rejected > 0 {
                    self.rejected_by.insert(request, rejected);
                }
                None
            }
            Said::Unhandled { topic } => {
                let known = std::mem::replace(&mut self.topic(&topic).unhandled, true);
                (!known).then_some(News::Unhandled(topic))
            }
            Said::Record {
                request,
                place,
                end,
                reason,
                destination,
            } => {
                let topic = self.topic(&place.topic);
                topic.unhandled |= reason.is_unhandled();
                // A destination that is set may take the record the next time.
                let may_be_rejected = !destination.is_empty() && destination != NO_DESTINATION;
                topic.waits_for_handler |=
                    reason.is_unhandled() && end == End::Failed && !may_be_rejected;
                let (fate, new) = match end {
                    End::Rejected => {
                        topic.rejected.line(&request);
                        topic.failed.remove(&place);
                        let new = topic.rejected.add(place.clone(), reason.clone());
                        (Fate::Rejected, new)
                    }
                    End::Failed => (Fate::Failed, topic.fails(&place, &reason)),
                    End::Lost => {
                        topic.lost_by_function += 1;
                        topic.ends(&place, Fate::Lost, &reason);
                        (Fate::Lost, true)
                    }
                };
                let row = Row {
                    place,
                    fate,
                    reason,
                };
                new.then_some(News::Record(row))
            }
        }
    }

    /// The letters that lie in the function's file: also of records of which the log says nothing.
    pub(crate) fn letters(&mut self, letters: impl IntoIterator<Item = Letter>) {
        for Letter { place, reason } in letters {
            // Others may write to the file too.
            if let Some(topic) = self.topics.get_mut(&place.topic) {
                topic.unhandled |= reason.is_unhandled();
                topic.failed.remove(&place);
                topic.rejected.add_letter(place, reason);
            }
        }
    }

    /// What happened to the mapping of a topic.
    pub(crate) fn notice(&mut self, topic: &str, notice: &Notice) {
        match notice {
            Notice::Ended { flight, report } => {
                let request = report.request_id.as_deref().unwrap_or_default();
                let rejected = self.rejected_by.remove(request).unwrap_or_default();
                let topic = self.topic(topic);
                topic.rejected_last = topic.rejected.ended(request, rejected);
                topic.ended(flight, report);
            }
            Notice::Answered { flight, verdict } => self.topic(topic).answered(flight, verdict),
            Notice::Committed {
                partition,
                position,
            } => self.topic(topic).failed.retain(|place, _| {
                place.partition != partition.partition() || place.offset >= *position
            }),
            Notice::Invalid {
                partition,
                offset,
                condition,
                reason,
            } => {
                let place = Place {
                    topic: topic.to_owned(),
                    partition: partition.partition(),
                    offset: *offset,
                };
                let reason = Reason {
                    code: condition.as_str().to_owned(),
                    why: reason.clone(),
                };
                self.topic(topic).fails(&place, &reason);
            }
            Notice::Delivered { records, .. } => self.topic(topic).gives_up(records, Fate::GivenUp),
            Notice::Dropped(dropped) => self.topic(topic).gives_up(&dropped.records, Fate::Dropped),
            _ => {}
        }
    }

    pub(crate) fn topic(&mut self, topic: &str) -> &mut Topic {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), Topic::default());
        }
        self.topics.entry(topic.to_owned()).or_default()
    }

    pub(crate) fn of(&self, topic: &str) -> Option<&Topic> {
        self.topics.get(topic)
    }

    /// All records that were not done, in their order.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.topics.values().flat_map(Topic::rows).collect();
        rows.sort_by(|one, other| one.place.cmp(&other.place));
        rows
    }

    /// What the run came to, of how its mappings stood at the end.
    pub(crate) fn verdict(&self, ends: &[Status]) -> Verdict {
        let of_mapping = |status: &Status| {
            let metrics = &status.metrics;
            if metrics.dropped + status.overlooked > 0 {
                Verdict::SomeLost
            } else if metrics.delivered > 0 {
                Verdict::SomeGivenUp
            } else {
                Verdict::AllDone
            }
        };
        let of_function = |topic: &Topic| {
            if topic.lost_by_function > 0 {
                Verdict::SomeLost
            } else if topic.unhandled {
                Verdict::NotDone
            } else if topic.rejected.count() > 0 {
                Verdict::SomeRejected
            } else {
                Verdict::AllDone
            }
        };
        let mappings = ends.iter().map(of_mapping);
        mappings
            .chain(self.topics.values().map(of_function))
            .max()
            .unwrap_or(Verdict::AllDone)
    }

    /// The topics whose records no handler takes.
    pub(crate) fn unhandled(&self) -> impl Iterator<Item = &str> {
        let unhandled = |(_, topic): &(&String, &Topic)| topic.unhandled;
        self.topics
            .iter()
            .filter(unhandled)
            .map(|(name, _)| name.as_str())
    }

    /// How the last start failed, if none of any mapping worked.
    pub(crate) fn never_started(&self) -> Option<&str> {
        if self.topics.values().any(|topic| topic.started) {
            return None;
        }
        self.topics
            .values()
            .find_map(|topic| topic.start.as_deref())
    }
}

impl Topic {
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.count()
    }

    /// Whether to go on is of no use: the function does not start, or has no handler for the topic and says so of each try.
    pub(crate) fn is_hopeless(&self) -> bool {
        let dies = !self.started && self.starts_failed >= STARTS_MAX;
        dies || self.waits_for_handler
    }

    /// Of these records, how many the function had done when they were given up. None: nobody knows.
    pub(crate) fn done_of(&self, records: &[Offsets]) -> Option<u64> {
        let places: Vec<Place> = places(records).collect();
        let attempt = self.last_attempt(places.first()?)?;
        match &attempt.how {
            How::Listed(listed) => {
                let done = places.iter().filter(|place| !listed.contains(place));
                Some(done.count() as u64)
            }
            How::Open(open) if count(&attempt.flight.partitions) == count(records) => {
                Some(count(records).saturating_sub(*open))
            }
            How::Open(_) | How::All(_) => None,
        }
    }

    /// Why a record does not fit its schemas, once it is given up.
    pub(crate) fn misfit(&self, records: &[Offsets]) -> Option<&str> {
        let place = places(records).next()?;
        let (_, reason) = self.ended.get(&place)?;
        Some(&reason.why)
    }

    fn last_attempt(&self, place: &Place) -> Option<&Attempt> {
        let has = |part: &Offsets| {
            part.partition.partition() == place.partition && part.offsets.contains(&place.offset)
        };
        let mut attempts = self.attempts.iter().rev();
        attempts.find(|attempt| attempt.flight.partitions.iter().any(has))
    }

    fn fails(&mut self, place: &Place, reason: &Reason) -> bool {
        if self.failed.len() >= RECORDS_MAX && !self.failed.contains_key(place) {
            return false;
        }
        let before = self.failed.insert(place.clone(), reason.clone());
        before.as_ref() != Some(reason)
    }

    fn ends(&mut self, place: &Place, fate: Fate, reason: &Reason) {
        self.failed.remove(place);
        if self.ended.len() < RECORDS_MAX {
            self.ended.insert(place.clone(), (fate, reason.clone()));
        }
    }

    fn ended(&mut self, flight: &Arc<Flight>, report: &Report) {
        let died = match &report.ending {
            Ending::InitError(error) => Some(error.to_string()),
            Ending::Crashed(crash) if crash.during == Phase::Init => Some(crash.to_string()),
            Ending::TimedOut {
                during: Phase::Init,
                after,
            } => Some(format!(
                "it did not ask for an event within {} ms",
                after.as_millis()
            )),
            _ => None,
        };
        match died {
            Some(how) => {
                self.starts_failed += 1;
                self.start = Some(how);
            }
            None => self.started = true,
        }
        let how = match &report.ending {
            Ending::Response(_) => {
                let listed = answer::listed(&report.ending);
                How::Listed(places(&listed).collect())
            }
            Ending::FunctionError(error) if error.error_type == INCOMPLETE => {
                self.waits_for_handler |= WAITS_FOR_HANDLER
                    .iter()
                    .any(|said| error.message.contains(*said));
                self.unhandled |= self.waits_for_handler;
                match open(&error.message) {
                    Some(open) => How::Open(open),
                    None => How::All(reason(error)),
                }
            }
            Ending::FunctionError(error) | Ending::InitError(error) => How::All(reason(error)),
            ending => How::All(Reason {
                code: ending.error_type().unwrap_or_default().to_owned(),
                why: match ending {
                    Ending::Crashed(crash) => crash.to_string(),
                    Ending::TimedOut { during, after } => {
                        format!("{during}, after {} ms", after.as_millis())
                    }
                    _ => String::new(),
                },
            }),
        };
        if self.attempts.len() == ATTEMPTS_KEPT {
            self.attempts.pop_front();
        }
        self.attempts.push_back(Attempt {
            flight: Arc::clone(flight),
            how,
        });
    }

    /// What had failed before and is done now; and what nobody hears of, or can read.
    fn answered(&mut self, flight: &Flight, verdict: &Answered) {
        if *verdict == Answered::AllDone {
            // Nothing of it is given up.
            self.attempts.pop_back();
            if self.failed.is_empty() {
                return;
            }
            for place in places(&flight.partitions) {
                self.failed.remove(&place);
            }
            return;
        }
        let Some(attempt) = self.attempts.back_mut() else {
            return;
        };
        if matches!(verdict, Answered::FailuresMisplaced { .. }) {
            // Committed whole; which records the list named is nobody's to say.
            for place in places(&flight.partitions) {
                if let Some(reason) = self.failed.get(&place).cloned() {
                    self.ends(&place, Fate::Lost, &reason);
                }
            }
            return;
        }
        let listed = match (verdict, &attempt.how) {
            (Answered::SomeAgain | Answered::FailuresIgnored { .. }, How::Listed(listed)) => {
                listed.clone()
            }
            (Answered::WholeBatchAgain(fault), How::Listed(_)) => {
                attempt.how = How::All(Reason {
                    code: String::new(),
                    why: fault.to_string(),
                });
                return;
            }
            _ => return,
        };
        for place in places(&flight.partitions) {
            if !listed.contains(&place) {
                self.failed.remove(&place);
            } else if matches!(verdict, Answered::FailuresIgnored { .. }) {
                let own = self.failed.get(&place).cloned();
                let reason = own.unwrap_or_else(|| Reason {
                    code: String::new(),
                    why: "the response lists it, and the mapping does not read the list".to_owned(),
                });
                self.ends(&place, Fate::Lost, &reason);
            }
        }
    }

    fn gives_up(&mut self, records: &[Offsets], fate: Fate) {
        let done = self.done_of(records);
        self.done_of_given_up += done.unwrap_or_default();
        for place in places(records) {
            let own = self.failed.get(&place).cloned();
            let how = self.last_attempt(&place).map(|attempt| &attempt.how);
            let reason = match (own, how) {
                (Some(own), _) => own,
                // The function had done it.
                (None, Some(How::Listed(listed))) if !listed.contains(&place) => continue,
                (None, Some(How::All(reason))) => reason.clone(),
                (None, Some(How::Open(_))) if done.is_some_and(|done| done > 0) => continue,
                (None, _) => Reason {
                    code: String::new(),
                    why: "the function's log does not say".to_owned(),
                },
            };
            self.ends(&place, fate, &reason);
        }
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        let row = |place: &Place, fate, reason: &Reason| Row {
            place: place.clone(),
            fate,
            reason: reason.clone(),
        };
        let rejected = self.rejected.iter();
        let rejected = rejected.map(move |(place, reason)| row(place, Fate::Rejected, reason));
        let ended = self.ended.iter();
        let ended = ended.map(move |(place, (fate, reason))| row(place, *fate, reason));
        let failed = self.failed.iter();
        let failed = failed.map(move |(place, reason)| row(place, Fate::Failed, reason));
        rejected.chain(ended).chain(failed)
    }
}

#[cfg(test)]
mod tests;
