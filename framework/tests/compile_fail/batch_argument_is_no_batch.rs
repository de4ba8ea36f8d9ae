//! A batch handler takes a `Batch` first.

use lambda_msk::{Consumer, Failure, Json, batch};

async fn store(_: Json<Vec<u64>>) -> Result<(), Failure> {
    Ok(())
}

fn main() {
    let _ = Consumer::builder().route("orders", batch(store));
}
