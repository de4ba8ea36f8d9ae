//! `Protobuf` of a message that prost can read, and whose name nobody knows: prost-build leaves it out unless it is asked for.

use lambda_msk::Consumer;
use lambda_msk::extract::Protobuf;

#[derive(Clone, PartialEq, prost::Message)]
struct Payment {
    #[prost(uint64, tag = "1")]
    amount_cents: u64,
}

async fn paid(_: Protobuf<Payment>) {}

fn main() {
    let _ = Consumer::builder().topic("payments", paid);
}
