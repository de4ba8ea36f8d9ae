//! The rows of a table as far as they are known, in memory: put your database in its place. Called by the handler.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows by primary key. A clone has the same rows.
#[derive(Clone, Debug)]
pub struct Rows<T>(Arc<Mutex<BTreeMap<u64, Version<T>>>>);

/// A row, or that it was deleted, and when.
#[derive(Debug)]
struct Version<T> {
    ts_ms: i64,
    /// *None: deleted.*
    row: Option<T>,
}

impl<T: Clone> Rows<T> {
    /// No rows.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Keeps a row, or that it was deleted, unless a newer change of it is known already.
    ///
    /// Lambda may deliver a change again after a later one. So a deleted row leaves its time behind: without that, an
    /// old change would bring the row back. In SQL: `INSERT … ON CONFLICT (id) DO UPDATE … WHERE rows.ts_ms <= excluded.ts_ms`.
    pub fn keep(&self, id: u64, ts_ms: i64, row: Option<T>) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.get(&id).is_none_or(|known| known.ts_ms <= ts_ms) {
            rows.insert(id, Version { ts_ms, row });
        }
    }

    /// A row. *None: it was never there, or it was deleted.*
    pub fn get(&self, id: u64) -> Option<T> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(&id)?.row.clone()
    }
}

impl<T: Clone> Default for Rows<T> {
    fn default() -> Self {
        Self::new()
    }
}
