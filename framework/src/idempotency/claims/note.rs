//! What an item says of its record, beside what Powertools reads. Written by `claim`, judged by `claims`.

use serde::{Deserialize, Serialize};

use crate::idempotency::store::{Item, Status, Version};

/// What an item's data says, beside what Powertools reads. Its own functions' results have no such field.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "lambda_msk")]
pub(super) enum Note {
    /// It was rejected, and is at the destination.
    Rejected,
    /// A mark of "at most once". Its `in_progress_expiration` is its expiry, so that nobody takes it, Powertools included.
    Started {
        /// Its owner's until then, milliseconds since 1970.
        owner_until_ms: u64,
        /// How its handler left it. *None: its owner has not said so.*
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undone: Option<Undone>,
    },
}

impl Note {
    /// *None: another program's result, or nothing.*
    pub(super) fn of(item: &Item) -> Option<Self> {
        serde_json::from_slice(&item.data).ok()
    }

    pub(super) fn bytes(&self) -> bytes::Bytes {
        let bytes = serde_json::to_vec(self);
        bytes.expect("numbers and names make JSON").into()
    }
}

/// How a handler that was started left its record undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Undone {
    /// It returned a failure.
    Failed,
    Panicked,
    /// It still ran at the deadline's margin.
    Dropped,
    /// As a later version has it.
    #[serde(other)]
    Otherwise,
}

/// Nobody takes a mark before it expires, whoever made it.
pub(super) fn mark(item: &mut Item, owner_until_ms: u64, undone: Option<Undone>) {
    let started = Note::Started {
        owner_until_ms,
        undone,
    };
    item.held_until_ms = item.expires_s.saturating_mul(1000);
    item.data = started.bytes();
}

pub(super) fn is_of(item: &Item, owner: &str) -> bool {
    let version: Option<&Version> = item.version.as_ref();
    version.is_some_and(|version| *version.owner == *owner)
}

pub(super) fn is_rejected(item: &Item) -> bool {
    item.status == Status::Completed && matches!(Note::of(item), Some(Note::Rejected))
}
