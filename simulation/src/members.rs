//! Queue mode: the pollers as members of a share group, what they acquire, acknowledge, and lose. Called by `world` and `polling`.

use msk_mapping::machine::{Acknowledgement, Input, Offsets, PollerId};

use crate::fact::{RecordId, What};
use crate::happening::{Acknowledged, Happening};
use crate::limits::FETCH_RECORDS_MAX;
use crate::polling::number;
use crate::share::{LetGo, Lock, MemberId};
use crate::world::World;

impl World {
    /// A poller becomes a member, and may have all partitions: that is what a share group is for.
    pub(crate) fn join(&mut self, poller: u32) {
        if self.cluster.group.join(poller).is_none() {
            return;
        }
        self.note(self.now_ms, || format!("poller {poller} joins the group"));
        for partition in 0..self.plan.records.partitions {
            let input = Input::Assigned {
                poller: PollerId(poller),
                partition: self.name(partition),
                committed: None,
            };
            self.tell(input);
        }
    }

    /// A poller is gone. What it held goes back to the group: at once, or, if it went without a word, when its locks end.
    pub(crate) fn leave(&mut self, poller: u32, without_a_word: bool) {
        let Some(member) = self.cluster.group.leave(poller) else {
            return;
        };
        self.note(self.now_ms, || match without_a_word {
            true => format!("poller {poller} is gone without a word"),
            false => format!("poller {poller} leaves the group"),
        });
        for partition in 0..self.plan.records.partitions {
            let input = Input::Revoked {
                poller: PollerId(poller),
                partition: self.name(partition),
            };
            self.tell(input);
        }
        if !without_a_word {
            let archived = self.cluster.group.release_all(member);
            self.archived(archived);
            self.plan_acquisitions();
        }
    }

    /// The mapping lets a member poll a partition, or not.
    pub(crate) fn paces(&mut self, poller: u32, partition: u32, polls: bool) {
        if let Some(member) = self.cluster.group.member(poller) {
            member.resumed.insert(partition, polls);
            self.plan_acquisitions();
        }
    }

    /// Each member that could get something will ask for it.
    pub(crate) fn plan_acquisitions(&mut self) {
        for poller in 0..self.plan.mapping.pollers {
            if self.cluster.would_get(poller).is_empty() {
                continue;
            }
            if let Some(member) = self.cluster.group.member(poller)
                && !member.fetching
            {
                member.fetching = true;
                let by = member.id;
                let wait_ms = self.dice.polling.between(1, 30);
                let happening = Happening::Acquire { poller, by };
                self.agenda.plan(self.now_ms + wait_ms, happening);
            }
        }
    }

    pub(crate) fn acquire(&mut self, poller: u32, by: MemberId) {
        let Some(member) = self.cluster.group.member(poller) else {
            return;
        };
        if member.id != by {
            return;
        }
        member.fetching = false;
        let mut records = Vec::new();
        for partition in self.cluster.would_get(poller) {
            let most = self.dice.polling.between(1, FETCH_RECORDS_MAX as u64) as usize;
            for (acquired, record) in self.cluster.acquire(partition, by, most) {
                self.polled
                    .insert((partition, acquired.offset), acquired.record);
                self.fact(What::Acquired {
                    record: acquired.record,
                });
                self.plan_lock_end(partition, acquired.offset, acquired.lock);
                records.push(record);
            }
        }
        if self.dice.polling.per_mille(500) {
            // Nothing says in which order they come: what was released stands behind what was never delivered.
            records.sort_by_key(|record| record.delivery_count > 1);
        }
        if !records.is_empty() {
            let poller = PollerId(poller);
            self.tell(Input::Polled { poller, records });
        }
        self.plan_acquisitions();
    }

    fn plan_lock_end(&mut self, partition: u32, offset: i64, lock: Lock) {
        let Some(queue) = &self.plan.mapping.queue else {
            return;
        };
        let happening = Happening::LockEnds {
            partition,
            offset,
            lock,
        };
        self.agenda.plan(self.now_ms + queue.lock_ms, happening);
    }

    /// A lock's time is over, unless its member has asked for more.
    pub(crate) fn lock_ends(&mut self, partition: u32, offset: i64, lock: Lock) {
        let Some(renewed) = self.cluster.group.is_renewed(partition, offset, lock) else {
            return;
        };
        let queue = self.plan.mapping.queue.as_ref();
        let fails = queue.filter(|_| !self.is_quiet);
        let fails = fails.map_or(0, |queue| queue.renewal_fails);
        if renewed && !self.dice.polling.per_mille(fails) {
            return self.plan_lock_end(partition, offset, lock);
        }
        self.note(self.now_ms, || {
            format!("the lock of orders-{partition}@{offset} ends")
        });
        if let Some(let_go) = self.cluster.group.expire(partition, offset, lock) {
            self.let_go(let_go);
        }
    }

    /// The mapping says what became of records.
    pub(crate) fn plan_acknowledgement(
        &mut self,
        poller: PollerId,
        records: &Offsets,
        with: Acknowledgement,
    ) {
        let Some(by) = self.cluster.group.member(poller.0).map(|member| member.id) else {
            return;
        };
        let partition = number(&records.partition);
        let lost = self.dice.polling.per_mille(self.faults().commit_refused);
        let wait_ms = self.dice.polling.between(0, 20);
        for offset in &records.offsets {
            let of = Acknowledged {
                partition,
                offset: *offset,
                by,
            };
            self.cluster.group.no_longer_renewed(partition, *offset, by);
            if lost {
                self.note(self.now_ms, || {
                    format!("what became of orders-{partition}@{offset} is not heard")
                });
                continue;
            }
            let happening = Happening::Acknowledge { of, with };
            self.agenda.plan(self.now_ms + wait_ms, happening);
        }
    }

    pub(crate) fn acknowledge(&mut self, of: Acknowledged, with: Acknowledgement) {
        let Acknowledged {
            partition,
            offset,
            by,
        } = of;
        let group = &mut self.cluster.group;
        let taken = match with {
            Acknowledgement::Accept => group.finish(partition, offset, by).map(|record| {
                self.fact(What::Accepted { record });
            }),
            Acknowledgement::Reject => group.finish(partition, offset, by).map(|record| {
                self.fact(What::Archived { record });
            }),
            Acknowledgement::Release => group.release(partition, offset, by).map(|let_go| {
                self.let_go(let_go);
            }),
        };
        if taken.is_none() {
            self.note(self.now_ms, || {
                format!("{with:?} of orders-{partition}@{offset} is refused: another one has it, or it is over")
            });
        }
    }

    fn let_go(&mut self, let_go: LetGo) {
        match let_go {
            LetGo::Available => self.plan_acquisitions(),
            LetGo::Archived(record) => self.archived(vec![record]),
        }
    }

    fn archived(&self, records: Vec<RecordId>) {
        for record in records {
            self.fact(What::Archived { record });
        }
    }
}
