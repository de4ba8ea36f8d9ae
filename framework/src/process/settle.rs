//! What becomes of a chunk: its calls, one after the other, until each of its records has ended. A chunk that fails is tried again whole, then halved in place until the
//! culprit stands alone. Decides; `call` calls.

use std::sync::Arc;

use crate::failure::{Reason, Rejection};
use crate::idempotency::{ClaimEnd, Settled, Undone};
use crate::outcome::Outcome;
use crate::outcomes::{OUTCOMES_CODE, Outcomes, Said};
use crate::process::call::Called;
use crate::process::chunk::{ChunkRun, Item, Left, Segment, claims_of};
use crate::process::claimed::keeping_all;
use crate::process::end::End;
use crate::process::gather::Gathered;
use crate::process::tries::{NO_TIME, RETRY_AFTER_MAX, back_off};

impl<'l, 'r> ChunkRun<'l, 'r> {
    /// Runs a chunk until each of its records has ended.
    pub(super) async fn settle(&mut self, gathered: Gathered<'l, 'r>) {
        let mut left: Left<'l, 'r> = Vec::new();
        for (mut item, reason) in gathered.panicked {
            item.tries.made += 1;
            let claims: Vec<_> = gathered.segment.claims().collect();
            let failed = Box::pin(self.failed(Segment::new(vec![item]), reason, &mut left));
            keeping_all(&claims, failed).await;
        }
        left.push(gathered.segment);
        while let Some(mut segment) = left.pop() {
            for item in segment.take_out(|item| self.is_stopped(item)) {
                self.unreached(&item);
            }
            if segment.items.is_empty() {
                continue;
            }
            if !self.has_waited(&segment, &left).await {
                self.no_time(segment);
                continue;
            }
            match self.call(segment, &mut left).await {
                Called::Done(segment, said) => self.done(segment, said, &mut left).await,
                Called::Failed(segment, reason) => self.failed(segment, reason, &mut left).await,
                Called::NoTime(segment) => self.no_time(segment),
                Called::Dropped(segment) => {
                    for item in segment.items {
                        let end = End::dropped(item.tries.started);
                        self.ended(item, end);
                    }
                }
                Called::Nothing => {}
            }
        }
    }

    /// Backs off. False: no time is left for that.
    async fn has_waited(&self, segment: &Segment<'l, 'r>, left: &Left<'l, 'r>) -> bool {
        let wait = segment.wait;
        if wait > RETRY_AFTER_MAX || !self.batch.has_room_after(wait) {
            return false;
        }
        if !wait.is_zero() {
            let claims = claims_of(segment, left);
            // A place is for what runs, not for what waits.
            let waits = self.batch.places.outside(tokio::time::sleep(wait));
            keeping_all(&claims, waits).await;
        }
        true
    }

    fn no_time(&mut self, segment: Segment<'l, 'r>) {
        for item in segment.items {
            match item.why.clone() {
                Some(why) => {
                    let end = End::failed(&why, NO_TIME, item.tries.started);
                    self.ended(item, end);
                }
                None => {
                    self.end.out_of_time = true;
                    self.ended(item, End::unreached());
                }
            }
        }
    }

    /// The handler has ended well, and said something of single records or nothing.
    async fn done(
        &mut self,
        segment: Segment<'l, 'r>,
        said: Option<Outcomes>,
        left: &mut Left<'l, 'r>,
    ) {
        let said = said.map(|said| said.of(segment.items.len())).transpose();
        let mut words = match said {
            Ok(said) => said.unwrap_or_default(),
            Err(fault) => {
                let reason = Reason::retry(OUTCOMES_CODE, fault);
                return self.failed(segment, reason, left).await;
            }
        };
        let mut rejected = Vec::new();
        let mut again = Segment::new(Vec::new());
        for (at, item) in segment.items.into_iter().enumerate() {
            let Some(said) = words.remove(&at) else {
                let record = &self.batch.records[item.index as usize];
                self.batch.remember(record, Settled::Done);
                let end = End::of(Outcome::Done, item.tries.started, None);
                self.ended(item, end);
                continue;
            };
            match said {
                Said::Reject(reason) => {
                    let code = reason.code.unwrap_or(Rejection::BY_HANDLER);
                    rejected.push((item, Rejection::new(code, reason.text)));
                }
                Said::Retry(reason) => self.said_again(item, reason, &mut again, &mut rejected),
                Said::Fail(reason) => {
                    item.stands(ClaimEnd::Released(Some(Undone::Failed)));
                    let end = End::failed(&reason, &item.tries.to_string(), item.tries.started);
                    self.ended(item, end);
                }
                Said::NotReached => self.unreached(&item),
            }
        }
        let beside = left.len();
        left.push(again);
        self.reject_all(rejected, left).await;
        if left[beside].items.is_empty() {
            left.truncate(beside);
        }
    }

    /// The handler says that the record is not done.
    fn said_again(
        &mut self,
        mut item: Item<'l, 'r>,
        reason: Reason,
        again: &mut Segment<'l, 'r>,
        rejected: &mut Vec<(Item<'l, 'r>, Rejection)>,
    ) {
        item.stands(ClaimEnd::Released(Some(Undone::Failed)));
        item.failed += 1;
        if item.failed >= self.attempts_max() {
            match self.batch.when_exhausted(&reason, item.tries) {
                Ok(rejection) => rejected.push((item, rejection)),
                Err(end) => self.ended(item, end),
            }
            return;
        }
        let wait = back_off(item.failed).max(reason.after.unwrap_or_default());
        // Of this record alone: others that are tried again with it may have the time.
        if wait > RETRY_AFTER_MAX || !self.batch.has_room_after(wait) {
            let end = End::failed(&reason, NO_TIME, item.tries.started);
            self.ended(item, end);
            return;
        }
        again.wait = again.wait.max(wait);
        item.why = Some(Arc::new(reason));
        again.items.push(item);
    }
}
