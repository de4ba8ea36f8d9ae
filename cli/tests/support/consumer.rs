//! A function of lambda-msk, for tests: its topic is `orders`, and each value says what is to become of its record.

use lambda_msk::{Consumer, Failure, Json};
use serde::Deserialize;

/// The arguments which make a test binary run one ignored test, `the_consumer`, that calls [`run`].
pub const ARGS: [&str; 4] = ["--exact", "the_consumer", "--ignored", "--nocapture"];

#[derive(Deserialize)]
struct Order {
    /// `reject`, `fail`, or anything else.
    #[serde(default)]
    become_of: String,
}

async fn take(Json(order): Json<Order>) -> Result<(), Failure> {
    match order.become_of.as_str() {
        "reject" => Err(Failure::reject("no such customer").code("order.refused")),
        "fail" => Err(Failure::retry("no stock").code("stock.empty")),
        _ => Ok(()),
    }
}

/// Runs until the API goes away. Does nothing if nobody serves it one.
pub fn run() {
    if std::env::var("AWS_LAMBDA_RUNTIME_API").is_err() {
        return;
    }
    lambda_msk::logging::init();
    let consumer = Consumer::builder()
        .topic("orders", take)
        .attempts(1)
        .from_env();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(lambda_msk::run(consumer)).unwrap();
}
