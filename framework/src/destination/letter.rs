//! A rejected record with the reason, and its envelope. Made by `process`, read by destinations.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::context::Context;
use crate::delivery::IdempotencyKey;
use crate::record::{EventSourceKind, Record};

/// A rejected record with the reason: the input of a [`Destination`](crate::destination::Destination).
#[derive(Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    record: Record,
    code: &'static str,
    message: String,
    attempts: u32,
    timestamp: Timestamp,
    invocation: Arc<Context>,
}

impl DeadLetter {
    pub(crate) fn new(
        record: Record,
        code: &'static str,
        message: String,
        attempts: u32,
        invocation: &Arc<Context>,
    ) -> Self {
        Self {
            record,
            code,
            message,
            attempts,
            timestamp: invocation.clock.now(),
            invocation: Arc::clone(invocation),
        }
    }

    /// The letter's unique id: the invocation's request id and the record's coordinates.
    pub fn id(&self) -> String {
        let request_id = &self.invocation.request_id;
        let record = &self.record;
        format!("{request_id}:{record}")
    }

    /// The rejected record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The reason as a code: `reject.json`, `order.unknown_currency`.
    pub fn code(&self) -> &str {
        self.code
    }

    /// The reason in words. The text of a handler's own error is cut to [`ERROR_TEXT_BYTES_MAX`](crate::limits::ERROR_TEXT_BYTES_MAX) bytes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The number of times that its handler was started: 0 if the record was rejected before.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The number of times that the record was fed back from a dead letter before this rejection: 0 if Lambda delivered it.
    pub fn redrives(&self) -> u32 {
        self.record.redrives()
    }

    /// The record's idempotency key, the same in every delivery.
    pub fn idempotency_key(&self) -> IdempotencyKey {
        IdempotencyKey::in_invocation(&self.invocation, &self.record)
    }

    /// The time of the rejection.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The time at which an unfinished `send` is dropped. *None: there is no time limit.*
    pub fn send_until(&self) -> Option<Instant> {
        self.invocation.deadline.settle_end()
    }

    /// The letter as JSON on one line: Lambda's own on-failure record with two more fields, `failure` and `payload`.
    ///
    /// `payload` is an ordinary Kafka event that holds this one record as received, so it can be fed back to the function; its `redrive` field
    /// (this letter's [`id`](Self::id)) marks it as fed back.
    pub fn envelope(&self) -> String {
        let payload = self.payload();
        self.envelope_of(&payload, Some(&payload), None)
    }

    /// [`envelope`](Self::envelope) in two parts, for where the payload has to go by itself: the letter without it, which names its encoding, and the payload.
    #[cfg(feature = "sqs")]
    pub(super) fn parts(&self, encoding: &'static str) -> (String, Box<RawValue>) {
        let payload = self.payload();
        (self.envelope_of(&payload, None, Some(encoding)), payload)
    }

    fn envelope_of(
        &self,
        payload: &RawValue,
        inside: Option<&RawValue>,
        encoding: Option<&'static str>,
    ) -> String {
        let source = self.record.event_source();
        to_json(&Envelope {
            request_context: RequestContext {
                request_id: &self.invocation.request_id,
                function_arn: &self.invocation.function_arn,
                condition: "RecordRejected",
                approximate_invoke_count: 1,
            },
            response_context: None,
            version: "1.0",
            timestamp: rfc3339(self.timestamp),
            kafka_batch_info: KafkaBatchInfo {
                batch_size: 1,
                event_source_arn: source.arn.as_deref(),
                bootstrap_servers: source.bootstrap_servers.as_deref(),
                payload_size: payload.get().len(),
                record_info: RecordInfo {
                    offset: self.record.offset().to_string(),
                    timestamp: self.record.timestamp().map(rfc3339),
                },
            },
            failure: FailureInfo {
                code: self.code,
                message: &self.message,
                attempts: self.attempts,
                redrives: self.redrives(),
                idempotency_key: self.idempotency_key().as_str(),
            },
            payload: inside,
            payload_encoding: encoding,
        })
    }

    /// A Kafka event of this one record.
    fn payload(&self) -> Box<RawValue> {
        let source = self.record.event_source();
        // Checked by the decoder to be JSON. Bytes of a string that are not UTF-8 cannot stand in an envelope: they are shown as U+FFFD.
        // Line breaks in JSON stand between tokens only (in strings they are escaped): an event that was laid out over lines still makes one line.
        let raw = String::from_utf8_lossy(&self.record.raw_json()).replace(['\n', '\r'], " ");
        // A letter of `null` would be confirmed, and the record lost: a bug here has to fail the record.
        let raw = RawValue::from_string(raw).expect("the decoder takes JSON alone");
        raw_json(&Payload {
            event_source: match source.kind {
                EventSourceKind::Msk => "aws:kafka",
                EventSourceKind::SelfManaged => "SelfManagedKafka",
            },
            event_source_arn: source.arn.as_deref(),
            bootstrap_servers: source.bootstrap_servers.as_deref(),
            records: BTreeMap::from([(&**self.record.identifier(), [&*raw])]),
            redrive: self.id(),
        })
    }
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("record", &self.record)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

fn to_json(envelope: &impl Serialize) -> String {
    serde_json::to_string(envelope).expect("text, numbers and JSON that was checked make JSON")
}

fn raw_json(payload: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(payload)
        .expect("text, numbers and JSON that was checked make JSON")
}

/// As Lambda's own records show times: `2026-11-22T08:00:00.123Z`.
fn rfc3339(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    request_context: RequestContext<'a>,
    /// Lambda's own field for the function's answer. A rejected record has none.
    response_context: Option<()>,
    version: &'static str,
    timestamp: String,
    #[serde(rename = "KafkaBatchInfo")]
    kafka_batch_info: KafkaBatchInfo<'a>,
    failure: FailureInfo<'a>,
    /// *None: it is beside the envelope, in the encoding that is named.*
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_encoding: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: &'a str,
    condition: &'static str,
    /// The event does not tell how often Lambda has sent it.
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KafkaBatchInfo<'a> {
    batch_size: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bootstrap_servers: Option<&'a str>,
    payload_size: usize,
    record_info: RecordInfo,
}

#[derive(Serialize)]
struct RecordInfo {
    /// Text, as in Lambda's own records: an offset may exceed 2^53.
    offset: String,
    timestamp: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureInfo<'a> {
    code: &'a str,
    message: &'a str,
    attempts: u32,
    redrives: u32,
    idempotency_key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    event_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bootstrap_servers: Option<&'a str>,
    records: BTreeMap<&'a str, [&'a RawValue; 1]>,
    redrive: String,
}

#[cfg(test)]
mod tests;
