//! The sample function: each order of its topic is posted to a fulfilment service.
//!
//! `cargo msk new` makes a smaller one to start from. This one reads `ORDERS_TOPIC`, the topic that its mapping reads (default: `orders`),
//! and `FULFILMENT_URL`; without it, orders are logged at level `debug`, so that the function runs with nothing installed. The framework reads its own variables (`LAMBDA_MSK_…`).

mod fulfilment;
mod order;

use lambda_msk::error::ConfigurationFault;
use lambda_msk::record::check_topic_name;
use lambda_msk::{Consumer, Error, Failure, IdempotencyKey, Json, Record, State};

pub use crate::fulfilment::Fulfilment;
pub use crate::order::Order;

/// The topic of orders, unless `ORDERS_TOPIC` names another.
const ORDERS_TOPIC: &str = "orders";

/// Wires the function from its environment.
///
/// # Errors
///
/// All faults in the environment at once, the framework's and this function's.
pub fn consumer(variables: impl IntoIterator<Item = (String, String)>) -> Result<Consumer, Error> {
    let variables: Vec<_> = variables.into_iter().collect();
    // An empty variable counts as unset: templates set one to say "none".
    let given = |wanted: &str| {
        let given = variables.iter().find(|(name, _)| name == wanted);
        given
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    };
    let mut faults = Vec::new();
    let mut topic = given("ORDERS_TOPIC").unwrap_or(ORDERS_TOPIC).to_owned();
    if let Err(reason) = check_topic_name(&topic) {
        faults.push(ConfigurationFault::new("ORDERS_TOPIC", reason));
        ORDERS_TOPIC.clone_into(&mut topic);
    }
    let fulfilment = Fulfilment::new(given("FULFILMENT_URL").unwrap_or_default());
    let fulfilment = fulfilment.unwrap_or_else(|reason| {
        faults.push(ConfigurationFault::new("FULFILMENT_URL", reason));
        Fulfilment::log()
    });
    Consumer::builder()
        .state(fulfilment)
        .topic(topic, ship)
        .faults(faults)
        .from_vars(variables)
        .build()
}

/// Ships one order. The key makes the receiver's effect happen once, however often the order is sent.
async fn ship(
    Json(order): Json<Order>,
    record: Record,
    key: IdempotencyKey,
    State(fulfilment): State<Fulfilment>,
) -> Result<(), Failure> {
    // The order goes on as it came: fields that we do not know are the receiver's to read.
    let json = record.value().unwrap_or_default();
    fulfilment.ship(&order, json, &key).await
}
