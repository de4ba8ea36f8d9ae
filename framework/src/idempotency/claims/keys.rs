//! Records of one key in one invocation: while one lane works on the key, the others wait for it here, and ask the store when there is something to hear.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::idempotency::watched::Watched;

/// The keys that lanes of one invocation have to do with.
#[derive(Debug, Default)]
pub(super) struct Keys(Watched<BTreeMap<Arc<str>, KeyState>>);

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyState {
    /// A lane works on it: from before its claim until its end is recorded.
    Worked,
    /// A record of it is settled: who asks the store is told at once, and nobody waits for anybody.
    Settled,
}

impl Keys {
    /// Waits while another lane works on a record of that key. *None: one is settled.*
    pub(super) async fn work_on(&self, id: &Arc<str>) -> Option<Work<'_>> {
        let not_worked = |keys: &BTreeMap<Arc<str>, KeyState>| match keys.get(id) {
            Some(KeyState::Worked) => None,
            other => Some(other.copied()),
        };
        if self.0.wait_for(not_worked).await == Some(KeyState::Settled) {
            return None;
        }
        // Lanes are of one task: nobody was between the two.
        let worked = KeyState::Worked;
        self.0.set(|keys| keys.insert(Arc::clone(id), worked));
        let id = Arc::clone(id);
        Some(Work { keys: self, id })
    }
}

/// A lane's work on a key, until it is dropped.
#[derive(Debug)]
pub(super) struct Work<'c> {
    keys: &'c Keys,
    id: Arc<str>,
}

impl Work<'_> {
    /// The store knows that a record of the key is settled.
    pub(super) fn settled(&self) {
        let (id, settled) = (Arc::clone(&self.id), KeyState::Settled);
        self.keys.0.set(|keys| keys.insert(id, settled));
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.keys.0.change(|keys| {
            if keys.get(&self.id) == Some(&KeyState::Worked) {
                keys.remove(&self.id);
            }
        });
    }
}
