//! One batch of orders: each order's id says where its record stands.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lambda_msk::TopicPartition;
use lambda_msk::idempotency::{DynamoDbStore, PartitionState};
use lambda_msk::testing::{Event, Sample};

/// As many as Lambda hands out at most.
const RECORDS: u64 = 10_000;
pub(crate) const PARTITIONS: u64 = 10;

/// No partition begins at zero for ever.
const OFFSET_FIRST: i64 = 70_000;
const CLUSTER: &str =
    "arn:aws:kafka:eu-central-1:123456789012:cluster/orders/11111111-2222-3333-4444-555555555555-1";
/// The function has to be told it, so that the ledger's items are found.
pub(crate) const NAMESPACE: &str = "shop";
const TOPIC: &str = "orders";

/// Orders 0, 1, 2, … over the partitions in turns.
#[derive(Clone)]
pub(crate) struct Batch {
    body: Bytes,
}

impl Batch {
    pub(crate) fn new() -> Self {
        let samples = (0..RECORDS).map(|order| {
            let value = format!(
                r#"{{"order_id":{order},"customer_id":"c-{}","amount_cents":1250}}"#,
                order % 500
            );
            Sample::new(TOPIC, partition_of(order))
                .offset(OFFSET_FIRST + (order / PARTITIONS) as i64)
                .key(format!("c-{}", order % 500))
                .value(value)
        });
        let body = Event::msk().arn(CLUSTER).records(samples).to_json();
        Self { body: body.into() }
    }

    /// One order of a partition that is in no other batch: after it, a process has its connections.
    pub(crate) fn to_warm_up(process: i32) -> Self {
        let order = r#"{"order_id":0,"customer_id":"c-0","amount_cents":0}"#;
        let sample = Sample::new(TOPIC, PARTITIONS as i32 + process).value(order);
        let body = Event::msk().arn(CLUSTER).record(sample).to_json();
        Self { body: body.into() }
    }

    pub(crate) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Its orders by partition, as they have to be shipped.
    pub(crate) fn orders() -> BTreeMap<u64, Vec<u64>> {
        let of = |partition| (partition..RECORDS).step_by(PARTITIONS as usize).collect();
        (0..PARTITIONS)
            .map(|partition| (partition, of(partition)))
            .collect()
    }

    /// The orders whose records the store holds as settled.
    pub(crate) async fn settled(&self, store: &DynamoDbStore) -> BTreeSet<u64> {
        let mut settled = BTreeSet::new();
        for partition in 0..PARTITIONS {
            let at = TopicPartition::new(TOPIC, partition as i32);
            let state = PartitionState::read(store, NAMESPACE, CLUSTER, &at);
            let Some(state) = state.await.unwrap() else {
                continue;
            };
            for range in state.settled(..) {
                assert!(!range.rejected, "no order is refused");
                let offsets = range.first..=range.last;
                settled.extend(
                    offsets.map(|offset| (offset - OFFSET_FIRST) as u64 * PARTITIONS + partition),
                );
            }
        }
        settled
    }
}

fn partition_of(order: u64) -> i32 {
    (order % PARTITIONS) as i32
}
