//! `Protobuf` of a type that prost cannot read.

use lambda_msk::Consumer;
use lambda_msk::extract::Protobuf;

struct Plain;

async fn paid(_: Protobuf<Plain>) {}

fn main() {
    let _ = Consumer::builder().topic("payments", paid);
}
