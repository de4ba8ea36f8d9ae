//! What was settled in an earlier delivery, so that it is skipped. Asked and told by `process`.

mod fingerprint;
mod memory;
mod memory_ledger;
mod store;

use std::sync::Arc;

use crate::record::{EventSource, Record};

pub use self::memory::MemoryStore;
pub(crate) use self::memory_ledger::MemoryLedger;
pub use self::store::{
    BoxStore, Change, Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped, Version,
};

/// What keeps a record's effect from happening twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idempotency {
    /// A ledger in this process's memory: what was settled is skipped when the same process gets it again, for up to
    /// [`LEDGER_AGE_MS_MAX`](crate::limits::LEDGER_AGE_MS_MAX). Another process knows nothing of it.
    ///
    /// A batch that is replayed by hand into a warm process is skipped as well: the log says so.
    #[default]
    Memory,
    /// Every record runs in every delivery.
    None,
}

/// How an earlier delivery of a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    Rejected,
}

impl Settled {
    /// Whether a record that ended so is skipped. A dead letter that is fed back runs though it was rejected; if it was done since, it does not.
    pub(crate) fn skips(self, record: &Record) -> bool {
        match self {
            Self::Done => true,
            Self::Rejected => record.redrive().is_none(),
        }
    }
}

/// The cluster's part of every key: the ARN; self-managed: the name given by hand, else its brokers, sorted.
pub(crate) fn cluster_of(source: &EventSource, given: Option<&str>) -> Cluster {
    if let Some(arn) = &source.arn {
        return Cluster::Named(arn.as_str().into());
    }
    if let Some(given) = given {
        return Cluster::Named(given.into());
    }
    let servers = source.bootstrap_servers.as_deref().unwrap_or_default();
    let mut servers: Vec<&str> = servers.split(',').map(str::trim).collect();
    servers.sort_unstable();
    Cluster::ByBrokers(servers.join(",").into())
}

/// A cluster's identity in keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cluster {
    Named(Arc<str>),
    /// Another broker in the list makes other keys.
    ByBrokers(Arc<str>),
}

impl Cluster {
    pub(crate) fn identity(&self) -> &Arc<str> {
        match self {
            Self::Named(identity) | Self::ByBrokers(identity) => identity,
        }
    }
}

#[cfg(test)]
mod tests;
