//! A result whose error is no error.

use lambda_msk::{Consumer, Record};

struct Plain;

async fn ship(_: Record) -> Result<(), Plain> {
    Ok(())
}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
