//! A build that checks no records: they go to the machine as they come.

use super::no_checks::Outcome;
use super::state::Run;
use crate::driver::error::Error;
use crate::driver::member::{Command, Happening};
use crate::machine::PollerId;
use crate::record::TopicPartition;

impl Run {
    pub(super) fn awaits(&self, _: PollerId, happening: Happening) -> Option<Happening> {
        Some(happening)
    }

    pub(super) fn checked(&mut self, outcome: Outcome) {
        match outcome {}
    }

    pub(super) fn is_validating(&self) -> bool {
        self.validation.is_some()
    }

    pub(super) fn registry_is_gone(&self) -> Option<Error> {
        None
    }

    pub(super) fn paces(&self, poller: PollerId, partition: TopicPartition, polls: bool) {
        self.tell(poller, Command::paced(partition, polls));
    }
}
