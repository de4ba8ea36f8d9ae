//! A handler without settings of its own, given to `route`.

use lambda_msk::{Consumer, Record};

async fn ship(_: Record) {}


fn main() {
    let _ = Consumer::builder().route("orders", ship);
}
