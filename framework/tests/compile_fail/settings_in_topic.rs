//! A handler with settings of its own, given to `topic`.

use lambda_msk::{Consumer, Record, each};

async fn ship(_: Record) {}


fn main() {
    let _ = Consumer::builder().topic("orders", each(ship).attempts(5));
}
