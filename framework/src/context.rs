//! What all records of an invocation share: request id, deadline, clock, and the prefix of their keys. Made by `consumer`; read by
//! `delivery` and `process`.

use std::sync::Arc;

use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::failure::Rejection;
use crate::idempotency::PerRecord;
use crate::key_texts::KeyTexts;
use crate::meter::Metered;
use crate::record::Record;
use crate::schemas::BatchSchemas;

/// What is true of a whole invocation. One `Arc` of it is shared by all its deliveries.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    pub(crate) deadline: Deadline,
    pub(crate) clock: Clock,
    /// Of idempotency keys: two consumers never share keys.
    pub(crate) namespace: Arc<str>,
    /// Of idempotency keys: two clusters never share keys. *Empty: nobody can tell the cluster from another one.*
    pub(crate) cluster: Arc<str>,
    /// *None: a record is known by where it stands.*
    pub(crate) keys: Option<Arc<PerRecord>>,
    /// Of keys by where records stand.
    pub(crate) key_texts: KeyTexts,
    /// Of typed payloads.
    pub(crate) schemas: BatchSchemas,
    /// *None: nothing is measured.*
    pub(crate) meter: Metered,
}

impl Context {
    /// The key by what the record holds. *None: records are known by where they stand.*
    ///
    /// # Errors
    ///
    /// The record holds none.
    pub(crate) fn record_key(&self, record: &Record) -> Result<Option<Arc<str>>, Rejection> {
        let keys = self.keys.as_ref();
        keys.map(|keys| keys.key(&self.namespace, &self.cluster, record))
            .transpose()
    }
}
