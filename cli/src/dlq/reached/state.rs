//! What the topic has of one letter, and what a cluster has of several.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::dlq::letter::Event;
use crate::fault::Fault;

/// What the topic has of one letter.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) found: usize,
    /// Offsets without a record: compacted away, or a marker of a transaction.
    pub(crate) compacted: i64,
    /// Offsets before the first one of the partition.
    pub(crate) deleted: i64,
    /// The topic was made anew: its first or last record has another time, or its end is before them.
    pub(crate) another: bool,
    /// The letter has no time of its first or last record, so nothing tells whether the topic was made anew.
    pub(crate) timeless: bool,
    /// Records between the first and the last with a time outside of theirs, as CREATE_TIME allows.
    pub(crate) outside: usize,
    /// When the topic's retention may delete the first of them. None: never for their age, or nobody tells.
    pub(crate) until: Option<Timestamp>,
    /// None: nothing was found.
    pub(crate) event: Option<Event>,
}

/// What a cluster answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// By the letter's id.
    pub(super) states: BTreeMap<String, State>,
    /// The topics that it does not give.
    pub(super) topics: Vec<String>,
    /// Why it does not give the first of them.
    pub(super) refusal: Option<Fault>,
}

impl State {
    /// Whether all of the letter is there, and is the letter's. A marker cannot be told from a record that was compacted away.
    pub(crate) fn is_whole(&self) -> bool {
        let missing = self.compacted + self.deleted;
        self.found > 0 && missing == 0 && !self.another && !self.timeless
    }

    /// The state in words.
    pub(crate) fn text(&self) -> String {
        let mut parts = Vec::new();
        if self.another {
            parts.push("another record: the topic was made anew".to_owned());
        }
        if self.found > 0 && !self.another {
            parts.push(format!("{} found", self.found));
        }
        for (count, what) in [
            (self.compacted, "compacted or a marker"),
            (self.deleted, "deleted by retention"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if self.timeless && self.found > 0 {
            parts.push("the letter has no times that tell whether they are its records".to_owned());
        }
        if self.outside > 0 {
            parts.push(format!(
                "{} with a time outside of the batch's",
                self.outside
            ));
        }
        if parts.is_empty() {
            parts.push("nothing found".to_owned());
        }
        parts.join(", ")
    }
}
