//! A topic that is not a name.

use lambda_msk::{Consumer, Record};

async fn ship(_: Record) {}

fn main() {
    let _ = Consumer::builder().topic(7, ship);
}
