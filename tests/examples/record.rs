//! A function whose handler takes the record alone, with all settings as they are: for the bench of invocations.

use std::hint::black_box;

use lambda_msk::{Consumer, Error, Record};

async fn handle(record: Record) {
    black_box(record.value());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_msk::logging::init();
    lambda_msk::run(Consumer::builder().topic("orders", handle).from_env()).await
}
