//! A record as Lambda would have sent it: for one that did not come as JSON, and has to be fed back or shown all the same.

use std::collections::BTreeMap;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::{Record, TimestampType};

/// The record's JSON object, its fields in Lambda's order.
pub(super) fn written(record: &Record) -> Vec<u8> {
    let written = serde_json::to_vec(&Written {
        topic: record.topic(),
        partition: record.partition(),
        offset: record.offset(),
        timestamp: record.timestamp_millis(),
        timestamp_type: match record.timestamp_type() {
            TimestampType::CreateTime => Some("CREATE_TIME"),
            TimestampType::LogAppendTime => Some("LOG_APPEND_TIME"),
            TimestampType::Unknown => None,
        },
        key: record.key().map(base64),
        value: record.value().map(base64),
        headers: Headers(record),
    });
    written.expect("text and numbers make JSON")
}

fn base64(bytes: &[u8]) -> String {
    Base64Display::new(bytes, &STANDARD).to_string()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Null: a tombstone.
    value: Option<String>,
    headers: Headers<'a>,
}

/// One object each, the value as numbers, signed as Java's bytes are: `[{"traceparent":[48,48,45]}]`.
struct Headers<'a>(&'a Record);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let headers = self.0.headers();
        let mut all = serializer.serialize_seq(Some(headers.len()))?;
        for (name, value) in headers.iter() {
            let signed =
                |value: &[u8]| -> Vec<i8> { value.iter().map(|byte| byte.cast_signed()).collect() };
            all.serialize_element(&BTreeMap::from([(name, value.map(signed))]))?;
        }
        all.end()
    }
}
