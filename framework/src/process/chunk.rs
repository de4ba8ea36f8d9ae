//! A chunk while it runs: its records, the lanes that they are of, and how each has ended. Made by `gather`, run by `settle`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::batches::{ChunkRoute, Collection};
use crate::delivery::Delivery;
use crate::failure::{Reason, Rejection};
use crate::handler::Route;
use crate::idempotency::{Claim, Held, Recorder};
use crate::limits::DEAD_LETTERS_PER_SEND_MAX;
use crate::outcome::Outcome;
use crate::process::batch::BatchRun;
use crate::process::claimed::keeping_all;
use crate::process::end::{End, LaneEnd};
use crate::process::tries::Tries;

/// The lanes of a batch handler that are run together, and what they have come to. A lane alone is one of one.
pub(super) struct ChunkRun<'l, 'r> {
    pub(super) batch: &'r BatchRun<'r>,
    pub(super) route: &'r Route,
    pub(super) chunks: &'r ChunkRoute,
    pub(super) delivery: &'l mut Delivery,
    pub(super) recorder: &'l Recorder<'r>,
    pub(super) lanes: Vec<ChunkLane<'r>>,
    /// The first record of the lane with which the next chunk begins: one for which the last chunk had no room. *None: the first lane.*
    pub(super) next: Option<u32>,
    pub(super) end: &'l mut LaneEnd,
    /// Told of a lane at once when its last record has ended: others of its chunk may take long. *None: it runs alone.*
    when_ended: Option<&'l WhenEnded<'l>>,
    /// Nothing was to run but what somebody else works on: the next claim is waited for.
    pub(super) waits_for_claim: bool,
}

/// What takes in that a lane has ended.
pub(super) type WhenEnded<'l> = dyn Fn(&[u32], &mut LaneEnd) + Send + Sync + 'l;

/// A lane of a batch handler.
pub(super) struct ChunkLane<'r> {
    pub(super) lane: &'r [u32],
    /// Records that were taken and given back, since others of the chunk could not wait for their claims.
    pub(super) back: VecDeque<u32>,
    /// What was not taken yet.
    pub(super) rest: &'r [u32],
    /// The first record that is not settled: what stands behind it is not started. *None: the lane goes on.*
    pub(super) stop: Option<u32>,
    /// So many of its records have no end yet.
    open: usize,
}

impl ChunkLane<'_> {
    /// Every record has its end, so whoever waits for that was told.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0
    }
}

/// One record of a chunk.
pub(super) struct Item<'l, 'r> {
    pub(super) index: u32,
    /// Its place among the lanes that run together.
    pub(super) lane: usize,
    /// *None: records are known by where they stand.*
    pub(super) key: Option<Arc<str>>,
    pub(super) tries: Tries,
    /// How often it has failed by itself: alone in its call, or because the handler said so.
    pub(super) failed: u32,
    /// Why it has failed last. *None: it has not.*
    pub(super) why: Option<Arc<Reason>>,
    /// *None: nothing is kept by key, or it runs without the store.*
    pub(super) claim: Option<Held<'l, 'r>>,
}

impl Item<'_, '_> {
    pub(super) fn new(index: u32, lane: usize, key: Option<Arc<str>>) -> Self {
        Self {
            index,
            lane,
            key,
            tries: Tries::default(),
            failed: 0,
            why: None,
            claim: None,
        }
    }
}

/// Records that are given to the handler in one call.
pub(super) struct Segment<'l, 'r> {
    pub(super) items: Vec<Item<'l, 'r>>,
    /// *None: to be taken from the records.*
    pub(super) args: Option<Collection>,
    /// It is a part of a chunk that was halved: it has one try, as long as it can be halved.
    pub(super) is_part: bool,
    /// Calls with all of it that have failed.
    pub(super) failed: u32,
    pub(super) wait: Duration,
}

impl<'l, 'r> Segment<'l, 'r> {
    pub(super) fn new(items: Vec<Item<'l, 'r>>) -> Self {
        Self {
            items,
            args: None,
            is_part: false,
            failed: 0,
            wait: Duration::ZERO,
        }
    }

    /// Takes out the items that fit, with their arguments.
    pub(super) fn take_out(&mut self, fits: impl Fn(&Item<'l, 'r>) -> bool) -> Vec<Item<'l, 'r>> {
        let stays: Vec<bool> = self.items.iter().map(|item| !fits(item)).collect();
        if stays.iter().all(|stays| *stays) {
            return Vec::new();
        }
        if let Some(args) = &mut self.args
            && args.retain(|at| stays[at]).is_err()
        {
            self.args = None;
        }
        let mut stays = stays.into_iter();
        let items = std::mem::take(&mut self.items);
        let (stay, out) = items
            .into_iter()
            .partition(|_| stays.next().unwrap_or(true));
        self.items = stay;
        out
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = Arc<Claim<'r>>> {
        let claims = self.items.iter().filter_map(|item| item.claim.as_ref());
        claims.map(Held::shared)
    }
}

/// What is still to be run of a chunk: the next one is the last. Within a lane, in order.
pub(super) type Left<'l, 'r> = Vec<Segment<'l, 'r>>;

/// The claims that are held, to be renewed while something is waited for.
pub(super) fn claims_of<'r>(
    segment: &Segment<'_, 'r>,
    left: &[Segment<'_, 'r>],
) -> Vec<Arc<Claim<'r>>> {
    let left = left.iter().flat_map(Segment::claims);
    segment.claims().chain(left).collect()
}

impl<'l, 'r> ChunkRun<'l, 'r> {
    /// *None: the route is one of one record.*
    pub(super) fn new(
        batch: &'r BatchRun<'r>,
        route: &'r Route,
        delivery: &'l mut Delivery,
        recorder: &'l Recorder<'r>,
        end: &'l mut LaneEnd,
        when_ended: Option<&'l WhenEnded<'l>>,
    ) -> Option<Self> {
        delivery.read_by(route.reading());
        Some(Self {
            batch,
            route,
            chunks: route.chunks.as_deref()?,
            delivery,
            recorder,
            lanes: Vec::new(),
            next: None,
            end,
            when_ended,
            waits_for_claim: false,
        })
    }

    pub(super) fn add(&mut self, lane: &'r [u32]) {
        self.end.ends.reserve(lane.len());
        self.lanes.push(ChunkLane {
            lane,
            back: VecDeque::new(),
            rest: lane,
            stop: None,
            open: lane.len(),
        });
    }

    /// Runs the next chunk, and all that follows from it.
    pub(super) async fn round(&mut self) {
        let gathered = self.gather().await;
        self.settle(gathered).await;
        if let Some(claims) = &self.batch.claims
            && !claims.is_at_most_once()
        {
            self.recorder.under_way().await;
        }
    }

    /// Takes out the lanes that have ended.
    pub(super) fn ended_lanes(&mut self) -> Vec<ChunkLane<'r>> {
        let has_ended = |lane: &mut ChunkLane<'_>| {
            lane.stop.is_some() || lane.rest.is_empty() && lane.back.is_empty()
        };
        self.lanes.extract_if(.., has_ended).collect()
    }

    /// The most attempts of a chunk, and of a record alone.
    pub(super) fn attempts_max(&self) -> u32 {
        self.route.attempts.unwrap_or(self.batch.processor.attempts)
    }

    /// Time is up: no lane goes on.
    pub(super) fn out_of_time(&mut self) {
        self.end.out_of_time = true;
        for lane in &mut self.lanes {
            lane.stop.get_or_insert(0);
        }
    }

    /// Nothing behind that record is started.
    pub(super) fn stop(&mut self, lane: usize, index: u32) {
        let stop = &mut self.lanes[lane].stop;
        *stop = Some(stop.map_or(index, |stop| stop.min(index)));
    }

    /// Whether the lane has stopped before the item.
    pub(super) fn is_stopped(&self, item: &Item<'_, '_>) -> bool {
        let stop = self.lanes[item.lane].stop;
        stop.is_some_and(|stop| stop <= item.index)
    }

    /// The record has ended so.
    pub(super) fn ended(&mut self, item: Item<'l, 'r>, end: End) {
        if !end.outcome.is_settled() {
            self.stop(item.lane, item.index);
        }
        if let Some(claim) = item.claim {
            end.hand_over(claim);
        }
        self.ends(item.lane, item.index, end);
    }

    /// Notes how a record of the lane has ended.
    pub(super) fn ends(&mut self, lane: usize, index: u32, end: End) {
        self.end.ends.push((index, end));
        let lane = &mut self.lanes[lane];
        lane.open -= 1;
        if lane.is_over()
            && let Some(when_ended) = self.when_ended
        {
            when_ended(lane.lane, self.end);
        }
    }

    /// Its lane has stopped before it, or time is up.
    pub(super) fn unreached(&mut self, item: &Item<'l, 'r>) {
        let end = End::of(Outcome::Unreached, item.tries.started, None);
        self.ends(item.lane, item.index, end);
    }

    /// Sends the letters of rejected records, in one call of the destination.
    pub(super) async fn reject_all(
        &mut self,
        mut rejected: Vec<(Item<'l, 'r>, Rejection)>,
        left: &[Segment<'l, 'r>],
    ) {
        while !rejected.is_empty() {
            let more = rejected.split_off(rejected.len().min(DEAD_LETTERS_PER_SEND_MAX));
            let (items, rejections): (Vec<_>, Vec<_>) =
                std::mem::replace(&mut rejected, more).into_iter().unzip();
            let letter = |(item, rejection): (&Item<'_, '_>, Rejection)| {
                let record = &self.batch.records[item.index as usize];
                self.batch.letter(record, rejection, item.tries.started)
            };
            let letters: Vec<_> = items.iter().zip(rejections).map(letter).collect();
            let segment = Segment::new(items);
            let claims = claims_of(&segment, left);
            let ends = keeping_all(&claims, self.batch.deliver_all(&letters)).await;
            for (item, end) in segment.items.into_iter().zip(ends) {
                self.ended(item, end);
            }
        }
    }
}
