//! Settings that do not do what they look like: warnings at the start. Called by `log`.

use tracing::warn;

use crate::idempotency::{Idempotency, IdempotencyStore};
use crate::lane::{NullKeys, ProcessingOrder};
use crate::settings::{Settings, Unread};

pub(super) fn warn_of(settings: &Settings, unread: &Unread) {
    if !unread.names().is_empty() {
        warn!(
            variables = unread.names().join(", "),
            cure = "call `.from_env()` on the builder, or unset them",
            "environment variables are set, but were not read"
        );
    }
    let repeated = settings.repeated();
    if !repeated.is_empty() {
        warn!(
            settings = repeated.join(", "),
            "settings are set more than once in code: the last value counts"
        );
    }
    if settings.per_record.value.is_some() {
        keys(settings, unread);
    }
    if settings.keeps_schema_auth() {
        warn!(
            cure = "set LAMBDA_MSK_SCHEMA_REGISTRY_AUTH too, if that one wants credentials",
            "the credentials in code are not sent to the environment's schema registry: they are for the one in code"
        );
    }
    if settings.has_idle_schema_auth() {
        warn!(
            cure = "set LAMBDA_MSK_SCHEMA_REGISTRY to the registry's URL, or unset LAMBDA_MSK_SCHEMA_REGISTRY_AUTH",
            "credentials for a schema registry are set, but no registry that takes them"
        );
    }
    let by_key = settings.order.value == ProcessingOrder::Key;
    if settings.null_keys.value == NullKeys::Unordered && !by_key {
        warn!(
            cure = unread.amend("`.order(ProcessingOrder::Key)`, or LAMBDA_MSK_ORDER=key"),
            "null keys are set to unordered, which has an effect only in key order"
        );
    }
}

/// Records are known by a key that they hold: where are the keys kept?
fn keys(settings: &Settings, unread: &Unread) {
    let cure = "set a store that outlives the process: LAMBDA_MSK_IDEMPOTENCY=dynamodb://TABLE, or `.idempotency(…)`";
    let durable = match &settings.idempotency.value {
        Idempotency::Memory => false,
        Idempotency::Store(store) => store.is_durable(),
        Idempotency::None => {
            warn!(
                cure = unread.amend(cure),
                "idempotency is off, so the keys of `.per_record(…)` are not stored: a record runs each time its key is delivered"
            );
            return;
        }
    };
    if !durable {
        warn!(
            cure = unread.amend(cure),
            "the keys of `.per_record(…)` are stored only in this process's memory: a record whose key another process has settled runs again"
        );
    }
}
