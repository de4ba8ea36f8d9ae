//! A function with lambda_runtime and the AWS SDK, as people deploy it: what the bench of the init compares with. The SDK is linked in and, as in ours without a table or queue, not
//! used.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    if let Ok(table) = std::env::var("TABLE") {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let scanned = Client::new(&config).scan().table_name(table).send().await?;
        std::hint::black_box(scanned.count());
    }
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| {
        Ok::<_, Error>(json!({"batchItemFailures": []}))
    }))
    .await
}
