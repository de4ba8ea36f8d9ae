//! What each event and each record gets: one behaviour a test.

mod alike;
mod broken;
mod mistaken;
mod properties;
mod records;
mod rejected;
mod unanswerable;

use std::sync::Arc;

use bytes::Bytes;

use super::{EventError, decode};
use crate::record::{Batch, Record, Spare};

/// An MSK event with these `records`.
fn event(records: &str) -> String {
    format!(r#"{{"eventSource":"aws:kafka","records":{records}}}"#)
}

/// An MSK event with these records of `orders-0`.
fn orders(records: &[String]) -> String {
    event(&format!(r#"{{"orders-0":[{}]}}"#, records.join(",")))
}

/// A record of `orders-0` at `offset`, with these fields more.
fn order(offset: i64, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"topic":"orders","partition":0,"offset":{offset}{comma}{more}}}"#)
}

fn batch(body: impl Into<Bytes>) -> Batch {
    decode(body.into(), &Spare::default()).expect("the event can be read")
}

fn records(body: impl Into<Bytes>) -> Vec<Record> {
    Arc::new(batch(body)).iter().collect()
}

fn only(body: &str) -> Record {
    let [record] = <[Record; 1]>::try_from(records(body.to_owned())).expect("one record");
    record
}

/// The one record of an event, with these fields beside its coordinates.
fn with(fields: &str) -> Record {
    only(&orders(&[order(0, fields)]))
}

fn refused(body: impl Into<Bytes>) -> EventError {
    decode(body.into(), &Spare::default()).expect_err("the event cannot be read")
}
