//! `Key` of a type that bytes do not become.

use lambda_msk::{Consumer, Key};

async fn ship(_: Key<f32>) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
