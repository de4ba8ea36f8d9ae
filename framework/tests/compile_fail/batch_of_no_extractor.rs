//! What a batch is of is taken from each record.

use lambda_msk::{Batch, Consumer, Failure, batch};

async fn store(_: Batch<Vec<u64>>) -> Result<(), Failure> {
    Ok(())
}

fn main() {
    let _ = Consumer::builder().route("orders", batch(store));
}
