//! Extractors that need no decoding: the record, its coordinates, its timestamp, and the data of this attempt.

use std::convert::Infallible;

use jiff::Timestamp;

use crate::deadline::Deadline;
use crate::delivery::{Delivery, IdempotencyKey};
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;
use crate::partition::TopicPartition;
use crate::record::{Headers, Record};

/// The number of the attempt in this invocation, from 1. Lambda's redeliveries are not counted, since the event does not show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt(pub u32);

/// The invocation's request id, which all its log lines carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

macro_rules! always_there {
    ($($part:ty: $delivery:ident => $value:expr;)*) => {$(
        impl<S> FromRecord<S> for $part {
            type Rejection = Infallible;

            fn from_record($delivery: &Delivery, _: &S) -> Result<Self, Infallible> {
                Ok($value)
            }
        }
    )*};
}

always_there! {
    Record: delivery => delivery.record().clone();
    Delivery: delivery => delivery.clone();
    Headers: delivery => delivery.headers();
    TopicPartition: delivery => delivery.topic_partition().clone();
    Attempt: delivery => Self(delivery.attempt());
    Deadline: delivery => delivery.deadline();
    RequestId: delivery => Self(delivery.request_id().to_owned());
    IdempotencyKey: delivery => delivery.idempotency_key();
}

/// The record's timestamp. A record that has none rejects with `reject.no_timestamp`; take `Option<Timestamp>` where that is no fault.
impl<S> FromRecord<S> for Timestamp {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Self, Rejection> {
        delivery.timestamp().ok_or_else(|| {
            Rejection::new(
                "reject.no_timestamp",
                "the record has no timestamp: take `Option<Timestamp>` if that is allowed",
            )
        })
    }
}

impl<S> OptionalFromRecord<S> for Timestamp {
    type Rejection = Infallible;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(delivery.timestamp())
    }
}
