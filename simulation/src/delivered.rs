//! One invocation as the world knows it. Begun by `service`, ended by `endings`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use msk_mapping::machine::InvocationId as MachineId;

use crate::fact::{EnvironmentId, RecordId};

/// One invocation.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// *None: it is a dead letter that was fed back.*
    pub(crate) id: Option<MachineId>,
    pub(crate) body: Bytes,
    pub(crate) records: Vec<(RecordId, u32, i64)>,
    /// It is of the second cluster.
    pub(crate) is_seconds: bool,
    pub(crate) environment: EnvironmentId,
    /// By its process's steady clock: when it began there, and how much time it then had. *None: its clock said that there was none.*
    pub(crate) given_ms: Option<u64>,
    pub(crate) began_ms: u64,
    /// Its process has looked at it: the clock was read.
    pub(crate) was_begun: Arc<AtomicBool>,
    /// It was frozen: its clocks are no measure of it.
    pub(crate) was_frozen: bool,
    /// Its answer has left the process.
    pub(crate) answered: bool,
    pub(crate) heard: bool,
}

impl Delivered {
    /// The wall clock of its process jumps: one that has not begun yet reads what it shows then.
    pub(crate) fn clock_jumps(&mut self, jump_ms: i64) {
        if !self.was_begun.load(Ordering::Relaxed) {
            let given_ms = self.given_ms;
            self.given_ms = given_ms.and_then(|given_ms| given_ms.checked_sub_signed(jump_ms));
        }
    }

    pub(crate) fn is_overdue(&self, own_ms: u64) -> bool {
        let took_ms = own_ms - self.began_ms;
        !self.was_frozen && self.given_ms.is_some_and(|given_ms| took_ms >= given_ms)
    }
}
