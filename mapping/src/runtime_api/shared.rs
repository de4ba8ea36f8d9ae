//! What the server's connections share with whoever waits for the function.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::identity::Identity;
use super::state::State;
use crate::invocation::FunctionError;

/// The state of the function's start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// It has not asked for an event yet.
    Starting,
    /// It has asked for an event.
    Ready,
    /// It has reported that it cannot start.
    Failed(FunctionError),
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) identity: Identity,
    pub(super) state: Mutex<State>,
    pub(super) offered: Notify,
    pub(super) told: Notify,
    pub(super) readiness: watch::Sender<Readiness>,
    pub(super) open: watch::Sender<usize>,
}

impl Shared {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            state: Mutex::default(),
            offered: Notify::new(),
            told: Notify::new(),
            readiness: watch::Sender::new(Readiness::Starting),
            open: watch::Sender::new(0),
        }
    }

    /// Held for a few moves of memory, never across an await.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn function_is_ready(&self) {
        self.readiness.send_if_modified(|readiness| {
            let starting = *readiness == Readiness::Starting;
            if starting {
                *readiness = Readiness::Ready;
            }
            starting
        });
    }

    /// Whether the report is taken: only the first one, and only during init.
    pub(super) fn function_has_failed(&self, error: FunctionError) -> bool {
        self.readiness.send_if_modified(|readiness| {
            let starting = *readiness == Readiness::Starting;
            if starting {
                *readiness = Readiness::Failed(error);
            }
            starting
        })
    }
}
