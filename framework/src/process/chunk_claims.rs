//! The claims of a chunk: all are made at once, before it runs.
//!
//! No chunk that holds a claim waits for another one's, or two of them might wait for each other. Of each lane a chunk runs what stands before the first record that somebody else works on; only
//! where nothing else is to run is one record waited for, with nothing held meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::failure::Rejection;
use crate::idempotency::{Claim, Claimed, Claims, Held, Refusal};
use crate::outcome::Outcome;
use crate::process::chunk::{ChunkRun, Item};
use crate::process::claimed::keeping_all;
use crate::process::end::End;
use crate::process::gather::Gathered;
use crate::report::Problem;

/// What claiming one record has come to. *None: it is known by where it stands.*
type Taken<'l, 'r> = Option<Result<Claimed<'l, 'r>, Refusal>>;

/// A record that does not run in this chunk.
enum Out {
    Ended(End),
    Rejected(Rejection),
    /// Somebody works on it, or on one before it.
    Back,
}

impl<'l, 'r> ChunkRun<'l, 'r> {
    /// Claims what is to run. How the chunk before has ended is recorded beside that, and before the handler: a kill costs one chunk a lane.
    pub(super) async fn claim_all(
        &mut self,
        claims: &'r Claims<'r>,
        gathered: &mut Gathered<'l, 'r>,
    ) {
        let items = |gathered: &Gathered<'l, 'r>| {
            let panicked = gathered.panicked.iter().map(|(item, _)| item);
            let all = gathered.segment.items.iter().chain(panicked);
            all.map(|item| (item.index, item.key.clone())).collect()
        };
        let wanted: Vec<(u32, Option<Arc<str>>)> = items(gathered);
        let taken = self.claim_each(claims, &wanted).await;
        let mut outs = self.sort_out(gathered, taken);
        let out = |item: &Item<'_, '_>| outs.contains_key(&item.index);
        let mut items = gathered.segment.take_out(out);
        let panicked = std::mem::take(&mut gathered.panicked).into_iter();
        let (out, stay): (Vec<_>, Vec<_>) = panicked.partition(|(item, _)| out(item));
        gathered.panicked = stay;
        items.extend(out.into_iter().map(|(item, _)| item));
        let mut rejected = Vec::new();
        let has_back = outs.values().any(|out| matches!(out, Out::Back));
        // The last comes first: what goes back comes before what was not taken.
        for item in items.into_iter().rev() {
            match outs.remove(&item.index) {
                Some(Out::Ended(end)) => self.ended(item, end),
                Some(Out::Rejected(rejection)) => rejected.push((item, rejection)),
                Some(Out::Back) | None => self.lanes[item.lane].back.push_front(item.index),
            }
        }
        // Else the next chunk would find the same.
        let is_empty = gathered.segment.items.is_empty() && gathered.panicked.is_empty();
        self.waits_for_claim = is_empty && has_back;
        rejected.reverse();
        self.reject_all(rejected, std::slice::from_ref(&gathered.segment))
            .await;
        let panicked = gathered.panicked.iter().map(|(item, _)| item);
        let held = gathered.segment.items.iter().chain(panicked);
        let held = held.filter_map(|item| item.claim.as_ref());
        let held: Vec<Arc<Claim<'_>>> = held.map(Held::shared).collect();
        keeping_all(&held, self.recorder.recorded()).await;
        self.batch.turns.look();
    }

    async fn claim_each(
        &self,
        claims: &'r Claims<'r>,
        wanted: &[(u32, Option<Arc<str>>)],
    ) -> Vec<Taken<'l, 'r>> {
        let (batch, recorder) = (self.batch, self.recorder);
        let claim = async |(index, key): &(u32, Option<Arc<str>>), waits| match key {
            Some(key) => {
                let record = &batch.records[*index as usize];
                let key = Arc::clone(key);
                Some(claims.claim(recorder, key, record, waits).await)
            }
            None => None,
        };
        let (first, others) = match (self.waits_for_claim, wanted) {
            // Nothing is held meanwhile.
            (true, [first, others @ ..]) => (vec![claim(first, true).await], others),
            (_, all) => (Vec::new(), all),
        };
        let others = join_all(others.iter().map(|wanted| claim(wanted, false))).await;
        let taken = first.into_iter().chain(others).collect();
        batch.turns.look();
        taken
    }

    /// Puts claims to their records, and says which records do not run.
    fn sort_out(
        &mut self,
        gathered: &mut Gathered<'l, 'r>,
        taken: Vec<Taken<'l, 'r>>,
    ) -> BTreeMap<u32, Out> {
        let mut outs = BTreeMap::new();
        let mut cut = vec![false; self.lanes.len()];
        let panicked = gathered.panicked.iter_mut().map(|(item, _)| item);
        let items = gathered.segment.items.iter_mut().chain(panicked);
        for (item, taken) in items.zip(taken) {
            let out = match taken {
                Some(Ok(Claimed::Ours(claim))) => {
                    item.claim = Some(claim);
                    cut[item.lane].then_some(Out::Back)
                }
                _ if cut[item.lane] => Some(Out::Back),
                None => None,
                Some(Ok(Claimed::WithoutStore(why))) => {
                    self.end.without_store = Some(why);
                    None
                }
                Some(Ok(Claimed::Busy)) => {
                    cut[item.lane] = true;
                    Some(Out::Back)
                }
                Some(Ok(Claimed::Settled)) => Some(Out::Ended(End::of(Outcome::Skipped, 0, None))),
                Some(Ok(Claimed::Mismatch)) => Some(Out::Rejected(Rejection::mismatch())),
                // No batch handler promises "at most once".
                Some(Ok(Claimed::Unknown(..))) => Some(Out::Ended(End::unreached())),
                Some(Err(refusal)) => {
                    let problem = Some(Problem::from(refusal));
                    Some(Out::Ended(End::of(Outcome::Failed, 0, problem)))
                }
            };
            if let Some(out) = out {
                outs.insert(item.index, out);
            }
        }
        outs
    }
}
