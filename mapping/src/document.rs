//! The documents for on-failure destinations, in Lambda's own shapes. Made by drivers from [`Output::Deliver`].
//!
//! [`Output::Deliver`]: crate::machine::Output::Deliver

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::event::Envelope;
use crate::machine::{Condition, Configuration, Discarded, LastResponse};
use crate::record::Record;

/// The documents of a mapping.
///
/// # Example
///
/// ```
/// use msk_mapping::document::Documents;
/// use msk_mapping::event::Source;
/// use msk_mapping::machine::{Configuration, Input, Mapping, OnFailure, Output, PollerId, StartingPosition};
/// use msk_mapping::record::{Record, TopicPartition};
/// use msk_mapping::time::Time;
///
/// let source = Source::SelfManaged { bootstrap_servers: None };
/// let mut configuration = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
/// configuration.on_failure = Some(OnFailure::S3("arn:aws:s3:::failed".to_owned()));
/// let documents = Documents::of(&configuration);
/// let mut mapping = Mapping::new(configuration)?;
///
/// let (poller, partition) = (PollerId(0), TopicPartition::new("orders", 0));
/// let too_big = Record::new(partition.clone(), 7).with_value(vec![0; 6 * 1024 * 1024]);
/// mapping.handle(Time::default(), Input::Assigned { poller, partition, committed: None });
/// mapping.handle(Time::default(), Input::Polled { poller, records: vec![too_big] });
/// while let Some(output) = mapping.poll() {
///     if let Output::Deliver(discarded) = output {
///         assert!(documents.metadata(&discarded).contains(r#""condition":"MaximumPayloadSizeExceeded""#));
///         // Send it, then:
///         mapping.handle(Time::default(), Input::Delivered { id: discarded.id });
///     }
/// }
/// assert_eq!(mapping.metrics().delivered, 1);
/// # Ok::<(), msk_mapping::machine::Faults>(())
/// ```
#[derive(Debug, Clone)]
pub struct Documents {
    envelope: Envelope,
    function_arn: String,
}

/// A message to a Kafka topic.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The record's own key. None: the record has none, so any partition will do.
    pub key: Option<Bytes>,
    /// The document, as JSON.
    pub value: String,
}

/// Shows no bytes of the record.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("key_bytes", &self.key.as_ref().map(Bytes::len))
            .field("value_bytes", &self.value.len())
            .finish()
    }
}

impl Documents {
    /// The documents of a mapping with this configuration.
    pub fn of(configuration: &Configuration) -> Self {
        Self {
            envelope: configuration.envelope(),
            function_arn: configuration.function_arn.clone(),
        }
    }

    /// The document for SQS and SNS: the coordinates of the records, without their content.
    pub fn metadata(&self, discarded: &Discarded) -> String {
        let payload_bytes = self.envelope.event(&discarded.records).len();
        self.batch(discarded, payload_bytes, None)
    }

    /// The document for S3: the same, and the event as text in `payload`.
    pub fn with_payload(&self, discarded: &Discarded) -> String {
        let payload = self.envelope.event(&discarded.records);
        self.batch(
            discarded,
            payload.len(),
            Some(&String::from_utf8_lossy(&payload)),
        )
    }

    /// The messages for a Kafka topic: one for each record, with the record in an event of its own.
    pub fn messages(&self, discarded: &Discarded) -> Vec<Message> {
        let message = |record: &Record| {
            let payload = self.envelope.event([record]);
            let info = KafkaBatchInfo {
                record_info: Some(RecordInfo {
                    offset: record.offset.to_string(),
                    timestamp: time(record.timestamp),
                }),
                ..self.info(1, payload.len())
            };
            let payload = String::from_utf8_lossy(&payload).into_owned();
            let payload = RawValue::from_string(payload).expect("an event is JSON");
            Message {
                key: record.key.clone(),
                value: self.document(
                    discarded,
                    condition_to_kafka(discarded.condition),
                    info,
                    Some(&*payload),
                ),
            }
        };
        discarded.records.iter().map(message).collect()
    }

    fn batch(&self, discarded: &Discarded, payload_bytes: usize, payload: Option<&str>) -> String {
        let mut records_info: BTreeMap<String, RecordsInfo> = BTreeMap::new();
        for record in &discarded.records {
            let (offset, timestamp) = (record.offset.to_string(), time(record.timestamp));
            records_info
                .entry(record.partition.to_string())
                .and_modify(|info| {
                    info.last_record_offset.clone_from(&offset);
                    info.last_record_timestamp.clone_from(&timestamp);
                })
                .or_insert_with(|| RecordsInfo {
                    first_record_offset: offset.clone(),
                    last_record_offset: offset,
                    first_record_timestamp: timestamp.clone(),
                    last_record_timestamp: timestamp,
                });
        }
        let info = KafkaBatchInfo {
            records_info: Some(records_info),
            ..self.info(discarded.records.len(), payload_bytes)
        };
        self.document(discarded, discarded.condition.as_str(), info, payload)
    }

    fn info(&self, batch_size: usize, payload_size: usize) -> KafkaBatchInfo<'_> {
        let source = self.envelope.source();
        KafkaBatchInfo {
            batch_size,
            event_source_arn: source.arn(),
            bootstrap_servers: source.bootstrap_servers(),
            payload_size,
            records_info: None,
            record_info: None,
        }
    }

    fn document<P: Serialize + ?Sized>(
        &self,
        discarded: &Discarded,
        condition: &'static str,
        kafka_batch_info: KafkaBatchInfo<'_>,
        payload: Option<&P>,
    ) -> String {
        let function_error = match discarded.response {
            LastResponse::None => None,
            LastResponse::Answered => Some(None),
            LastResponse::FunctionError => Some(Some("Unhandled")),
        };
        let document = Document {
            request_context: RequestContext {
                request_id: discarded.request_id.as_deref(),
                function_arn: &self.function_arn,
                condition,
                approximate_invoke_count: discarded.invoke_count,
            },
            response_context: function_error.map(|function_error| ResponseContext {
                status_code: 200,
                executed_version: "$LATEST",
                function_error,
            }),
            version: "1.0",
            timestamp: i64::try_from(discarded.at.as_millis()).ok().and_then(time),
            kafka_batch_info,
            payload,
        };
        serde_json::to_string(&document).expect("text, numbers and an event make JSON")
    }
}

/// Lambda's documentation shows another word to Kafka than to the others.
fn condition_to_kafka(condition: Condition) -> &'static str {
    match condition {
        Condition::RetryAttemptsExhausted => "RetriesExhausted",
        other => other.as_str(),
    }
}

/// As Lambda writes times: `2026-11-22T08:00:00.123Z`. None: a record without a timestamp.
fn time(millis: i64) -> Option<String> {
    let timestamp = Timestamp::from_millisecond(millis).ok()?;
    (millis >= 0).then(|| format!("{timestamp:.3}"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, P: ?Sized> {
    request_context: RequestContext<'a>,
    response_context: Option<ResponseContext>,
    version: &'static str,
    timestamp: Option<String>,
    #[serde(rename = "KafkaBatchInfo")]
    kafka_batch_info: KafkaBatchInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a P>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    /// Null: the function was never invoked with them.
    request_id: Option<&'a str>,
    function_arn: &'a str,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    status_code: u16,
    executed_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KafkaBatchInfo<'a> {
    batch_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bootstrap_servers: Option<&'a str>,
    payload_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    records_info: Option<BTreeMap<String, RecordsInfo>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_info: Option<RecordInfo>,
}

/// Offsets are text: they may exceed 2^53.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordsInfo {
    first_record_offset: String,
    last_record_offset: String,
    first_record_timestamp: Option<String>,
    last_record_timestamp: Option<String>,
}

#[derive(Serialize)]
struct RecordInfo {
    offset: String,
    timestamp: Option<String>,
}
