//! A builder given to `run`.

use lambda_msk::{Consumer, Record};

async fn ship(_: Record) {}

fn main() {
    let _ = lambda_msk::run(Consumer::builder().topic("orders", ship));
}
