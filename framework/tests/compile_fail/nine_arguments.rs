//! More arguments than a handler can have.

use lambda_msk::{RequestId, TopicPartition};
use lambda_msk::{Attempt, Consumer, Deadline, Headers, IdempotencyKey, Record, Value};

#[rustfmt::skip]
async fn ship(_: Record, _: Headers, _: Attempt, _: Deadline, _: IdempotencyKey, _: Value, _: TopicPartition, _: RequestId, _: Record) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
