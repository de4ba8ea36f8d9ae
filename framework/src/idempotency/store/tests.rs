//! What tests of several stores share.

#![allow(dead_code, reason = "each store's tests use some of it")]

pub(super) mod cut;
pub(super) mod server;

use std::time::Duration;

use tokio::time::timeout;

use crate::failure::error_text;
use crate::idempotency::store::{Change, Expect, IdempotencyStore, Item, Swap, Version};

/// Writes an item where none stands.
pub(super) fn put(id: &str, expires_s: u64) -> Swap {
    let version = Version {
        owner: "a".into(),
        seq: 1,
    };
    let item = Item::new(Some(version), expires_s);
    Swap::new(id.into(), Expect::Absent, Change::Put(item))
}

/// Asked again, as the framework does: each request waits between its own tries. *Err: a fault that stays.*
pub(super) async fn until_it_answers(
    store: &impl IdempotencyStore,
    id: &str,
) -> Result<Option<Item>, String> {
    let asked = async {
        loop {
            match store.read(id).await {
                Ok(item) => return Ok(item),
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error_text(&error)),
            }
        }
    };
    let answered = timeout(Duration::from_secs(60), asked).await;
    answered.expect("an answer within a minute")
}
