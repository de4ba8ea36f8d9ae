//! A batch handler returns outcomes, or nothing.

use lambda_msk::{Batch, Consumer, Failure, Json, batch};

async fn store(orders: Batch<Json<u64>>) -> Result<usize, Failure> {
    Ok(orders.len())
}

fn main() {
    let _ = Consumer::builder().route("orders", batch(store));
}
