//! *Schemas:* a registry's outage rejects nothing and is not remembered; only an id of which the registry has said that there is none is rejected; no record has its turn while its schema is
//! being asked for; and a process asks once for what it gets.

use std::collections::BTreeSet;

use crate::fact::{EnvironmentId, InvocationId, RecordId, SchemaAnswer, Unread, What};
use crate::oracle::accounts::KnownSchema;
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

/// So long "not found" is believed.
const NOT_FOUND_MS: u64 = 30_000;

/// So long a lane may wait for its schemas.
const FETCH_MS: u64 = 2_000;

/// And so large a part of an invocation's time at the least: what is left of it is less.
const FETCH_PART: u64 = 10;

impl Judge<'_> {
    fn environment(&self, invocation: InvocationId) -> EnvironmentId {
        self.model.invocations[&invocation].environment
    }

    fn known(&mut self, invocation: InvocationId, schema: u32) -> &mut KnownSchema {
        let at = (self.environment(invocation), schema);
        self.schemas.known.entry(at).or_default()
    }

    /// A process asks the registry.
    pub(super) fn asks(&mut self, invocation: InvocationId, schema: u32) {
        let now_ms = self.now_ms;
        let known = self.known(invocation, schema);
        let not_found = known.not_found_ms;
        let why = match () {
            () if known.asked_by.is_some() => "while it is being asked for",
            () if known.found.is_some() => "though its process has it",
            () if not_found.is_some_and(|at_ms| now_ms < at_ms + NOT_FOUND_MS) => {
                "though the registry has just said that there is none"
            }
            () if known.asked.contains(&invocation) => "once more",
            () => return,
        };
        let text = format!("invocation {invocation} asks for schema {schema} {why}");
        self.broken(Invariant::Schemas, text);
    }

    /// What a record's schema is, and what a process knows of it.
    pub(super) fn learns(&mut self, what: &What) {
        match what {
            What::Framed {
                record,
                schema,
                exists,
            } => {
                self.schemas.of.insert(*record, (*schema, *exists));
            }
            What::SchemaAsked { invocation, schema } => {
                let known = self.known(*invocation, *schema);
                known.asked_by = Some(*invocation);
                known.asked.insert(*invocation);
            }
            What::SchemaAnswered {
                invocation,
                schema,
                answer,
            } => self.answered(*invocation, *schema, *answer),
            _ => {}
        }
    }

    fn answered(&mut self, invocation: InvocationId, schema: u32, answer: SchemaAnswer) {
        let now_ms = self.now_ms;
        let known = self.known(invocation, schema);
        known.asked_by = None;
        match answer {
            SchemaAnswer::Found => known.found = Some((now_ms, invocation)),
            SchemaAnswer::NotFound => known.not_found_ms = Some(now_ms),
            SchemaAnswer::Unavailable | SchemaAnswer::Abandoned => known.failed_ms = Some(now_ms),
        }
    }

    /// A record has its turn: nobody asks for its schema any more, unless for another invocation, or it has waited as long as it may. The request is then left, and the next invocation goes on with it.
    pub(super) fn has_waited_for_schema(&mut self, invocation: InvocationId, record: RecordId) {
        let Some((schema, _)) = self.schemas.of.get(&record).copied() else {
            return;
        };
        let environment = self.environment(invocation);
        let since_ms = self.model.invocations[&invocation].delivered_ms;
        let waited = self.now_ms >= since_ms + self.least_wait_ms();
        let mut invocations = self.model.invocations.iter();
        let has_others = invocations.any(|(other, of)| {
            *other != invocation && of.environment == environment && !of.answered && !of.killed
        });
        let known = self.known(invocation, schema);
        let why = match () {
            () if known.asked.is_empty() => "was never asked for",
            () if known.asked_by.is_some() && !has_others && !waited => "is still being asked for",
            () => return,
        };
        let text = format!(
            "{} has its turn in invocation {invocation}, and its schema {schema} {why}",
            self.name(record)
        );
        self.broken(Invariant::Schemas, text);
    }

    /// A record's value was not read.
    pub(super) fn rightly_unread(
        &mut self,
        invocation: InvocationId,
        record: RecordId,
        why: Unread,
    ) {
        match why {
            Unread::NotFound => self.has_no_schema(invocation, record),
            Unread::NoSchema if self.was_out_of_reach(invocation, record) => {}
            Unread::NoSchema | Unread::Misread => {
                let text = format!(
                    "{} is not read in invocation {invocation} ({why:?}), to which the registry did not fail",
                    self.name(record)
                );
                self.broken(Invariant::Schemas, text);
            }
        }
    }

    /// A record is rejected because of its schema.
    pub(super) fn has_no_schema(&mut self, invocation: InvocationId, record: RecordId) {
        let of = self.schemas.of.get(&record).copied();
        let rightly = of.is_some_and(|(schema, exists)| {
            !exists && self.known(invocation, schema).not_found_ms.is_some()
        });
        if !rightly {
            let text = format!(
                "invocation {invocation} rejects {} because of its schema, of which the registry has not said that there is none",
                self.name(record)
            );
            self.broken(Invariant::Schemas, text);
        }
    }

    /// A lane waits so long for its schemas at the least, if they do not come.
    fn least_wait_ms(&self) -> u64 {
        FETCH_MS.min(self.terms.pace.timeout_ms / FETCH_PART)
    }

    /// Whether the schema of a record could not be had in an invocation.
    pub(super) fn was_out_of_reach(&mut self, invocation: InvocationId, record: RecordId) -> bool {
        let Some((schema, _)) = self.schemas.of.get(&record).copied() else {
            return false;
        };
        let of = &self.model.invocations[&invocation];
        let (since_ms, faulted) = (of.delivered_ms, of.faulted);
        let least_ms = self.least_wait_ms();
        let known = self.known(invocation, schema);
        let failed = known.failed_ms.is_some_and(|at_ms| at_ms >= since_ms);
        // A request may go on for others when this one has waited long enough.
        let late = |at_ms: u64, is_own: bool| {
            let waited = at_ms >= since_ms + least_ms;
            at_ms >= since_ms && (faulted || !is_own || waited)
        };
        let found = known
            .found
            .is_some_and(|(at_ms, by)| late(at_ms, by == invocation));
        let not_found = known.not_found_ms.is_some_and(|at_ms| late(at_ms, false));
        failed || found || not_found || known.asked_by.is_some()
    }

    /// How long a partition's first turn may wait for schemas: not at all if a lane with something to do needs none that its process did not have.
    pub(super) fn schema_wait_ms(&self, invocation: InvocationId, partition: u32) -> u64 {
        let of = &self.model.invocations[&invocation];
        let lane = |record: &RecordId| {
            let known = &self.model.records[record];
            self.terms.order.lane(*record, known)
        };
        let records = of.records.iter();
        let waiting: BTreeSet<_> = records
            .filter(|record| self.waits_for_schema(invocation, **record))
            .map(lane)
            .collect();
        let mut records = of.records.iter().filter(|record| {
            let is_of_it = self.model.records[record].partition == partition;
            is_of_it && !self.model.may_skip(invocation, **record)
        });
        match records.all(|record| waiting.contains(&lane(record))) {
            true => FETCH_MS,
            false => 0,
        }
    }

    fn waits_for_schema(&self, invocation: InvocationId, record: RecordId) -> bool {
        let of = &self.model.invocations[&invocation];
        let Some((schema, _)) = self.schemas.of.get(&record) else {
            return false;
        };
        let known = self.schemas.known.get(&(of.environment, *schema));
        let found = known.and_then(|known| known.found);
        found.is_none_or(|(at_ms, _)| at_ms >= of.delivered_ms)
    }
}
