//! `?` on a type that is no error.

use lambda_msk::{Consumer, Failure, Record};

struct Plain;

async fn ship(_: Record) -> Result<(), Failure> {
    Err(Plain)?;
    Ok(())
}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
