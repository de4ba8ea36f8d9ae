//! A function that is not async.

use lambda_msk::{Consumer, Record};

fn ship(_: Record) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
