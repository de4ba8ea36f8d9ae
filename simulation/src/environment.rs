//! A process of the function as the world knows it: what it is at, and how it is. Changed by `service`, `endings` and `trouble`.

use std::collections::BTreeSet;
use std::sync::Arc;

use lambda_msk::Consumer;

use crate::fact::InvocationId;
use crate::function::Answered;
use crate::inside::Inside;
use crate::process::{Freeze, Process};

/// A process of the function.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) process: Process<Answered>,
    pub(crate) inside: Arc<Inside>,
    pub(crate) consumer: Consumer,
    /// What it was given and has not answered.
    pub(crate) busy: BTreeSet<InvocationId>,
    pub(crate) frozen: bool,
    pub(crate) dead: bool,
    pub(crate) freeze: Freeze,
    /// Calls since its last invocation began, and at which one it is killed.
    pub(crate) calls: u64,
    pub(crate) killed_at_call: Option<u64>,
    /// How far its wall clock is ahead.
    pub(crate) ahead_ms: i64,
    pub(crate) at_most_once: bool,
}

impl Environment {
    pub(crate) fn is_driven(&self) -> bool {
        self.process.is_running() && !self.frozen && !self.dead
    }

    pub(crate) fn is_busy(&self) -> bool {
        !self.busy.is_empty() && !self.dead
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.dead
    }
}
