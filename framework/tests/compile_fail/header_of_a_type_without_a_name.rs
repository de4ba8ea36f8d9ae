//! `Header` of a type that stands for no header.

use lambda_msk::{Consumer, Header};

async fn ship(_: Header<String>) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
