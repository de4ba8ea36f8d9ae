//! A batch handler takes its `Batch` first.

use lambda_msk::{Batch, Consumer, Deadline, Failure, Json, batch};

async fn store(_: Deadline, _: Batch<Json<u64>>) -> Result<(), Failure> {
    Ok(())
}

fn main() {
    let _ = Consumer::builder().route("orders", batch(store));
}
