//! A batch handler is added with `.route`.

use lambda_msk::{Batch, Consumer, Failure, Json, batch};

async fn store(_: Batch<Json<u64>>) -> Result<(), Failure> {
    Ok(())
}

fn main() {
    let _ = Consumer::builder().topic("orders", batch(store));
}
