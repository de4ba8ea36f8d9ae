//! `each(…).layer(…)` takes a `tower::Layer`.

use lambda_msk::{Consumer, Record, each};

async fn ship(_: Record) {}

fn main() {
    let _ = Consumer::builder().topic("orders", each(ship).layer(5));
}
