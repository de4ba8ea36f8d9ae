//! `Option` of what every record has.

use lambda_msk::{Attempt, Consumer};

async fn ship(_: Option<Attempt>) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
