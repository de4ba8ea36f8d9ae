//! One lane: its records one after the other, until one fails or time is up. Letters of records that are rejected before their handler, with no record that runs
//! between them, are sent together. Called by `run`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::delivery::Delivery;
use crate::destination::DeadLetter;
use crate::failure::Rejection;
use crate::handler::Route;
use crate::idempotency::Recorder;
use crate::limits::DEAD_LETTERS_PER_SEND_MAX;
use crate::outcome::Outcome;
use crate::process::attempt::First;
use crate::process::batch::BatchRun;
use crate::process::chunk::ChunkRun;
use crate::process::end::{End, LaneEnd};
use crate::process::prepare::{NotRun, Prepared};
use crate::process::quick::Stopped;

/// Records of a lane that are rejected before their handler, and with no record that runs between them: their letters are sent in one call.
#[derive(Default)]
struct Pending {
    indices: Vec<u32>,
    letters: Vec<DeadLetter>,
}

/// A lane while it runs.
struct LaneRun<'a, 'r> {
    batch: &'r BatchRun<'r>,
    /// Of its topic.
    route: Option<&'r Route>,
    delivery: &'a mut Delivery,
    recorder: &'a Recorder<'r>,
    pending: Pending,
    end: &'a mut LaneEnd,
}

/// Whether the lane goes on to its next record.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    NoFurther,
}

impl BatchRun<'_> {
    /// Runs the records of a lane in order until one fails or time is up. How a claimed record has ended is recorded beside whatever the lane does next.
    pub(super) async fn run_lane(&self, lane: &[u32], delivery: &mut Delivery, end: &mut LaneEnd) {
        end.ends.reserve(lane.len());
        let recorder = Recorder::default();
        let topic = lane
            .first()
            .map(|&first| self.records[first as usize].topic());
        let route = topic.and_then(|topic| self.processor.route(topic));
        if let Some(route) = route
            && route.chunks.is_some()
        {
            // On the heap: a lane of one record at a time is not to be larger for it.
            return Box::pin(self.run_chunks(route, lane, delivery, end)).await;
        }
        delivery.read_by(route.and_then(Route::reading));
        let mut run = LaneRun {
            batch: self,
            route,
            delivery,
            recorder: &recorder,
            pending: Pending::default(),
            end,
        };
        if self.claims.is_none() {
            return run.records(lane).await;
        }
        // On the heap: it would make each lane's future three times as large, also where nothing is claimed.
        recorder.beside(Box::pin(run.records(lane))).await;
        if let Some(refusal) = recorder.refused() {
            run.end.unrecorded = Some(refusal.into());
        }
    }
}

impl BatchRun<'_> {
    /// Runs the records of a lane of a batch handler, chunk after chunk.
    async fn run_chunks(
        &self,
        route: &Route,
        lane: &[u32],
        delivery: &mut Delivery,
        end: &mut LaneEnd,
    ) {
        let recorder = Recorder::default();
        let Some(mut run) = ChunkRun::new(self, route, delivery, &recorder, end, None) else {
            return;
        };
        run.add(lane);
        let chunks = async {
            while run.ended_lanes().is_empty() {
                run.round().await;
            }
        };
        match &self.claims {
            Some(_) => recorder.beside(chunks).await,
            None => chunks.await,
        }
        if let Some(refusal) = recorder.refused() {
            end.unrecorded = Some(refusal.into());
        }
    }
}

impl<'r> LaneRun<'_, 'r> {
    async fn records(&mut self, lane: &[u32]) {
        let mut rest = lane;
        while !rest.is_empty() {
            let stopped = self.quick_records(&mut rest).await;
            let (Some((&index, behind)), Some(stopped)) = (rest.split_first(), stopped) else {
                break;
            };
            rest = behind;
            if self.one_record(index, stopped).await == Goes::NoFurther {
                return;
            }
        }
        self.send_pending().await;
    }

    /// Runs what runs without a wait. What is left begins with the record that does not.
    async fn quick_records<'l>(&mut self, rest: &mut &'l [u32]) -> Option<Stopped<'r>> {
        if !self.pending.letters.is_empty() {
            return Some(Stopped::Before);
        }
        let (batch, route) = (self.batch, self.route);
        let (ended, stopped) = poll_fn(|context| {
            let (delivery, end) = (&mut *self.delivery, &mut *self.end);
            Poll::Ready(batch.run_quickly(rest, route, delivery, end, context))
        })
        .await;
        *rest = &rest[ended..];
        stopped
    }

    async fn one_record(&mut self, index: u32, stopped: Stopped<'r>) -> Goes {
        let batch = self.batch;
        let record = &batch.records[index as usize];
        let prepared = match stopped {
            Stopped::Before => {
                batch.turns.record().await;
                if batch.skips(record) {
                    let over = End::of(Outcome::Skipped, 0, None);
                    self.end.ends.push((index, over));
                    return Goes::On;
                }
                if !batch.has_room_after(Duration::ZERO) {
                    return self.out_of_time().await;
                }
                let prepared = batch.prepare(record, self.route, self.delivery);
                prepared.map(|Prepared { route, key, taken }| (route, key, First::Taken(taken)))
            }
            Stopped::NotRun(not_run) => Err(not_run),
            Stopped::First(route, first) => Ok((route, None, first)),
        };
        match prepared {
            Ok((route, key, first)) => self.runs(index, (route, key), first).await,
            Err(NotRun::Rejected(rejection)) => self.rejected(index, rejection).await,
            Err(NotRun::Failed(problem)) => {
                if self.send_pending().await == Goes::On {
                    let over = End::of(Outcome::Failed, 0, Some(*problem));
                    self.end.ends.push((index, over));
                }
                Goes::NoFurther
            }
        }
    }

    /// The record's arguments are taken.
    async fn runs(
        &mut self,
        index: u32,
        (route, key): (&Route, Option<Arc<str>>),
        first: First<'r>,
    ) -> Goes {
        let batch = self.batch;
        let record = &batch.records[index as usize];
        if matches!(first, First::Taken(_)) {
            if self.send_pending().await == Goes::NoFurther {
                return Goes::NoFurther;
            }
            // An extractor or the destination may have taken what time there was.
            if !batch.has_room_after(Duration::ZERO) {
                return self.out_of_time().await;
            }
        }
        let with = (route, &mut *self.delivery);
        let over = match key {
            None => batch.run_record(record, with, first, None).await,
            // On the heap: it is large, and a claim costs a store's answer anyhow.
            Some(key) => {
                let run = batch.run_claimed(record, &key, with, first, self.recorder, self.end);
                match Box::pin(run).await {
                    Some(over) => over,
                    None => return self.out_of_time().await,
                }
            }
        };
        self.end.out_of_time |= over.outcome == Outcome::Unreached;
        let settled = over.outcome.is_settled();
        self.end.ends.push((index, over));
        match settled {
            true => Goes::On,
            false => Goes::NoFurther,
        }
    }

    async fn out_of_time(&mut self) -> Goes {
        self.end.out_of_time = true;
        self.send_pending().await;
        Goes::NoFurther
    }

    /// Before its handler: its letter waits for those of its neighbours.
    async fn rejected(&mut self, index: u32, rejection: Rejection) -> Goes {
        let record = &self.batch.records[index as usize];
        self.pending.indices.push(index);
        self.pending
            .letters
            .push(self.batch.letter(record, rejection, 0));
        match self.pending.letters.len() == DEAD_LETTERS_PER_SEND_MAX {
            true => self.send_pending().await,
            false => Goes::On,
        }
    }

    /// Sends what is pending. [`Goes::NoFurther`]: a record of it failed.
    async fn send_pending(&mut self) -> Goes {
        if self.pending.letters.is_empty() {
            return Goes::On;
        }
        let Pending { indices, letters } = std::mem::take(&mut self.pending);
        let batch = self.batch;
        let ends = match &batch.claims {
            Some(claims) => batch.deliver_unclaimed(claims, letters, self.end).await,
            None => batch.deliver(&letters).await,
        };
        let settled = ends.iter().all(|end| end.outcome.is_settled());
        self.end.ends.extend(indices.into_iter().zip(ends));
        match settled {
            true => Goes::On,
            false => Goes::NoFurther,
        }
    }
}
