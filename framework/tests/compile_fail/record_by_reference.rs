//! An argument by reference.

use lambda_msk::{Consumer, Record};

async fn ship(_: &Record) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
