//! A destination that keeps letters in memory, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use crate::destination::{DeadLetter, Destination, SendError};

/// A destination that keeps letters in memory, for tests of rejections. Clones share the letters. Unbounded.
#[derive(Clone, Debug, Default)]
pub struct MemoryDestination {
    letters: Arc<Mutex<Vec<DeadLetter>>>,
}

impl MemoryDestination {
    /// Creates an empty destination.
    pub fn new() -> Self {
        Self::default()
    }

    /// The letters so far, in the order of their arrival.
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
