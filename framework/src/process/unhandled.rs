//! Records whose topic has no handler: what becomes of them, and how many there are.

use std::collections::BTreeMap;

use crate::process::Processor;
use crate::record::Record;

/// What becomes of a record whose topic has no handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenUnhandled {
    /// It is rejected with `reject.no_handler`: it goes to the destination, and Lambda commits it.
    Reject,
    /// It is Failed with `handler.missing`: Lambda sends it again, until a function with a handler is deployed.
    Fail,
}

impl Processor {
    /// A batch of which nothing has a handler is no poison but a fault of the deployment: rejected, the whole topic would drain into the destination.
    pub(super) fn fails_unhandled(&self, records: &[Record]) -> bool {
        match self.when_unhandled {
            Some(WhenUnhandled::Fail) => true,
            Some(WhenUnhandled::Reject) => false,
            None => records
                .iter()
                .all(|record| self.route(record.topic()).is_none()),
        }
    }

    /// The topics without a handler, each with the number of its records.
    pub(super) fn unhandled(&self, records: &[Record]) -> BTreeMap<String, usize> {
        let mut topics = BTreeMap::new();
        for records in records.chunk_by(|one, next| one.topic() == next.topic()) {
            let topic = records[0].topic();
            if self.route(topic).is_none() {
                *topics.entry(topic.to_owned()).or_default() += records.len();
            }
        }
        topics
    }
}
