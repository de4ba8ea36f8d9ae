//! What is to happen, in the order of time. Of two things at one time, the one that was planned first comes first.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Agenda<T> {
    entries: BTreeMap<(u64, u64), T>,
    planned: u64,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            planned: 0,
        }
    }

    pub(crate) fn plan(&mut self, at_ms: u64, entry: T) {
        self.planned += 1;
        self.entries.insert((at_ms, self.planned), entry);
    }

    /// *None: nothing will happen any more.*
    pub(crate) fn next_ms(&self) -> Option<u64> {
        let ((at_ms, _), _) = self.entries.first_key_value()?;
        Some(*at_ms)
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, T)> {
        let ((at_ms, _), entry) = self.entries.pop_first()?;
        Some((at_ms, entry))
    }
}
