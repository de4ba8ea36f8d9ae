//! What befalls the whole: rebalances, compaction, logs made anew, offsets set back, ledgers forgotten, clocks that jump, dead letters fed back. Called by `world`.

use jiff::SignedDuration;

use crate::fact::{RecordId, What};
use crate::happening::{Happening, Trouble};
use crate::limits::{HAND_OVER_LOOK_MS, HAND_OVER_MS};
use crate::world::{BoxError, World};

impl World {
    pub(crate) fn plan_trouble(&mut self) {
        let faults = self.plan.faults.clone();
        let pause_ms = faults.long_pause_ms;
        // Before the long pause, if there is one: in it nothing goes on that could be troubled.
        let most_ms = self.plan.quiet_at_ms - pause_ms;
        let counts = [
            (Trouble::Rebalance, faults.rebalances),
            (Trouble::Compaction, faults.compactions),
            (Trouble::Renewal, faults.renewals),
            (Trouble::Reset, faults.resets),
            (Trouble::Forgetting, faults.forgets),
            (Trouble::ClockJump, faults.clock_jumps),
            (Trouble::Redrive, faults.redrives),
        ];
        for (trouble, count) in counts {
            for _ in 0..count {
                let most_ms = self
                    .dice
                    .trouble
                    .pick(&[most_ms / 10, most_ms / 3, most_ms]);
                let mut at_ms = self.dice.trouble.between(0, most_ms);
                if pause_ms > 0 && matches!(trouble, Trouble::Reset | Trouble::Redrive) {
                    at_ms = self.plan.quiet_at_ms - self.dice.trouble.between(1, 4_000);
                }
                self.agenda.plan(at_ms, Happening::Trouble(trouble));
            }
        }
        if pause_ms > 0 {
            let at_ms = self.plan.quiet_at_ms - 4_500;
            self.agenda.plan(at_ms, Happening::Trouble(Trouble::Expiry));
        }
    }

    pub(crate) fn trouble(&mut self, trouble: Trouble) -> Result<(), BoxError> {
        let most = u64::from(self.plan.partitions() - 1);
        let partition = self.dice.trouble.between(0, most) as u32;
        match trouble {
            Trouble::Rebalance => self.rebalance(partition),
            Trouble::Compaction => self.compact(partition),
            Trouble::Renewal => self.renew(partition),
            Trouble::Reset => self.reset(partition),
            Trouble::Forgetting => self.forget(true),
            Trouble::Expiry => self.forget(false),
            Trouble::ClockJump => self.clock_jump(),
            Trouble::Redrive => self.redrive()?,
        }
        Ok(())
    }

    /// The partition goes to any poller, perhaps the same, after a while in which it has none.
    fn reassign(&mut self, partition: u32) {
        let (first, pollers) = self.plan.pollers_of(partition);
        let poller = first + self.dice.trouble.between(0, u64::from(pollers) - 1) as u32;
        let wait_ms = self.dice.trouble.between(0, 3_000);
        let happening = Happening::Assign { partition, poller };
        self.agenda.plan(self.now_ms + wait_ms, happening);
    }

    fn rebalance(&mut self, partition: u32) {
        if self.plan.is_queue() {
            let without_a_word = self.dice.trouble.per_mille(500);
            return self.change_members(without_a_word);
        }
        if self.dice.trouble.per_mille(500) {
            return self.announce(partition);
        }
        if self.revoke(partition).is_some() {
            self.reassign(partition);
        }
    }

    /// The group says that it takes a partition, and waits for an answer.
    fn announce(&mut self, partition: u32) {
        let wait_ms = self.dice.trouble.between(0, HAND_OVER_MS);
        let Some(epoch) = self.revoking(partition) else {
            return;
        };
        let happening = Happening::HandOver {
            partition,
            epoch,
            until_ms: self.now_ms + wait_ms,
        };
        self.agenda.plan(self.now_ms, happening);
    }

    /// What was under way is done and committed, or the group waits no longer. Unless the partition went in another way.
    pub(crate) fn hand_over(&mut self, partition: u32, epoch: u64, until_ms: u64) {
        let log = &self.cluster.logs[partition as usize];
        if log.epoch != epoch {
            return;
        }
        let commits_until_ms = log.commits_until_ms;
        let name = self.name(partition);
        let is_busy = self.mapping.partitions().iter().any(|status| {
            status.partition == name && (status.in_flight > 0 || status.delivering > 0)
        });
        if self.now_ms < until_ms && (is_busy || commits_until_ms >= self.now_ms) {
            let happening = Happening::HandOver {
                partition,
                epoch,
                until_ms,
            };
            let next_ms = self.now_ms + HAND_OVER_LOOK_MS;
            return self.agenda.plan(next_ms.min(until_ms), happening);
        }
        if self.revoke(partition).is_some() {
            self.reassign(partition);
        }
    }

    /// One member of a share group goes, and comes back later. Records are not divided among members, so for the others nothing changes.
    fn change_members(&mut self, without_a_word: bool) {
        let pollers = u64::from(self.plan.mapping.pollers);
        let poller = self.dice.trouble.between(0, pollers - 1) as u32;
        self.leave(poller, without_a_word);
        let wait_ms = self.dice.trouble.between(0, 3_000);
        self.agenda
            .plan(self.now_ms + wait_ms, Happening::Join(poller));
    }

    /// Nobody is in the group while a partition of it begins anew.
    fn begin_anew(&mut self, partition: u32) {
        for poller in 0..self.plan.mapping.pollers {
            self.leave(poller, false);
            let wait_ms = self.dice.trouble.between(0, 3_000);
            self.agenda
                .plan(self.now_ms + wait_ms, Happening::Join(poller));
        }
        self.cluster.group.forget(partition);
    }

    fn compact(&mut self, partition: u32) {
        let gone = match self.dice.trouble.per_mille(600) {
            true => self.cluster.compact(partition, &mut self.dice.trouble),
            false => {
                let count = self.dice.trouble.between(1, 6) as usize;
                self.cluster.cut(partition, count)
            }
        };
        self.erased(gone);
    }

    fn erased(&self, records: Vec<RecordId>) {
        for record in records {
            self.fact(What::Erased { record });
        }
    }

    fn renew(&mut self, partition: u32) {
        // A partition that is being rebalanced has somebody on the way to it already.
        if self.plan.is_queue() {
            self.begin_anew(partition);
        } else if self.revoke(partition).is_none() {
            return;
        }
        let gone = self.cluster.renew(partition);
        self.erased(gone);
        let generation = self.cluster.logs[partition as usize].generation;
        self.note(self.now_ms, || format!("orders-{partition} is made anew"));
        let drafts = self.cluster.drafts.iter().enumerate();
        let news = drafts
            .filter(|(_, draft)| (draft.partition, draft.generation) == (partition, generation));
        // Restored at once, or written by producers again.
        let slowly = self.dice.trouble.per_mille(500);
        for (record, draft) in news {
            let at_ms = match slowly {
                true => self.now_ms + draft.append_at_ms,
                false => self.now_ms,
            };
            self.agenda
                .plan(at_ms, Happening::Append(record as RecordId));
        }
        if !self.plan.is_queue() {
            self.reassign(partition);
        }
    }

    fn reset(&mut self, partition: u32) {
        if self.plan.is_queue() {
            self.begin_anew(partition);
            let log = self.cluster.logs[partition as usize].id;
            self.fact(What::SetBack { log });
            return;
        }
        if self.revoke(partition).is_none() {
            return;
        }
        let log = &mut self.cluster.logs[partition as usize];
        if let Some(committed) = log.committed {
            let to = self
                .dice
                .trouble
                .between(0, committed.unsigned_abs())
                .cast_signed();
            log.committed = Some(to.max(log.start));
            self.note(self.now_ms, || {
                format!("orders-{partition} is set back to {to}")
            });
        }
        self.reassign(partition);
    }

    fn forget(&mut self, all: bool) {
        for deleted in self.services.delete(self.now_ms, all) {
            self.fact(deleted);
        }
    }

    fn clock_jump(&mut self) {
        let off_ms = self.plan.faults.clock_off_ms;
        let mut alive: Vec<usize> = (0..self.environments.len()).collect();
        alive.retain(|at| self.environments[*at].is_alive());
        if alive.is_empty() {
            return;
        }
        let at = self.dice.trouble.pick(&alive);
        let ahead_ms = self.dice.trouble.around_zero(off_ms);
        let environment = &mut self.environments[at];
        let jump_ms = ahead_ms - environment.ahead_ms;
        environment.ahead_ms = ahead_ms;
        let jump = SignedDuration::from_millis(jump_ms);
        environment.process.machine().jump(jump);
        for number in &environment.busy {
            self.invocations[*number as usize].clock_jumps(jump_ms);
        }
        self.note(self.now_ms, || {
            format!("the clock of environment {at} jumps by {jump_ms} ms")
        });
    }

    fn redrive(&mut self) -> Result<(), BoxError> {
        let letters = &self.services.letters;
        if letters.is_empty() {
            return Ok(());
        }
        let at = self.dice.trouble.between(0, letters.len() as u64 - 1) as usize;
        let letter = &letters[at];
        let body: bytes::Bytes = letter.payload.as_bytes().to_vec().into();
        let Some((partition, offset)) = place(&body) else {
            return Err("a dead letter's payload is no event".into());
        };
        let record = letter.record;
        self.note(self.now_ms, || {
            format!("the dead letter of record {record} is fed back")
        });
        self.invoke(None, body, vec![(record, partition, offset)])
    }
}

/// Where the one record of an event stands.
fn place(event: &[u8]) -> Option<(u32, i64)> {
    let event: serde_json::Value = serde_json::from_slice(event).ok()?;
    let record = event["records"]
        .as_object()?
        .values()
        .next()?
        .get(0)?
        .clone();
    let partition = u32::try_from(record["partition"].as_u64()?).ok()?;
    Some((partition, record["offset"].as_i64()?))
}
