//! What each record has of its own is taken inside the batch.

use lambda_msk::{Batch, Consumer, Failure, Json, Key, batch};

async fn store(_: Batch<Json<u64>>, _: Key<String>) -> Result<(), Failure> {
    Ok(())
}

fn main() {
    let _ = Consumer::builder().route("orders", batch(store));
}
