//! Orders of the topic are put into an index of OpenSearch, many in one request.
//!
//! `TOPIC` names the topic, `OPENSEARCH_URL` the server, `OPENSEARCH_INDEX` the index. `OPENSEARCH_SERVICE` says how requests are signed: `es` (a domain of Amazon OpenSearch Service),
//! `aoss` (a collection of OpenSearch Serverless) or `none`. `BULK_RECORDS` and `BULK_BYTES` limit a request.
//!
//! Each order is one document. Its id is the record's idempotency key, and it is created, never replaced: an order that is redelivered is in the index already, and is done.

mod answer;
mod index;
mod requests;
mod settings;
mod sign;

use std::ffi::OsString;

use lambda_msk::builder::Builder;
use lambda_msk::{Batch, Consumer, Failure, Json, Outcomes, State, batch};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use crate::index::Index;
use crate::requests::Bulk;
use crate::settings::Settings;

/// The topic, unless `TOPIC` names another: template.yaml sets it to the topic that the mapping reads.
const TOPIC: &str = "orders";

/// An order, as its topic holds it. Fields that are not named here are put into the index as they came.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Order {
    /// The order's number.
    pub order_id: i64,
    /// Who has ordered.
    pub customer_id: String,
    /// The price, in hundredths of the currency.
    pub amount_cents: i64,
}

/// An order as it came: an object. A list of an order's fields in their order would be read as one, and is no document.
#[derive(Clone, Debug)]
struct Document(Box<RawValue>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        match value.get().starts_with('{') {
            true => Ok(Self(value)),
            false => Err(D::Error::custom("expected an object")),
        }
    }
}

/// The consumer, with all settings from the environment.
pub fn consumer() -> Builder<Index> {
    consumer_with(|name| std::env::var_os(name))
}

/// The consumer, with its settings from these variables.
fn consumer_with(variable: impl Fn(&str) -> Option<OsString>) -> Builder<Index> {
    let mut faults = Vec::new();
    let settings = Settings::read(TOPIC, variable, &mut faults);
    let store = batch(store)
        .records(settings.records)
        .bytes(settings.bytes)
        .across_partitions();
    let index = Index::new(settings.target, &mut faults);
    Consumer::builder()
        .state(index)
        .route(settings.topic, store)
        .faults(faults)
}

/// Handles many records. A value that is not an order is rejected before this, and goes to the destination.
async fn store(
    orders: Batch<(Json<Order>, Json<Document>)>,
    State(index): State<Index>,
) -> Result<Outcomes, Failure> {
    let mut outcomes = orders.outcomes();
    let mut bulk = Bulk::new();
    for (at, (_, Json(Document(document)))) in orders.iter().enumerate() {
        let key = orders.idempotency_key(at).ok_or("no record at an index")?;
        bulk.create(key.as_str(), document);
    }
    for (at, failure) in index.send(bulk).await? {
        match failure.next() {
            lambda_msk::failure::Next::Reject => outcomes.reject(at, failure),
            _ => outcomes.retry(at, failure),
        }
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests;
