//! `TraceParent`: the producer's trace.

use std::convert::Infallible;

use crate::delivery::Delivery;
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;
use crate::trace::TraceParent;

impl<S> FromRecord<S> for TraceParent {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Self, Rejection> {
        delivery.trace_parent().ok_or_else(|| {
            Rejection::new(
                "reject.no_traceparent",
                "expected a header `traceparent` by W3C Trace Context, found none that is valid: take `Option<TraceParent>` if that is allowed",
            )
        })
    }
}

impl<S> OptionalFromRecord<S> for TraceParent {
    type Rejection = Infallible;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(delivery.trace_parent())
    }
}
