//! Ledgers' items as plain facts: read by the framework's own reader of items, not by knowledge of their bytes. Used by both stores.

use std::sync::Arc;

use lambda_msk::TopicPartition;
use lambda_msk::idempotency::{
    Change, Expect, IdempotencyStore, Item, PartitionState, Status, StoreError, Swap, Swapped,
};

use crate::fact::{EnvironmentId, InvocationId, ItemId, What};

pub(crate) const TOPIC: &str = "orders";
pub(crate) const NAMESPACE: &str = "simulation";
pub(crate) const BROKERS: &str = "b-1.simulated:9092,b-2.simulated:9092";
pub(crate) const CLUSTER: &str = "arn:aws:kafka:eu-west-1:123456789012:cluster/simulated/1";

/// The item of that id.
pub(crate) fn item_id(id: &str, environment: Option<EnvironmentId>) -> ItemId {
    let partition = id.rsplit('/').next();
    ItemId {
        environment,
        // Ids end with the partition.
        partition: partition
            .and_then(|number| number.parse().ok())
            .unwrap_or(u32::MAX),
    }
}

pub(crate) fn note_read(
    id: &str,
    environment: Option<EnvironmentId>,
    invocation: InvocationId,
) -> What {
    What::Read {
        item: item_id(id, environment),
        invocation,
    }
}

/// What a swap has changed, or shown. *None: nothing.* To be called in a runtime.
pub(crate) async fn note_swap(
    swap: &Swap,
    swapped: &Swapped,
    environment: Option<EnvironmentId>,
    invocation: InvocationId,
) -> Option<What> {
    let item = item_id(&swap.id, environment);
    let after = match swapped {
        Swapped::Applied(after) => after,
        Swapped::Refused(_) => {
            let shown = matches!(&swap.change, Change::Put(item) if claimed(item).is_none());
            return shown.then_some(What::Shown { item, invocation });
        }
    };
    if let (Change::Put(_), Some(after)) = (&swap.change, after)
        && let Some((partition, offset)) = claimed(after)
    {
        return match after.status {
            Status::Completed => Some(What::Noted {
                partition,
                offset,
                invocation,
            }),
            // One that is given up is held by nobody.
            _ => (after.held_until_ms > 0).then_some(What::Claimed {
                partition,
                offset,
                invocation,
            }),
        };
    }
    if let (Change::Delete, Expect::Version(version)) = (&swap.change, &swap.expect)
        && let Some((partition, offset)) = place(&version.owner)
    {
        return Some(What::Released {
            partition,
            offset,
            invocation,
        });
    }
    Some(match (&swap.change, after) {
        (Change::Hold { .. }, _) => What::Taken { item, invocation },
        (Change::Put(_), Some(after)) => What::Written {
            item,
            invocation,
            settled: settled(item.partition, after).await,
            given_back: after.held_until_ms == 0,
        },
        (Change::Delete, _) | (Change::Put(_), None) => What::Deleted { item },
    })
}

/// The record that an item is of, if it is one of a record: its owner ends with `/orders-0@15`.
pub(crate) fn claimed(item: &Item) -> Option<(u32, i64)> {
    place(&item.version.as_ref()?.owner)
}

fn place(owner: &str) -> Option<(u32, i64)> {
    let (identifier, offset) = owner.rsplit_once('/')?.1.rsplit_once('@')?;
    let partition = identifier.rsplit_once('-')?.1;
    Some((partition.parse().ok()?, offset.parse().ok()?))
}

/// The offsets that stand in an item as settled.
async fn settled(partition: u32, item: &Item) -> Vec<i64> {
    let at = TopicPartition::new(TOPIC, partition.cast_signed());
    let store = One(item.clone());
    let state = PartitionState::read(&store, NAMESPACE, CLUSTER, &at).await;
    let ranges = state.ok().flatten().map(|state| state.settled(..));
    let ranges = ranges.unwrap_or_default();
    ranges
        .iter()
        .flat_map(|range| range.first.0..=range.last.0)
        .collect()
}

/// A store that holds one item, whatever it is asked for.
struct One(Item);

impl IdempotencyStore for One {
    async fn read(&self, _: &str) -> Result<Option<Item>, StoreError> {
        Ok(Some(self.0.clone()))
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        Ok(Swapped::Refused(swap.change.applied(Some(&self.0))))
    }

    fn describe(&self) -> String {
        "one item".to_owned()
    }
}

/// A partition of the one topic, in words that are shared.
pub(crate) fn partition_names(partitions: u32) -> Vec<msk_mapping::record::TopicPartition> {
    let topic: Arc<str> = TOPIC.into();
    let name = |partition: u32| {
        msk_mapping::record::TopicPartition::new(Arc::clone(&topic), partition.cast_signed())
    };
    (0..partitions).map(name).collect()
}
