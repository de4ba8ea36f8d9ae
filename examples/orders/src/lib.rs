//! Each order of the topic is posted to a service over HTTP.
//!
//! `TOPIC` names the topic. `SERVICE_URL` is the service; without it, orders are only counted, so that the function
//! runs with nothing else installed.

mod service;

use lambda_msk::builder::Builder;
use lambda_msk::error::ConfigurationFault;
use lambda_msk::{Consumer, Failure, IdempotencyKey, Json, Record, State};
use serde::Deserialize;

pub use crate::service::Service;

/// The topic, unless `TOPIC` names another: template.yaml sets it to the topic that the mapping reads.
const TOPIC: &str = "orders";

/// An order, as its topic holds it. Fields that are not named here are ignored.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Order {
    /// The order's number.
    pub order_id: u64,
    /// The price, in hundredths of the currency.
    pub amount_cents: u64,
}

/// The consumer, with its service and its topic from the environment.
pub fn consumer() -> Builder<Service> {
    // An empty variable counts as unset; one that is not UTF-8 is set, and refused for what it is then.
    let variable = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(|value| value.to_string_lossy().into_owned())
    };
    let (service, fault) = match variable("SERVICE_URL").as_deref().map(Service::at) {
        None => (Service::none(), None),
        Some(Ok(service)) => (service, None),
        Some(Err(reason)) => (
            Service::none(),
            Some(ConfigurationFault::new("SERVICE_URL", reason)),
        ),
    };
    let topic = variable("TOPIC").unwrap_or_else(|| TOPIC.to_owned());
    consumer_of(&topic, service).faults(fault)
}

/// The consumer of a topic that posts to a service.
fn consumer_of(topic: &str, service: Service) -> Builder<Service> {
    Consumer::builder().state(service).topic(topic, ship)
}

/// Handles one record. A value that is not an order is rejected before this, and goes to the destination.
async fn ship(
    Json(order): Json<Order>,
    record: Record,
    key: IdempotencyKey,
    State(service): State<Service>,
) -> Result<(), Failure> {
    if order.amount_cents == 0 {
        return Err(Failure::reject("the order has no price").code("order.no_price"));
    }
    // The order is passed on as it came, with the fields that are not named above.
    let json = record.value().unwrap_or_default();
    service.post(json, &key).await
}

#[cfg(test)]
mod tests {
    use lambda_msk::Outcome::{Done, Rejected};
    use lambda_msk::destination::MemoryDestination;
    use lambda_msk::testing::{Event, Sample, invoke};

    use super::{Service, TOPIC, consumer_of};

    #[tokio::test]
    async fn an_order_is_posted_and_what_is_no_order_is_rejected() {
        let (service, letters) = (Service::none(), MemoryDestination::new());
        let consumer = consumer_of(TOPIC, service.clone())
            .on_failure(letters.clone())
            .build()
            .expect("the consumer is configured");
        let event = Event::msk()
            .record(Sample::new(TOPIC, 0).value(r#"{"order_id":1,"amount_cents":4999}"#))
            .record(Sample::new(TOPIC, 0).value("no order"))
            .record(Sample::new(TOPIC, 0).value(r#"{"order_id":2,"amount_cents":0}"#));

        let invoked = invoke(&consumer, event).await;

        assert_eq!(invoked.outcomes(), [Done, Rejected, Rejected]);
        assert_eq!(service.posted(), 1);
        assert_eq!(letters.letters().len(), 2);
    }

    #[tokio::test]
    async fn every_record_of_the_sample_event_is_done() {
        let service = Service::none();
        let consumer = consumer_of(TOPIC, service.clone())
            .build()
            .expect("the consumer is configured");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/events/batch.json");
        let event = Event::from_file(file).expect("an event");

        let invoked = invoke(&consumer, event).await;

        assert!(invoked.outcomes().iter().all(|outcome| *outcome == Done));
        assert_eq!(service.posted(), 4);
    }
}
