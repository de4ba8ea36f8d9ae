//! The settings as one line, for the first line of the log.

use std::fmt;
use std::sync::Arc;

use crate::destination::Destination;
use crate::idempotency::{Idempotency, IdempotencyStore};
use crate::schemas::Choice;
use crate::settings::Settings;

impl fmt::Display for Settings {
    /// The whole configuration in effect, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |name: &Option<Arc<str>>, unset: &str| match name {
            Some(name) => name.to_string(),
            None => unset.to_owned(),
        };
        let settings = [
            (
                "on_failure",
                self.destination.shown(|destination| match destination {
                    Some(destination) => destination.describe(),
                    None => "none".to_owned(),
                }),
            ),
            (
                "overflow",
                self.overflow.shown(|overflow| match overflow {
                    Some(overflow) => overflow.describe(),
                    None => "none".to_owned(),
                }),
            ),
            (
                "idempotency",
                self.idempotency.shown(|idempotency| match idempotency {
                    Idempotency::Memory => "memory".to_owned(),
                    Idempotency::Store(store) => store.describe(),
                    Idempotency::None => "none".to_owned(),
                }),
            ),
            (
                "keys",
                self.per_record.shown(|per_record| match per_record {
                    Some(per_record) => per_record.to_string(),
                    None => "by offset".to_owned(),
                }),
            ),
            ("guarantee", self.guarantee.shown(lower)),
            ("progress", self.progress.shown(|each| format!("{each:?}"))),
            ("when_store_fails", self.when_store_fails.shown(lower)),
            ("failure_reporting", self.failure_reporting.shown(lower)),
            ("order", self.order.shown(lower)),
            ("null_keys", self.null_keys.shown(lower)),
            ("concurrency", self.concurrency.shown(ToString::to_string)),
            ("attempts", self.attempts.shown(ToString::to_string)),
            ("when_exhausted", self.when_exhausted.shown(lower)),
            (
                "when_unhandled",
                self.when_unhandled.shown(|given| match given {
                    Some(given) => lower(given),
                    None => "by-batch".to_owned(),
                }),
            ),
            (
                "deadline_margin",
                self.deadline_margin.shown(|value| format!("{value:?}")),
            ),
            (
                "namespace",
                self.namespace
                    .shown(|name| named(name, "the function's name")),
            ),
            (
                "cluster",
                self.cluster.shown(|name| named(name, "from the event")),
            ),
            (
                "schema_registry",
                self.schema_registry.shown(Choice::describe),
            ),
            ("schema_framing", self.schema_framing.shown(lower)),
            ("schema_format", self.schema_format.shown(lower)),
            (
                "metrics",
                self.metrics.shown(|namespace| match namespace {
                    Some(namespace) => format!("emf:{namespace}"),
                    None => "none".to_owned(),
                }),
            ),
            ("metrics_by", self.metrics_by.shown(lower)),
            ("log_records", self.log_records.shown(lower)),
            ("traces", self.traces.shown(lower)),
        ];
        for (index, (name, value)) in settings.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

/// A variant's name as the environment spells it: `WholeBatch` is `whole-batch`.
fn lower(value: &impl fmt::Debug) -> String {
    let name = format!("{value:?}");
    let mut text = String::with_capacity(name.len() + 1);
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
