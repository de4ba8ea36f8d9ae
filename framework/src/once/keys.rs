//! Records that are known by what they hold: which keys a transaction takes, and which it gives back. Called by `once`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::chunk::Chunk;
use crate::failure::{Failure, Next, Rejection};
use crate::idempotency::PerRecord;
use crate::limits::LEDGER_AGE_MS_MAX;
use crate::once::ranges::not_fresh;
use crate::outcomes::Outcomes;

/// The keys of a chunk.
#[derive(Debug)]
pub(super) struct Keys {
    /// Of the chunk.
    records: usize,
    /// By id: the index of the chunk, and the hash of the payload.
    keys: BTreeMap<Arc<str>, (usize, Option<Arc<str>>)>,
    /// Records that hold no key, or that of another record of the chunk.
    unfit: BTreeMap<usize, Failure>,
    pub(super) expires_s: i64,
    pub(super) now_s: i64,
    taken: BTreeSet<Arc<str>>,
    mismatched: Vec<usize>,
}

impl Keys {
    pub(super) fn of(chunk: &Chunk, per_record: &PerRecord) -> Self {
        let invocation = chunk.invocation();
        let now_s = (invocation.clock.now_ms() / 1000).cast_signed();
        let age = per_record
            .expiry()
            .unwrap_or(Duration::from_millis(LEDGER_AGE_MS_MAX));
        let mut keys = Self {
            records: chunk.len(),
            keys: BTreeMap::new(),
            unfit: BTreeMap::new(),
            expires_s: now_s.saturating_add_unsigned(age.as_secs()),
            now_s,
            taken: BTreeSet::new(),
            mismatched: Vec::new(),
        };
        for (index, record) in chunk.records().enumerate() {
            let key = per_record.key(&invocation.namespace, &invocation.cluster, &record);
            let unfit = match key {
                Err(rejection) => Failure::reject(rejection.message).code(rejection.code),
                Ok(key) if keys.keys.contains_key(&key) => {
                    Failure::retry("another record of this call has its idempotency key")
                        .code("once.same_key")
                }
                Ok(key) => {
                    keys.keys
                        .insert(key, (index, per_record.validation(&record)));
                    continue;
                }
            };
            keys.unfit.insert(index, unfit);
        }
        keys
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.keys.keys().map(|id| &**id).collect()
    }

    pub(super) fn validations(&self) -> Vec<Option<&str>> {
        let validations = self
            .keys
            .values()
            .map(|(_, validation)| validation.as_deref());
        validations.collect()
    }

    /// A key is this transaction's.
    pub(super) fn took(&mut self, id: &str) {
        if let Some((id, _)) = self.keys.get_key_value(id) {
            self.taken.insert(Arc::clone(id));
        }
    }

    /// The keys that others hold.
    pub(super) fn others(&self) -> Vec<&str> {
        let ids = self.keys.keys().filter(|id| !self.taken.contains(*id));
        ids.map(|id| &**id).collect()
    }

    /// A key that another transaction holds, with the hash of its payload.
    pub(super) fn stands(&mut self, id: &str, validation: Option<&str>) {
        if let Some((index, Some(own))) = self.keys.get(id)
            && validation.is_some_and(|validation| validation != &**own)
        {
            self.mismatched.push(*index);
        }
    }

    pub(super) fn fresh(&self) -> Vec<usize> {
        let taken = self.keys.iter().filter(|(id, _)| self.taken.contains(*id));
        let mut fresh: Vec<usize> = taken.map(|(_, (index, _))| *index).collect();
        fresh.sort_unstable();
        fresh
    }

    /// The keys to give back, and the outcomes of all.
    ///
    /// # Errors
    ///
    /// Something was said of a record that was not fresh, of an index that is out of range, or twice of one; or the outcomes are those of another batch.
    pub(super) fn settle(
        self,
        mut outcomes: Outcomes,
    ) -> Result<(Outcomes, Vec<Arc<str>>), Failure> {
        // Checked here, before the effects are committed: the engine looks only after that.
        let said = outcomes.said(self.records)?;
        let fresh: BTreeSet<usize> = self.fresh().into_iter().collect();
        if let Some(index) = said.difference(&fresh).next() {
            return Err(not_fresh(*index));
        }
        let undone = self
            .keys
            .iter()
            .filter(|(_, (index, _))| said.contains(index));
        let undone = undone.map(|(id, _)| Arc::clone(id)).collect();
        for index in self.mismatched {
            let Rejection { code, message, .. } = Rejection::mismatch();
            outcomes.reject(index, Failure::reject(message).code(code));
        }
        for (index, failure) in self.unfit {
            match failure.next() {
                Next::Reject => outcomes.reject(index, failure),
                Next::Retry => outcomes.retry(index, failure),
            }
        }
        Ok((outcomes, undone))
    }
}
