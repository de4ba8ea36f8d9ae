//! `Avro` of a type that serde cannot read.

use lambda_msk::Consumer;
use lambda_msk::extract::Avro;

struct Plain;

async fn ship(_: Avro<Plain>) {}

fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
