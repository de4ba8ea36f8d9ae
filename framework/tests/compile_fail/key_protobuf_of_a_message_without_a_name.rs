//! The same as a key, which may be absent.

use lambda_msk::extract::{Key, Protobuf};
use lambda_msk::Consumer;

#[derive(Clone, PartialEq, prost::Message)]
struct Customer {
    #[prost(uint64, tag = "1")]
    number: u64,
}

async fn seen(_: Option<Key<Protobuf<Customer>>>) {}

fn main() {
    let _ = Consumer::builder().topic("customers", seen);
}
