//! A handler that returns a value in `Ok`.

use lambda_msk::{Consumer, Failure, Record};

async fn ship(_: Record) -> Result<u64, Failure> {
    Ok(1)
}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
