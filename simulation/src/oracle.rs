//! The judge of a run. It shares no code with what it judges: it reads plain facts, in the order of time, and keeps accounts of its own.
//!
//! It knows the promise of `lambda_msk::idempotency` and what Lambda documents of a mapping, nothing of how either is kept. One file an invariant.

// What was promised.
mod terms;
// What was broken.
mod violation;

// What is known of a settled record.
mod known;
// What was seen of each record, invocation and item.
mod model;
// What was seen of claims by key.
mod by_key;
// What checks remember.
mod accounts;
// The state of all of it, in the middle of a run.
mod judge;

// The checks.
mod answer;
mod counted;
mod halved;
mod held;
mod live;
mod lost;
mod once;
mod order;
mod prompt;
mod reached;
mod recorded;
mod schemas;
mod truth;

use self::accounts::{Chunks, Claimants, Claims, Opened, Owed, Races, Schemas};
use self::judge::Judge;
use self::known::Kind;
use self::model::Model;
pub use self::terms::{Ledger, Order, Pace, Reporting, Terms};
pub use self::violation::{Invariant, Violation};
use crate::fact::{Fact, How, RecordId, What};

/// Reads a run, in the order of time, and returns its violations.
pub fn judge(terms: &Terms, facts: &[Fact]) -> Vec<Violation> {
    let mut judge = Judge {
        terms,
        model: Model::default(),
        now_ms: 0,
        owed: Owed::default(),
        claims: Claims::default(),
        opened: Opened::default(),
        races: Races::default(),
        claimants: Claimants::default(),
        schemas: Schemas::default(),
        chunks: Chunks::default(),
        violations: Vec::new(),
    };
    for fact in facts {
        judge.now_ms = fact.at_ms;
        judge.halves(&fact.what);
        judge.take(&fact.what);
    }
    judge.violations
}

impl Judge<'_> {
    /// Each check reads the accounts before the fact is in them.
    fn take(&mut self, what: &What) {
        match what {
            What::Started { invocation, record } => {
                self.in_order(*invocation, *record);
                self.not_twice_in_one(*invocation, *record);
                if !self.may_be_without_store(*invocation) {
                    self.not_again(*invocation, *record);
                    self.by_the_owner(*invocation, *record);
                }
                self.at_most_once(*invocation, *record);
            }
            What::Called {
                invocation,
                call,
                records,
            } => self.has_one_chunk_out(*invocation, *call, records),
            What::Answered { invocation, answer } => {
                self.answers(*invocation, answer);
                self.hands_over(*invocation);
                self.owes_nothing(*invocation);
                self.all_reached(*invocation);
                self.ends_soon(*invocation);
            }
            What::Looked {
                invocation, record, ..
            } => {
                self.is_reached(*invocation, *record);
                self.has_waited_for_schema(*invocation, *record);
            }
            What::SchemaAsked { invocation, schema } => self.asks(*invocation, *schema),
            What::Unread {
                invocation,
                record,
                why,
            } => self.rightly_unread(*invocation, *record, *why),
            What::Measured {
                invocation,
                counted,
                retried,
            } => self.counts_all(*invocation, *counted, *retried),
            What::SaidUnread { invocation, record } => self.has_no_schema(*invocation, *record),
            What::SaidStarted { invocation, record } => self.was_started(*invocation, *record),
            What::Killed { environment } => self.owes_no_more(*environment),
            What::Overdue { invocation } => self.overdue(*invocation),
            What::Written {
                item,
                invocation,
                version,
                settled,
                ..
            } => {
                self.only_settled((*item, *invocation, *version), settled);
                self.holds_what_was_owed(*item, *invocation, settled);
                self.writes_again(*item, *invocation, false);
            }
            What::Shown { item, invocation } => self.writes_again(*item, *invocation, true),
            What::Read {
                item, invocation, ..
            } => self.is_opened(*item, *invocation),
            What::Taken { item, invocation } => {
                self.takes_from_nobody(*item, *invocation);
                self.is_opened(*item, *invocation);
            }
            What::Claimed {
                partition,
                offset,
                invocation,
                ..
            } => {
                self.claims_from_nobody(*invocation, *partition, *offset);
                self.is_claimant(*invocation, *partition, *offset);
            }
            What::Released {
                partition,
                offset,
                invocation,
                ..
            } => self.claims_no_more(*invocation, *partition, *offset),
            What::Noted {
                partition,
                offset,
                invocation,
                ..
            } => {
                self.only_settled_by_key(*invocation, *partition, *offset);
                self.notes_what_was_owed(*invocation, *partition, *offset);
                self.claims_no_more(*invocation, *partition, *offset);
            }
            What::Stands {
                stored,
                version,
                content,
            } => self.stands_for_one(*stored, *version, *content),
            What::Committed { log, position } => self.committed(*log, *position),
            What::GivenUp { record, why } => self.given_up(*record, *why),
            What::Accepted { record } => self.accepted(*record),
            What::Archived { record } => self.archived(*record),
            What::Over { lag } => self.all_done(*lag),
            _ => {}
        }
        self.enter(what);
    }

    fn enter(&mut self, what: &What) {
        let (model, now_ms) = (&mut self.model, self.now_ms);
        match what {
            What::Appended { .. } => model.appended(what),
            What::Erased { record } => model.record(*record).erased = true,
            What::Delivered {
                invocation,
                environment,
                records,
                redrive,
            } => model.delivered(*invocation, *environment, records, *redrive, now_ms),
            What::Throttled { records } => throttled(model, records),
            What::Looked {
                invocation, record, ..
            } => model.looked(*invocation, *record),
            What::Started { invocation, record } => model.started(*invocation, *record),
            What::Called {
                invocation,
                call,
                records,
            } => model.called(*invocation, *call, records),
            What::CallOver { invocation, call } => {
                model.invocation(*invocation).calls_open.remove(call);
            }
            What::Ended {
                invocation,
                record,
                how: How::Ok,
            } => {
                model.settled(*invocation, *record, Kind::Done, now_ms);
                self.is_owed(*invocation, *record);
            }
            What::Landed { record, .. } => model.record(*record).landed = true,
            What::Confirmed { invocation, record } => {
                model.settled(*invocation, *record, Kind::Rejected, now_ms);
                if self.terms.ledger != Ledger::PerRecord {
                    self.is_owed(*invocation, *record);
                }
            }
            What::Answered { invocation, .. } => model.invocation(*invocation).answered = true,
            What::Killed { environment } => model.killed(*environment),
            What::Taken { item, invocation } => model.taken(*item, *invocation, now_ms),
            What::Read {
                item,
                invocation,
                call,
            } => model.read(*item, *invocation, *call),
            What::Told { invocation, call } => model.heard(*invocation, *call),
            What::Shown { item, invocation } => model.seen(*item, *invocation),
            What::Writes {
                invocation,
                version,
            } => model.writes(*invocation, *version),
            What::Written {
                item,
                invocation,
                version,
                settled,
                given_back,
            } => model.written((*item, *invocation, *version), settled, *given_back, now_ms),
            What::Deleted { item } => model.deleted(*item),
            What::Claimed {
                partition,
                offset,
                invocation,
                stored,
            } => model.claimed(*invocation, *partition, *offset, *stored, now_ms),
            What::Noted {
                partition,
                offset,
                invocation,
                stored,
            } => model.noted(*invocation, *partition, *offset, *stored, now_ms),
            What::AtLeastOnce { environment } => {
                model.at_least_once.insert(*environment);
            }
            What::Released {
                partition,
                offset,
                invocation,
                ..
            } => model.released(*invocation, *partition, *offset),
            What::Unmarked { stored, .. } => model.unmarked(*stored, now_ms),
            What::Faulted { invocation } => model.invocation(*invocation).faulted = true,
            What::HeldUp { invocation } => model.invocation(*invocation).held_up = true,
            What::Committed { log, position } => {
                let known = model.positions.entry(*log).or_default();
                *known = (*known).max(*position);
            }
            What::GivenUp { record, .. } | What::Archived { record } => {
                model.record(*record).given_up = true;
            }
            What::Acquired { record } => model.record(*record).acquired += 1,
            What::SetBack { log } => model.set_back(*log),
            _ => self.learns(what),
        }
    }
}

fn throttled(model: &mut Model, records: &[RecordId]) {
    for record in records {
        let throttled = model.record(*record);
        throttled.throttles += 1;
        throttled.beside = records.to_vec();
    }
}
