//! Partitions as one JSON document, for scripts.

use lambda_msk::idempotency::{BoxStore, IdempotencyStore, Lease, PartitionState, SettledRange};
use serde_json::{Value, json};

use super::found::{Found, Which};

pub(crate) fn found(which: &Which, store: &BoxStore, found: &Found, now_ms: u64) -> Value {
    let partition =
        |(partition, state): &(i32, PartitionState)| self::partition(*partition, state, now_ms);
    json!({
        "store": store.describe(),
        "namespace": which.namespace,
        "cluster": which.cluster,
        "topic": which.topic,
        "partitions": found.known.iter().map(partition).collect::<Vec<_>>(),
        "unknown": found.unknown,
    })
}

fn partition(partition: i32, state: &PartitionState, now_ms: u64) -> Value {
    let settled = state.settled(..);
    json!({
        "partition": partition,
        "id": state.id(),
        "done": ranges(&settled, false),
        "rejected": ranges(&settled, true),
        "highest": state.highest(),
        "reported": state.reported(),
        "lease": state.lease().map(|lease| self::lease(&lease, now_ms)),
        "dataBytes": state.data_bytes(),
        "expiresS": state.expires_s(),
        "unreadable": state.unreadable(),
    })
}

pub(crate) fn ranges(settled: &[SettledRange], rejected: bool) -> Vec<Value> {
    let ranges = settled.iter().filter(|range| range.rejected == rejected);
    ranges
        .map(|range| json!({"first": range.first, "last": range.last, "atMs": range.at_ms}))
        .collect()
}

fn lease(lease: &Lease, now_ms: u64) -> Value {
    json!({
        "owner": &*lease.holder.owner,
        "seq": lease.holder.seq,
        "untilMs": lease.until_ms,
        "freeMs": lease.free_ms(),
        "live": lease.is_live(now_ms),
    })
}
