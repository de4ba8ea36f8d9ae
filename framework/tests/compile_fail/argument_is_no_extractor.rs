//! A type of the user's own among the arguments.

use lambda_msk::{Consumer, Failure, Record};

struct Plain;

async fn ship(_: Record, _: Plain) -> Result<(), Failure> {
    Ok(())
}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
