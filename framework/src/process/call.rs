//! One call of a batch handler: the arguments are taken if they were not yet, the partitions are held, and the handler runs until it ends or its time is up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::batches::Collection;
use crate::chunk::Chunk;
use crate::failure::{Failure, Next, Reason};
use crate::idempotency::{ClaimEnd, Undone};
use crate::limits::{BATCH_TIMEOUT_MS_MIN, BATCH_TIMEOUT_PART};
use crate::outcome::Outcome;
use crate::outcomes::Outcomes;
use crate::process::attempt::Tried;
use crate::process::chunk::{ChunkRun, Item, Left, Segment, claims_of};
use crate::process::claimed::keeping_all;
use crate::process::end::End;
use crate::report::Problem;

/// What a call has come to, with the records that it was made with.
pub(super) enum Called<'l, 'r> {
    /// The handler has ended well. *None: it has said nothing of single records.*
    Done(Segment<'l, 'r>, Option<Outcomes>),
    Failed(Segment<'l, 'r>, Reason),
    /// Too little time is left to begin.
    NoTime(Segment<'l, 'r>),
    /// The handler was dropped at the deadline's margin.
    Dropped(Segment<'l, 'r>),
    /// Nothing was left to be called with.
    Nothing,
}

impl Item<'_, '_> {
    /// If nothing more becomes of it, its claim ends so.
    pub(super) fn stands(&self, end: ClaimEnd) {
        if let Some(claim) = &self.claim {
            claim.ends(end);
        }
    }
}

impl<'l, 'r> ChunkRun<'l, 'r> {
    pub(super) async fn call(
        &mut self,
        mut segment: Segment<'l, 'r>,
        left: &mut Left<'l, 'r>,
    ) -> Called<'l, 'r> {
        let batch = self.batch;
        if segment.args.is_none() {
            Box::pin(self.collect(&mut segment, left)).await;
        }
        let claims = claims_of(&segment, left);
        self.turn(&mut segment, &claims).await;
        // Without those that were given back meanwhile: a claim that is renewed then stands for nobody.
        let claims = claims_of(&segment, left);
        let Some(first) = segment.items.first() else {
            return Called::Nothing;
        };
        if !batch.has_room_after(Duration::ZERO) {
            return Called::NoTime(segment);
        }
        let record = &batch.records[first.index as usize];
        self.delivery.set(record, first.tries.made + 1);
        let indices = segment.items.iter().map(|item| item.index).collect();
        let lanes = match self.lanes.as_slice() {
            [_] => Vec::new(),
            _ => segment.items.iter().map(|item| item.lane as u32).collect(),
        };
        let chunk = Chunk::new(batch.records, indices, lanes, batch.invocation);
        let Some(chunk) = chunk.map(Arc::new) else {
            return Called::Nothing;
        };
        let Some(args) = segment.args.take() else {
            // An argument that was taken out has panicked as it was dropped, and the others went with it: they are taken once more.
            left.push(segment);
            return Called::Nothing;
        };
        let run = self.route.chunk_run(&chunk, self.delivery, args);
        batch.turns.look();
        for item in &mut segment.items {
            item.tries.made += 1;
        }
        let run = match run {
            Ok(run) => run,
            Err(not_taken) => return Called::Failed(segment, Failure::from(not_taken).reason()),
        };
        for item in &mut segment.items {
            item.tries.started += 1;
            if item.tries.started == 1 {
                batch.starts(&batch.records[item.index as usize]);
            }
            item.stands(ClaimEnd::Released(None));
        }
        let attempt = segment.items.first().map_or(1, |item| item.tries.made);
        let work_end = batch.invocation.deadline.work_end();
        let began = Instant::now();
        let until = self.until(began, work_end);
        let tried = keeping_all(&claims, batch.try_chunk(&chunk, run, attempt, until)).await;
        let undone = match &tried {
            Tried::Done => return Called::Done(segment, chunk.take_said()),
            Tried::Failed(_, undone) => *undone,
            Tried::Dropped => Undone::Dropped,
        };
        for item in &segment.items {
            item.stands(ClaimEnd::Released(Some(undone)));
        }
        match (tried, until) {
            (Tried::Failed(reason, _), _) => Called::Failed(segment, reason),
            (_, Some(until)) if Some(until) != work_end => {
                let ms = until.saturating_duration_since(began).as_millis();
                let limit = match self.chunks.timeout {
                    Some(_) => "its time-out",
                    None => "half of the time that was left",
                };
                let why = format!(
                    "the handler still ran after {ms} ms, {limit}, and was dropped: its effect may have happened"
                );
                Called::Failed(segment, Reason::retry("handler.timed_out", why))
            }
            _ => Called::Dropped(segment),
        }
    }

    /// When a call that begins now is dropped. *None: never.*
    fn until(&self, now: Instant, work_end: Option<Instant>) -> Option<Instant> {
        let half = |end: Instant| {
            let part = end.saturating_duration_since(now) / BATCH_TIMEOUT_PART;
            match part < Duration::from_millis(BATCH_TIMEOUT_MS_MIN) {
                true => end,
                false => now + part,
            }
        };
        let until = match self.chunks.timeout {
            Some(timeout) => now.checked_add(timeout),
            None => work_end.map(half),
        };
        until.into_iter().chain(work_end).min()
    }

    /// Takes the arguments of the records once more. What is rejected now goes to the destination; a record whose extractor panics is tried alone, and what stands behind it in its lane
    /// after it.
    async fn collect(&mut self, segment: &mut Segment<'l, 'r>, left: &mut Left<'l, 'r>) {
        let batch = self.batch;
        let mut args = Collection::of(self.chunks);
        let mut rejected = BTreeMap::new();
        let mut panicked = BTreeMap::new();
        let mut not_before: Vec<Option<u32>> = vec![None; self.lanes.len()];
        for item in &segment.items {
            if not_before[item.lane].is_some() {
                continue;
            }
            batch.turns.wait().await;
            let record = &batch.records[item.index as usize];
            let attempt = item.tries.made + 1;
            match batch.collect(record, self.route, self.delivery, attempt, &mut args) {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => {
                    panicked.insert(item.index, reason);
                    not_before[item.lane] = Some(item.index);
                }
                Err(rejection) => {
                    if rejection.next == Next::Retry {
                        not_before[item.lane] = Some(item.index);
                    }
                    rejected.insert(item.index, rejection);
                }
            }
        }
        let behind = segment.take_out(|item| {
            let border = not_before[item.lane];
            border.is_some_and(|border| border < item.index)
        });
        let mut behind = Segment::new(behind);
        behind.is_part = segment.is_part;
        let alone = segment.take_out(|item| panicked.contains_key(&item.index));
        let unread = segment.take_out(|item| rejected.contains_key(&item.index));
        segment.args = Some(args);
        left.push(behind);
        for mut item in alone {
            item.tries.made += 1;
            if let Some(reason) = panicked.remove(&item.index) {
                let claims: Vec<_> = segment.claims().collect();
                let alone = Segment::new(vec![item]);
                let failed = Box::pin(self.failed(alone, reason, left));
                keeping_all(&claims, failed).await;
            }
        }
        let mut letters = Vec::new();
        for item in unread {
            match rejected.remove(&item.index) {
                Some(rejection) if rejection.next == Next::Retry => {
                    let problem = Some(Problem::new(rejection.code, rejection.message));
                    let end = End::of(Outcome::Failed, item.tries.started, problem);
                    self.ended(item, end);
                }
                Some(rejection) => letters.push((item, rejection)),
                None => {}
            }
        }
        let claims: Vec<_> = segment.claims().collect();
        let rejected = Box::pin(self.reject_all(letters, left));
        keeping_all(&claims, rejected).await;
        for item in segment.take_out(|item| self.is_stopped(item)) {
            self.unreached(&item);
        }
    }

    /// Waits until the lanes have their turn, and takes out the records that may not be tried then.
    async fn turn(
        &mut self,
        segment: &mut Segment<'l, 'r>,
        claims: &[Arc<crate::idempotency::Claim<'r>>],
    ) {
        let batch = self.batch;
        loop {
            let lost = keeping_all(claims, self.lost(segment)).await;
            for item in segment.take_out(|item| lost.contains_key(&item.index)) {
                let problem = lost.get(&item.index).cloned();
                let end = End::of(Outcome::Failed, item.tries.started, problem);
                self.ended(item, end);
            }
            if batch.turns.is_fresh() {
                // Nothing has waited since the records were looked at.
                return;
            }
            // Whatever has waited looks again.
            if !batch.turns.wait().await {
                break;
            }
        }
        let settled = |item: &Item<'_, '_>| {
            let record = &batch.records[item.index as usize];
            let ledger = batch.ledger(record);
            let settled = ledger.and_then(|ledger| ledger.settled_meanwhile(record));
            settled.is_some_and(|settled| settled.skips(record))
        };
        for item in segment.take_out(settled) {
            let end = End::of(Outcome::Skipped, item.tries.started, None);
            self.ended(item, end);
        }
        // Of a lane that has lost its partition nothing is left.
        for item in segment.take_out(|item| self.is_stopped(item)) {
            self.unreached(&item);
        }
    }

    /// Records whose partition or claim is not held any more, each with the reason.
    async fn lost(&self, segment: &Segment<'l, 'r>) -> BTreeMap<u32, Problem> {
        let batch = self.batch;
        let mut lost = BTreeMap::new();
        let mut asked: Option<(usize, Option<Problem>)> = None;
        for item in &segment.items {
            let record = &batch.records[item.index as usize];
            let problem = match (&item.claim, &asked) {
                (Some(claim), _) => claim.may_start().await.map_err(Problem::from).err(),
                (None, Some((partition, problem))) if *partition == record.partition_index() => {
                    problem.clone()
                }
                (None, _) => {
                    let problem = batch.may_start(record).await.err();
                    asked = Some((record.partition_index(), problem.clone()));
                    problem
                }
            };
            if let Some(problem) = problem {
                lost.insert(item.index, problem);
            }
        }
        lost
    }
}
