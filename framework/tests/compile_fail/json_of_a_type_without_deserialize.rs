//! `Json` of a type that serde cannot read.

use lambda_msk::{Consumer, Json};

struct Plain;

async fn ship(_: Json<Plain>) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
