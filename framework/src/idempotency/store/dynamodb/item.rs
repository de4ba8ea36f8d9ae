//! Items as attributes of a table, and back. The names are those of Powertools for AWS Lambda, `owner` and `seq` ours. Called by `dynamodb`.

use std::collections::HashMap;
use std::str;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use serde::de::IgnoredAny;

use crate::idempotency::store::{Item, Status, Version};

pub(super) const ID: &str = "id";
pub(super) const OWNER: &str = "owner";
pub(super) const SEQ: &str = "seq";
pub(super) const STATUS: &str = "status";
/// Milliseconds.
pub(super) const IN_PROGRESS_EXPIRATION: &str = "in_progress_expiration";
/// Seconds: the table's TTL attribute.
pub(super) const EXPIRATION: &str = "expiration";
const DATA: &str = "data";
const VALIDATION: &str = "validation";

type Attributes = HashMap<String, AttributeValue>;

/// An attribute that cannot be read, and why. Never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its attribute `{attribute}` {why}")]
pub(super) struct Unreadable {
    attribute: &'static str,
    why: &'static str,
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn attributes(id: &str, item: &Item) -> Attributes {
    let mut attributes = vec![
        (ID, text(id)),
        (STATUS, text(item.status.as_str())),
        // Zero is written too: absent, it would be held until it expires.
        (IN_PROGRESS_EXPIRATION, number(item.held_until_ms)),
        (EXPIRATION, number(item.expires_s)),
    ];
    if let Some(version) = &item.version {
        attributes.push((OWNER, text(&version.owner)));
        attributes.push((SEQ, number(version.seq)));
    }
    if !item.data.is_empty() {
        attributes.push((DATA, data(&item.data)));
    }
    if let Some(validation) = &item.validation {
        attributes.push((VALIDATION, text(validation)));
    }
    let attributes = attributes.into_iter();
    attributes
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A string where the bytes are JSON, as Powertools reads and writes it. Whatever they are, they are read back the same.
fn data(bytes: &Bytes) -> AttributeValue {
    match str::from_utf8(bytes) {
        Ok(json) if serde_json::from_str::<IgnoredAny>(json).is_ok() => text(json),
        _ => AttributeValue::B(Blob::new(bytes.to_vec())),
    }
}

pub(super) fn read(attributes: Attributes) -> Result<Item, Unreadable> {
    let mut attributes = ItemReader(attributes);
    let owner = attributes.text(OWNER)?;
    let seq = attributes.number(SEQ)?;
    let version = match (owner, seq) {
        (Some(owner), Some(seq)) => Some(Version {
            owner: owner.into(),
            seq,
        }),
        (None, None) => None,
        (Some(_), None) => return Err(missing(SEQ)),
        (None, Some(_)) => return Err(missing(OWNER)),
    };
    // Without it nothing expires: no condition on it holds.
    let expires_s = attributes.number(EXPIRATION)?.unwrap_or(u64::MAX);
    let held_until_ms = attributes.number(IN_PROGRESS_EXPIRATION)?;
    let status = attributes.text(STATUS)?.ok_or(missing(STATUS))?;
    let (status, held_until_ms) = match &*status {
        "COMPLETED" => (Status::Completed, held_until_ms.unwrap_or(0)),
        // Powertools sets no bound where it was not told the time left: held to the end of the second in which it expires.
        "INPROGRESS" => (
            Status::InProgress,
            held_until_ms.unwrap_or(expires_s.saturating_mul(1000).saturating_add(999)),
        ),
        // A word that no version of ours wrote claims nothing.
        _ => (Status::InProgress, 0),
    };
    Ok(Item {
        version,
        status,
        held_until_ms,
        expires_s,
        data: attributes.bytes(DATA)?,
        validation: attributes.text(VALIDATION)?.map(Into::into),
    })
}

fn missing(attribute: &'static str) -> Unreadable {
    let why = "is missing";
    Unreadable { attribute, why }
}

struct ItemReader(Attributes);

impl ItemReader {
    fn text(&mut self, attribute: &'static str) -> Result<Option<String>, Unreadable> {
        match self.0.remove(attribute) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(Unreadable {
                attribute,
                why: "is not a string",
            }),
        }
    }

    fn number(&mut self, attribute: &'static str) -> Result<Option<u64>, Unreadable> {
        let read = match self.0.remove(attribute) {
            None => return Ok(None),
            Some(AttributeValue::N(number)) => number.parse().ok(),
            Some(_) => None,
        };
        let why = "is not a 64-bit whole number";
        read.map(Some).ok_or(Unreadable { attribute, why })
    }

    /// Empty if there is none.
    fn bytes(&mut self, attribute: &'static str) -> Result<Bytes, Unreadable> {
        match self.0.remove(attribute) {
            None => Ok(Bytes::new()),
            Some(AttributeValue::S(text)) => Ok(text.into()),
            Some(AttributeValue::B(bytes)) => Ok(bytes.into_inner().into()),
            Some(_) => Err(Unreadable {
                attribute,
                why: "is neither string nor binary",
            }),
        }
    }
}

#[cfg(test)]
mod tests;
