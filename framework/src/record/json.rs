//! A record as Lambda would have sent it: for a record that did not come as JSON, and has to be fed back or shown.

use std::collections::BTreeMap;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// What of a record is written, its fields in Lambda's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timestamp_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Base64<'a>>,
    /// Null: a tombstone.
    pub(super) value: Option<Base64<'a>>,
    pub(super) headers: Headers<'a>,
}

/// Bytes, written in Base64.
pub(super) struct Base64<'a>(pub(super) &'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

/// One object each, the value as numbers, signed as Java's bytes are: `[{"traceparent":[48,48,45]}]`.
pub(super) struct Headers<'a>(pub(super) Vec<(&'a str, Option<&'a [u8]>)>);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            let signed =
                |value: &[u8]| -> Vec<i8> { value.iter().map(|byte| byte.cast_signed()).collect() };
            all.serialize_element(&BTreeMap::from([(name, value.map(signed))]))?;
        }
        all.end()
    }
}
