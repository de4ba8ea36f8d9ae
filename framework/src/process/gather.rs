//! The next chunk: which records of which lanes, their arguments, and their claims. What cannot be read goes to the destination before the chunk runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::batches::Collection;
use crate::destination::DeadLetter;
use crate::failure::Reason;
use crate::limits::DEAD_LETTERS_PER_SEND_MAX;
use crate::outcome::Outcome;
use crate::process::chunk::{ChunkLane, ChunkRun, Item, Segment};
use crate::process::end::End;
use crate::process::prepare::NotRun;

/// A chunk before its first call.
pub(super) struct Gathered<'l, 'r> {
    pub(super) segment: Segment<'l, 'r>,
    /// Records whose extractor has panicked: each is the last of its lane.
    pub(super) panicked: Vec<(Item<'l, 'r>, Reason)>,
    keys: BTreeSet<Arc<str>>,
    /// Rejected before the handler, each with its lane and index.
    rejected: Vec<(usize, u32)>,
    letters: Vec<DeadLetter>,
    bytes: usize,
    is_full: bool,
}

impl<'r> ChunkLane<'r> {
    fn next(&self) -> Option<u32> {
        self.back.front().or(self.rest.first()).copied()
    }

    fn advance(&mut self) {
        if self.back.pop_front().is_none() {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
    }
}

impl<'l, 'r> ChunkRun<'l, 'r> {
    /// Takes the next records of all lanes, as many of each as its share of the room is, and what has to be there before they run.
    pub(super) async fn gather(&mut self) -> Gathered<'l, 'r> {
        let mut segment = Segment::new(Vec::new());
        segment.args = Some(Collection::of(self.chunks));
        let mut gathered = Gathered {
            segment,
            panicked: Vec::new(),
            keys: BTreeSet::new(),
            rejected: Vec::new(),
            letters: Vec::new(),
            bytes: 0,
            is_full: false,
        };
        if !self.batch.has_room_after(Duration::ZERO) && self.has_open_lane() {
            // What is settled is known as such all the same.
            self.skip_settled();
            if self.has_open_lane() {
                self.out_of_time();
            }
            return gathered;
        }
        let lanes = self.lanes.len();
        let next = self.next.take();
        let begins = |lane: &ChunkLane<'_>| next.is_some() && lane.lane.first().copied() == next;
        let start = self.lanes.iter().position(begins).unwrap_or(0);
        let mut open: Vec<usize> = (0..lanes).map(|step| (start + step) % lanes).collect();
        // What a short lane leaves of its share is given out again, among those that have more.
        'rounds: while !open.is_empty() && gathered.segment.items.len() < self.chunks.records {
            let mut have_more = Vec::new();
            for (step, lane) in open.iter().copied().enumerate() {
                let (items, room) = (
                    gathered.segment.items.len(),
                    self.chunks.records - gathered.segment.items.len(),
                );
                let share = room.div_ceil(open.len() - step);
                if self.gather_lane(lane, share, &mut gathered).await {
                    have_more.push(lane);
                }
                if room == 0 || gathered.is_full {
                    // What had its share is not the first to have one again.
                    let had_some = gathered.segment.items.len() > items;
                    let next = (lane + usize::from(had_some)) % lanes;
                    self.next = self.lanes[next].lane.first().copied();
                    break 'rounds;
                }
            }
            open = have_more;
        }
        self.send_rejected(&mut gathered).await;
        if let Some(claims) = &self.batch.claims {
            let claimed = self.claim_all(claims, &mut gathered);
            // On the heap: it is large, and a claim costs a store's answer anyhow.
            Box::pin(claimed).await;
        }
        gathered
    }

    fn has_open_lane(&self) -> bool {
        let open = |lane: &ChunkLane<'_>| lane.stop.is_none() && lane.next().is_some();
        self.lanes.iter().any(open)
    }

    fn skip_settled(&mut self) {
        for lane in 0..self.lanes.len() {
            while let Some(index) = self.lanes[lane].next()
                && self.batch.skips(&self.batch.records[index as usize])
            {
                self.lanes[lane].advance();
                self.ends(lane, index, End::of(Outcome::Skipped, 0, None));
            }
        }
    }

    /// Whether the lane has more that may stand in this chunk.
    async fn gather_lane(
        &mut self,
        lane: usize,
        share: usize,
        gathered: &mut Gathered<'l, 'r>,
    ) -> bool {
        let batch = self.batch;
        let most = gathered.segment.items.len() + share;
        while gathered.segment.items.len() < most
            && let Some(index) = self.lanes[lane].next()
        {
            if !batch.turns.record_now() {
                batch.turns.record().await;
            }
            let record = &batch.records[index as usize];
            if batch.skips(record) {
                self.lanes[lane].advance();
                self.ends(lane, index, End::of(Outcome::Skipped, 0, None));
                continue;
            }
            let bytes = record.key().map_or(0, <[u8]>::len) + record.value().map_or(0, <[u8]>::len);
            let is_first = gathered.segment.items.is_empty();
            if !is_first && gathered.bytes + bytes > self.chunks.bytes
                || gathered.letters.len() == DEAD_LETTERS_PER_SEND_MAX
            {
                gathered.is_full = true;
                return false;
            }
            let key = batch.may_run(record, Some(self.route)).and_then(|_| {
                let key = batch.invocation.record_key(record);
                key.map_err(NotRun::from)
            });
            let key = match key {
                Ok(key) => key,
                Err(not_run) => match self.not_run(lane, index, not_run, gathered) {
                    true => continue,
                    false => return false,
                },
            };
            // Two of one key are not of one chunk: the second one is skipped once the first one is settled.
            if let Some(key) = &key
                && !gathered.keys.insert(Arc::clone(key))
            {
                return false;
            }
            let Some(args) = &mut gathered.segment.args else {
                return false;
            };
            match batch.collect(record, self.route, self.delivery, 1, args) {
                Ok(Ok(())) => {
                    self.lanes[lane].advance();
                    gathered.bytes += bytes;
                    gathered.segment.items.push(Item::new(index, lane, key));
                }
                Ok(Err(reason)) => {
                    self.lanes[lane].advance();
                    gathered
                        .panicked
                        .push((Item::new(index, lane, key), reason));
                    return false;
                }
                Err(rejection) => {
                    if !self.not_run(lane, index, rejection.into(), gathered) {
                        return false;
                    }
                }
            }
        }
        self.lanes[lane].next().is_some()
    }

    /// The record never reaches the chunk. Whether its lane goes on.
    fn not_run(
        &mut self,
        lane: usize,
        index: u32,
        why: NotRun,
        gathered: &mut Gathered<'l, 'r>,
    ) -> bool {
        self.lanes[lane].advance();
        match why {
            NotRun::Rejected(rejection) => {
                let record = &self.batch.records[index as usize];
                let letter = self.batch.letter(record, rejection, 0);
                gathered.letters.push(letter);
                gathered.rejected.push((lane, index));
                true
            }
            NotRun::Failed(problem) => {
                self.stop(lane, index);
                self.ends(lane, index, End::of(Outcome::Failed, 0, Some(*problem)));
                false
            }
        }
    }

    /// The letters of what cannot be read, in one call, before the chunk runs. Of a lane whose letter is not confirmed, only what stands before that record runs.
    async fn send_rejected(&mut self, gathered: &mut Gathered<'l, 'r>) {
        if gathered.letters.is_empty() {
            return;
        }
        let letters = std::mem::take(&mut gathered.letters);
        let ends = match &self.batch.claims {
            Some(claims) => {
                let sent = self.batch.deliver_unclaimed(claims, letters, self.end);
                Box::pin(sent).await
            }
            None => self.batch.deliver_all(&letters).await,
        };
        for ((lane, index), end) in gathered.rejected.drain(..).zip(ends) {
            if !end.outcome.is_settled() {
                self.stop(lane, index);
            }
            self.ends(lane, index, end);
        }
        // Nothing of these was started: they stay without an end, as what is not reached does.
        drop(gathered.segment.take_out(|item| self.is_stopped(item)));
        gathered.panicked.retain(|(item, _)| !self.is_stopped(item));
    }
}
