//! Records whose handlers wait for nothing: run one after the other in one poll of their lane, without a step that may wait. Called by `lane`, which takes over where one has to be
//! waited for, or has not ended well.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::delivery::Delivery;
use crate::handler::Route;
use crate::idempotency::Settled;
use crate::outcome::Outcome;
use crate::process::attempt::{Begun, First};
use crate::process::batch::BatchRun;
use crate::process::end::{End, LaneEnd};
use crate::process::polled::Polled;
use crate::process::prepare::{NotRun, Prepared};

/// The record that could not be run quickly: how far it came.
pub(super) enum Stopped<'a> {
    /// It was not looked at.
    Before,
    /// It will not run.
    NotRun(NotRun),
    /// Its arguments were taken, or its first try has begun.
    First(&'a Route, First<'a>),
}

impl<'a> BatchRun<'a> {
    /// Runs records of a lane for as long as that goes quickly. The number of those that ended, and how far the next one came. *None: there is no next one.*
    pub(super) fn run_quickly(
        &'a self,
        lane: &[u32],
        route: Option<&'a Route>,
        delivery: &mut Delivery,
        end: &mut LaneEnd,
        context: &mut Context<'_>,
    ) -> (usize, Option<Stopped<'a>>) {
        for (at, &index) in lane.iter().enumerate() {
            match self.run_one_quickly(index, route, delivery, context) {
                Ok(over) => end.ends.push((index, over)),
                Err(stopped) => return (at, Some(stopped)),
            }
        }
        (lane.len(), None)
    }

    #[expect(
        clippy::result_large_err,
        reason = "moved once, where a handler waits: a box would cost each of these an allocation"
    )]
    #[inline]
    fn run_one_quickly(
        &'a self,
        index: u32,
        route: Option<&'a Route>,
        delivery: &mut Delivery,
        context: &mut Context<'_>,
    ) -> Result<End, Stopped<'a>> {
        if self.claims.is_some() || !self.turns.record_now() {
            return Err(Stopped::Before);
        }
        let record = &self.records[index as usize];
        if self.skips(record) {
            return Ok(End::of(Outcome::Skipped, 0, None));
        }
        if !self.has_room_after(Duration::ZERO) {
            return Err(Stopped::Before);
        }
        let prepared = self.prepare(record, route, delivery);
        // By key nothing runs here: there are no claims.
        let Prepared { route, taken, .. } = prepared.map_err(Stopped::NotRun)?;
        // An extractor may have taken what time there was.
        if !self.has_room_after(Duration::ZERO) || !self.is_its_turn(record) {
            return Err(Stopped::First(route, First::Taken(taken)));
        }
        let run = match taken {
            Ok(run) => run,
            Err(panicked) => return Err(Stopped::First(route, First::Taken(Err(panicked)))),
        };
        let mut run = Polled::new(run, &self.turns, self.scope(record, 1));
        let ended = match Pin::new(&mut run).poll(context) {
            Poll::Ready(ended) => {
                self.measure_only_run(record, &run);
                Some(ended)
            }
            Poll::Pending => {
                self.started(record, run.first_ns());
                None
            }
        };
        if let Some(Ok(Ok(()))) = ended {
            self.remember(record, Settled::Done);
            return Ok(End::of(Outcome::Done, 1, None));
        }
        Err(Stopped::First(route, First::Begun(Begun::new(run, ended))))
    }
}
