//! Records of one key in one invocation: while one lane works on the key, the others wait for it here, and ask the store when there is something to hear.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::idempotency::watched::Watched;

/// The keys that lanes of one invocation work on.
#[derive(Debug, Default)]
pub(super) struct Turns(Watched<BTreeMap<Arc<str>, Key>>);

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// A lane works on it: from before its claim until its end is recorded.
    Worked,
    /// A record of it is settled: who asks the store is told at once, and nobody waits for anybody.
    Settled,
}

impl Turns {
    /// Waits while another lane works on a record of that key. *None: one is settled.*
    pub(super) async fn take(&self, id: &Arc<str>) -> Option<Turn<'_>> {
        let not_worked = |keys: &BTreeMap<Arc<str>, Key>| match keys.get(id) {
            Some(Key::Worked) => None,
            other => Some(other.copied()),
        };
        let stands = self.0.wait_for(not_worked).await;
        if stands == Some(Key::Settled) {
            return None;
        }
        // Lanes are of one task: nobody was between the two.
        self.0.set(|keys| keys.insert(Arc::clone(id), Key::Worked));
        let id = Arc::clone(id);
        Some(Turn { turns: self, id })
    }
}

/// A lane's turn at a key, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'c> {
    turns: &'c Turns,
    id: Arc<str>,
}

impl Turn<'_> {
    /// The store knows that a record of the key is settled.
    pub(super) fn settled(&self) {
        let settled = |keys: &mut BTreeMap<_, _>| keys.insert(Arc::clone(&self.id), Key::Settled);
        self.turns.0.set(settled);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.0.change(|keys| {
            if keys.get(&self.id) == Some(&Key::Worked) {
                keys.remove(&self.id);
            }
        });
    }
}
