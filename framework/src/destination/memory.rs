//! A destination that keeps letters in memory, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use crate::destination::{DeadLetter, Destination, SendError};

/// Keeps letters in memory, for tests of what is rejected. Clones share what they keep. Unbounded.
#[derive(Clone, Debug, Default)]
pub struct MemoryDestination {
    letters: Arc<Mutex<Vec<DeadLetter>>>,
}

impl MemoryDestination {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The letters so far, in the order in which they came.
    pub fn letters(&self) -> Vec<DeadLetter> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<DeadLetter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Destination for MemoryDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        self.lock().extend_from_slice(letters);
        letters.iter().map(|_| Ok(())).collect()
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
