//! One lane: its records one after the other, until one fails or time is up. Letters of records that are rejected before their handler, with no record that runs
//! between them, are sent together. Called by `run`.

use std::time::Duration;

use crate::delivery::Delivery;
use crate::destination::DeadLetter;
use crate::idempotency::{Recorder, Settled};
use crate::limits::DEAD_LETTERS_PER_SEND_MAX;
use crate::outcome::Outcome;

use crate::process::attempt::{First, Taken};
use crate::process::batch::BatchRun;
use crate::process::end::{End, LaneEnd};
use crate::process::prepare::NotRun;
use crate::record::Record;

/// Records of a lane that are rejected before their handler, and with no record that runs between them: their letters are sent in one call.
#[derive(Default)]
struct Pending {
    indices: Vec<u32>,
    letters: Vec<DeadLetter>,
}

impl BatchRun<'_> {
    /// Runs the records of a lane in order until one fails or time is up. How a claimed record has ended is recorded beside whatever the lane does next.
    pub(super) async fn run_lane(&self, lane: &[u32], delivery: &mut Delivery, end: &mut LaneEnd) {
        end.ends.reserve(lane.len());
        let recorder = Recorder::default();
        let records = self.run_records(lane, delivery, &recorder, end);
        if self.claims.is_none() {
            return records.await;
        }
        recorder.beside(records).await;
        if let Some(refusal) = recorder.refused() {
            end.unrecorded = Some(refusal.into());
        }
    }

    async fn run_records<'r>(
        &'r self,
        lane: &[u32],
        delivery: &mut Delivery,
        recorder: &Recorder<'r>,
        end: &mut LaneEnd,
    ) {
        let mut pending = Pending::default();
        let topic = lane
            .first()
            .map(|&first| self.records[first as usize].topic());
        let route = topic.and_then(|topic| self.processor.route(topic));
        for &index in lane {
            self.turns.record().await;
            let record = &self.records[index as usize];
            if self.skips(record) {
                end.ends.push((index, End::of(Outcome::Skipped, 0, None)));
                continue;
            }
            if !self.has_room_after(Duration::ZERO) {
                end.out_of_time = true;
                break;
            }
            let (known, first) = match self.prepare(record, route, delivery) {
                Ok(ready) => ready,
                Err(NotRun::Unhandled(problem)) => {
                    if self.send_pending(&mut pending, end).await {
                        let over = End::of(Outcome::Failed, 0, Some(problem));
                        end.ends.push((index, over));
                    }
                    return;
                }
                Err(NotRun::Rejected(rejection)) => {
                    pending.indices.push(index);
                    pending.letters.push(self.letter(record, &rejection, 0));
                    let full = pending.letters.len() == DEAD_LETTERS_PER_SEND_MAX;
                    if full && !self.send_pending(&mut pending, end).await {
                        return;
                    }
                    continue;
                }
            };
            if !pending.letters.is_empty() {
                if !self.send_pending(&mut pending, end).await {
                    return;
                }
            }
            // An extractor or the destination may have taken what time there was.
            if !self.has_room_after(Duration::ZERO) {
                end.out_of_time = true;
                return;
            }
            let with = (known.route, &mut *delivery);
            let over = match &known.key {
                None => match self.start(record, first).await {
                    // Most handlers in most lanes, if they wait for nothing.
                    First::Begun(begun) if begun.is_done() => {
                        self.remember(record, Settled::Done);
                        End::of(Outcome::Done, 1, None)
                    }
                    first => self.run_record(record, with, first, None).await,
                },
                // On the heap: it is large, and a claim costs a store's answer anyhow.
                Some(key) => {
                    let run = self.run_claimed(record, key, with, first, recorder, end);
                    match Box::pin(run).await {
                        Some(over) => over,
                        None => break,
                    }
                }
            };
            end.out_of_time |= over.outcome == Outcome::Unreached;
            let settled = over.outcome.is_settled();
            end.ends.push((index, over));
            if !settled {
                return;
            }
        }
        self.send_pending(&mut pending, end).await;
    }

    /// Starts the record's first try, if nothing has to be waited for before that.
    async fn start(&self, record: &Record, first: Taken) -> First<'_> {
        match first {
            Ok(run) if self.is_its_turn(record) => First::Begun(self.begin(record, run).await),
            taken => First::Taken(taken),
        }
    }

    /// Sends what is pending. False: a record of it failed, so the lane stops.
    async fn send_pending(&self, pending: &mut Pending, end: &mut LaneEnd) -> bool {
        let Pending { indices, letters } = std::mem::take(pending);
        if letters.is_empty() {
            return true;
        }
        let ends = match &self.claims {
            Some(claims) => self.deliver_unclaimed(claims, letters, end).await,
            None => self.deliver(&letters).await,
        };
        let settled = ends.iter().all(|end| end.outcome.is_settled());
        end.ends.extend(indices.into_iter().zip(ends));
        settled
    }
}
