//! Orders in three formats: each is posted to a service over HTTP, as JSON.
//!
//! `TOPIC` names the topic with Avro; `orders-protobuf` and `orders-json-schema` have the same orders in other formats. `FULFILMENT_URL` is the service; without it, orders are only
//! counted, so that the function runs with nothing else installed. `LAMBDA_MSK_SCHEMA_REGISTRY` is the schema registry; without one, the schemas in `schemas/` stand for the writers', and
//! JSON is not validated.

mod order;
mod service;

use lambda_msk::builder::Builder;
use lambda_msk::error::ConfigurationFault;
use lambda_msk::extract::{Avro, Protobuf};
use lambda_msk::{Consumer, Failure, IdempotencyKey, Json, State, each};

pub use crate::order::{Channel, Order, OrderMessage};
pub use crate::service::Service;

/// The topic with Avro, unless `TOPIC` names another: template.yaml sets it to the topic that the mapping reads.
const TOPIC: &str = "orders-avro";

/// Avro values of other, compatible schemas are resolved to this one.
const ORDER: &str = include_str!("../schemas/order.avsc");

/// The consumer, with its service and its topic from the environment.
pub fn consumer() -> Builder<Service> {
    // An empty variable counts as unset; one that is not UTF-8 is set, and refused for what it is then.
    let variable = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(|value| value.to_string_lossy().into_owned())
    };
    let (service, fault) = match variable("FULFILMENT_URL").as_deref().map(Service::at) {
        None => (Service::none(), None),
        Some(Ok(service)) => (service, None),
        Some(Err(reason)) => (
            Service::none(),
            Some(ConfigurationFault::new("FULFILMENT_URL", reason)),
        ),
    };
    let topic = variable("TOPIC").unwrap_or_else(|| TOPIC.to_owned());
    let registry = variable("LAMBDA_MSK_SCHEMA_REGISTRY");
    let has_registry = registry.is_some_and(|registry| registry != "none");
    consumer_of(&topic, service, has_registry).faults(fault)
}

/// The consumer of a topic that posts to a service.
fn consumer_of(topic: &str, service: Service, has_registry: bool) -> Builder<Service> {
    Consumer::builder()
        .state(service)
        .topic(topic, each(avro).reader_schema(ORDER))
        .topic("orders-protobuf", protobuf)
        .topic("orders-json-schema", each(json).validate(has_registry))
}

/// Handles one record in Avro. What cannot be read is rejected before this, and goes to the destination.
async fn avro(
    Avro(order): Avro<Order>,
    key: IdempotencyKey,
    State(service): State<Service>,
) -> Result<(), Failure> {
    ship(&order, &key, &service).await
}

/// Handles one record in Protobuf.
async fn protobuf(
    Protobuf(message): Protobuf<OrderMessage>,
    key: IdempotencyKey,
    State(service): State<Service>,
) -> Result<(), Failure> {
    ship(&Order::try_from(message)?, &key, &service).await
}

/// Handles one record in JSON.
async fn json(
    Json(order): Json<Order>,
    key: IdempotencyKey,
    State(service): State<Service>,
) -> Result<(), Failure> {
    ship(&order, &key, &service).await
}

async fn ship(order: &Order, key: &IdempotencyKey, service: &Service) -> Result<(), Failure> {
    let json = serde_json::to_vec(order)?;
    service.post(&json, key).await
}

#[cfg(test)]
mod tests {
    use lambda_msk::Outcome::{Done, Rejected};
    use lambda_msk::destination::MemoryDestination;
    use lambda_msk::testing::{Event, MemoryRegistry, Sample, invoke};

    use super::{Channel, ORDER, Order, OrderMessage, Service, TOPIC, consumer_of};

    fn order() -> Order {
        Order {
            order_id: 1,
            customer_id: "c-1".to_owned(),
            amount_cents: 4_999,
            currency: "EUR".to_owned(),
            note: None,
            channel: Channel::Web,
        }
    }

    #[tokio::test]
    async fn an_order_in_avro_is_posted() {
        let (registry, service) = (MemoryRegistry::new(), Service::none());
        let consumer = consumer_of(TOPIC, service.clone(), true).schemas(registry.schemas());
        let consumer = consumer.build().expect("the consumer is configured");
        let record = Sample::new(TOPIC, 0).avro(&registry.avro(ORDER), &order());

        let invoked = invoke(&consumer, Event::msk().record(record)).await;

        assert_eq!(invoked.outcomes(), [Done]);
        assert_eq!(service.posted(), 1);
    }

    #[tokio::test]
    async fn a_channel_that_is_not_known_is_rejected() {
        let (registry, service) = (MemoryRegistry::new(), Service::none());
        let consumer = consumer_of(TOPIC, service.clone(), true)
            .schemas(registry.schemas())
            .on_failure(MemoryDestination::new());
        let consumer = consumer.build().expect("the consumer is configured");
        let schema = registry.protobuf(include_str!("../schemas/order.proto"));
        let message = |channel| OrderMessage {
            channel,
            ..OrderMessage::default()
        };
        let record =
            |channel| Sample::new("orders-protobuf", 0).protobuf(&schema, &message(channel));
        let event = Event::msk().record(record(2)).record(record(3));

        let invoked = invoke(&consumer, event).await;

        assert_eq!(invoked.outcomes(), [Done, Rejected]);
    }

    #[tokio::test]
    async fn json_that_does_not_fit_its_schema_is_rejected() {
        let (registry, service) = (MemoryRegistry::new(), Service::none());
        let consumer = consumer_of(TOPIC, service.clone(), true)
            .schemas(registry.schemas())
            .on_failure(MemoryDestination::new());
        let consumer = consumer.build().expect("the consumer is configured");
        let schema = registry.json_schema(include_str!("../schemas/order.schema.json"));
        let nobody = Order {
            customer_id: String::new(),
            ..order()
        };
        let record =
            |order: &Order| Sample::new("orders-json-schema", 0).framed_json(&schema, order);
        let event = Event::msk()
            .record(record(&order()))
            .record(record(&nobody));

        let invoked = invoke(&consumer, event).await;

        assert_eq!(invoked.outcomes(), [Done, Rejected]);
    }

    #[tokio::test]
    async fn every_record_of_the_sample_events_is_done() {
        for (event, orders) in [("batch", 2), ("protobuf", 2), ("json-schema", 2)] {
            let service = Service::none();
            let consumer = consumer_of(TOPIC, service.clone(), false)
                .build()
                .expect("the consumer is configured");
            let file = format!("{}/events/{event}.json", env!("CARGO_MANIFEST_DIR"));
            let event = Event::from_file(file).expect("an event");

            let invoked = invoke(&consumer, event).await;

            assert!(invoked.outcomes().iter().all(|outcome| *outcome == Done));
            assert_eq!(service.posted(), orders);
        }
    }
}
