//! The sample function for any topic, whose posts name their invocation too: for a service that counts tries.

use handler::{Fulfilment, Order};
use lambda_msk::extract::RequestId;
use lambda_msk::{Consumer, Error, Failure, IdempotencyKey, Json, Record, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_msk::logging::init();
    let url = std::env::var("FULFILMENT_URL").unwrap_or_default();
    let fulfilment = Fulfilment::new(&url).unwrap_or_else(|_| Fulfilment::log());
    let consumer = Consumer::builder()
        .state(fulfilment)
        .fallback(ship)
        .from_env()
        .build();
    lambda_msk::run(consumer).await
}

async fn ship(
    Json(order): Json<Order>,
    RequestId(request): RequestId,
    record: Record,
    key: IdempotencyKey,
    State(fulfilment): State<Fulfilment>,
) -> Result<(), Failure> {
    let json = record.value().unwrap_or_default();
    let json = String::from_utf8_lossy(json);
    // Ids of requests are letters, digits and `-`.
    let post = format!(r#"{{"request":"{request}","order":{json}}}"#);
    fulfilment.ship(&order, post.as_bytes(), &key).await
}
