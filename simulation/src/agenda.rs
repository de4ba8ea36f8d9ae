//! What is to happen, in the order of time. Of two things at one time, the one that was planned first comes first.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Agenda<E> {
    events: BTreeMap<(u64, u64), E>,
    planned: u64,
}

impl<E> Agenda<E> {
    pub(crate) fn new() -> Self {
        Self {
            events: BTreeMap::new(),
            planned: 0,
        }
    }

    pub(crate) fn plan(&mut self, at_ms: u64, event: E) {
        self.planned += 1;
        self.events.insert((at_ms, self.planned), event);
    }

    /// *None: nothing will happen any more.*
    pub(crate) fn next_ms(&self) -> Option<u64> {
        let ((at_ms, _), _) = self.events.first_key_value()?;
        Some(*at_ms)
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        let ((at_ms, _), event) = self.events.pop_first()?;
        Some((at_ms, event))
    }
}
