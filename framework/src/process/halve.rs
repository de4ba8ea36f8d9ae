//! What comes after a call of a batch handler that has failed as a whole: it is made again, or with each half of its records. Called by `call` and `settle`.

use std::sync::Arc;
use std::time::Duration;

use crate::failure::{Next, Reason, Rejection};
use crate::process::chunk::{ChunkRun, Left, Segment};
use crate::process::tries::back_off;

impl<'l, 'r> ChunkRun<'l, 'r> {
    /// The call has failed as a whole.
    pub(super) async fn failed(
        &mut self,
        mut segment: Segment<'l, 'r>,
        reason: Reason,
        left: &mut Left<'l, 'r>,
    ) {
        let reason = Arc::new(reason);
        for item in &mut segment.items {
            item.why = Some(Arc::clone(&reason));
        }
        let after = reason.after.unwrap_or_default();
        let failed = match segment.items.as_mut_slice() {
            [alone] => {
                alone.failed += 1;
                alone.failed
            }
            _ => {
                segment.failed += 1;
                segment.failed
            }
        };
        let can_halve = segment.items.len() > 1 && self.chunks.bisects;
        if reason.next == Next::Reject {
            match can_halve {
                true => halve(segment, Duration::ZERO, left),
                false => {
                    let code = reason.code.unwrap_or(Rejection::BY_HANDLER);
                    let rejection = Rejection::new(code, reason.text.as_str());
                    let items = segment.items.into_iter();
                    let rejected = items.map(|item| (item, rejection.clone()));
                    self.reject_all(rejected.collect(), left).await;
                }
            }
            return;
        }
        let has_one_try = segment.is_part && can_halve && !reason.whole;
        if !has_one_try && failed < self.attempts_max() {
            segment.wait = back_off(failed).max(after);
            left.push(segment);
        } else if can_halve && !reason.whole {
            halve(segment, after, left);
        } else {
            self.exhausted(segment, &reason, left).await;
        }
    }

    /// The attempts are used up, and nothing is left to be halved.
    async fn exhausted(
        &mut self,
        segment: Segment<'l, 'r>,
        reason: &Reason,
        left: &mut Left<'l, 'r>,
    ) {
        let mut rejected = Vec::new();
        for item in segment.items {
            match self.batch.when_exhausted(reason, item.tries) {
                Ok(rejection) => rejected.push((item, rejection)),
                Err(end) => self.ended(item, end),
            }
        }
        self.reject_all(rejected, left).await;
    }
}

/// Two parts in place of the whole, the first of which is run next.
fn halve<'l, 'r>(mut segment: Segment<'l, 'r>, wait: Duration, left: &mut Left<'l, 'r>) {
    let behind = segment.items.split_off(segment.items.len() / 2);
    for items in [behind, segment.items] {
        let mut part = Segment::new(items);
        part.is_part = true;
        left.push(part);
    }
    if let Some(first) = left.last_mut() {
        first.wait = wait;
    }
}
