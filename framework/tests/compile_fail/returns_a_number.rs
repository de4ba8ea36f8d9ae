//! A handler that returns a number.

use lambda_msk::{Consumer, Record};

async fn ship(_: Record) -> u64 {
    1
}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
