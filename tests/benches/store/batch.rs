//! The batch that all are given: orders of ten partitions.

use bytes::Bytes;
use lambda_msk::limits::LEDGER_OFFSETS_KEPT;
use lambda_msk::testing::{Event, Sample};
use serde_json::{Value, json};

pub(crate) const PARTITIONS: u64 = 10;

/// One batch of a topic's many.
pub(crate) struct Batch {
    /// The ids of its orders: which stand in it, and where.
    orders: std::ops::Range<u64>,
}

impl Batch {
    /// The batch with that number, from 0.
    pub(crate) fn new(records: u64, number: u64) -> Self {
        let first = records * number;
        Self {
            orders: first..first + records,
        }
    }

    /// How many batches go by until each partition's ledger keeps as many offsets as it will: only then do its writes cost what they cost.
    pub(crate) fn until_ledgers_are_full(records: u64) -> u64 {
        (LEDGER_OFFSETS_KEPT as u64).div_ceil(records / PARTITIONS)
    }

    /// As Lambda sends it.
    pub(crate) fn event(&self) -> Bytes {
        let samples = self.orders.clone().map(|order| {
            Sample::new("orders", (order % PARTITIONS) as i32)
                .offset((order / PARTITIONS) as i64)
                .key(format!("c-{order}"))
                .json(&value(order))
        });
        Event::msk().records(samples).to_json().into()
    }

    /// The orders alone.
    pub(crate) fn values(&self) -> Vec<Value> {
        self.orders.clone().map(value).collect()
    }
}

fn value(order: u64) -> Value {
    json!({"order_id": order, "customer_id": "c-7", "amount_cents": 1250})
}
