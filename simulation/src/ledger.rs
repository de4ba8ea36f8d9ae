//! Ledgers' items as plain facts: read by the framework's own reader of items, not by knowledge of their bytes. Used by both stores.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use lambda_msk::TopicPartition;
use lambda_msk::idempotency::{
    Change, Expect, IdempotencyStore, Item, PartitionState, Status, StoreError, Swap, Swapped,
    Version,
};

use crate::fact::{EnvironmentId, InvocationId, ItemId, StoredId, VersionId, What};

pub(crate) const TOPIC: &str = "orders";
pub(crate) const NAMESPACE: &str = "simulation";
pub(crate) const BROKERS: &str = "b-1.simulated:9092,b-2.simulated:9092";
pub(crate) const CLUSTER: &str = "arn:aws:kafka:eu-west-1:123456789012:cluster/simulated/1";

/// The ledger of that id. *None: the item is one of a record.*
pub(crate) fn item_id(id: &str, environment: Option<EnvironmentId>) -> Option<ItemId> {
    // Ids of ledgers end with the partition.
    let partition = id.rsplit('/').next()?.parse().ok()?;
    Some(ItemId {
        environment,
        partition,
    })
}

/// The item of that id, whatever it is of.
pub(crate) fn stored_id(id: &str, environment: Option<EnvironmentId>) -> StoredId {
    StoredId(number(&(environment, id)))
}

/// As one number, the same in each run. Two that differ have the same number once in 2^64 pairs.
fn number(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn version_id(version: &Version) -> VersionId {
    VersionId(number(&(&version.owner, version.seq)))
}

/// What a read shows. *None: nothing of a ledger.*
pub(crate) fn note_read(
    id: &str,
    environment: Option<EnvironmentId>,
    invocation: InvocationId,
    call: u64,
) -> Option<What> {
    Some(What::Read {
        item: item_id(id, environment)?,
        invocation,
        call,
    })
}

/// What a process asks for. *None: it writes no ledger.*
pub(crate) fn note_asked(swap: &Swap, invocation: InvocationId) -> Option<What> {
    item_id(&swap.id, None)?;
    let Change::Put(item) = &swap.change else {
        return None;
    };
    let version = version_id(item.version.as_ref()?);
    Some(What::Writes {
        invocation,
        version,
    })
}

/// What a swap has changed, or shown. To be called in a runtime.
pub(crate) async fn note_swap(
    swap: &Swap,
    swapped: &Swapped,
    environment: Option<EnvironmentId>,
    invocation: InvocationId,
) -> Vec<What> {
    let item = item_id(&swap.id, environment);
    let Swapped::Applied(after) = swapped else {
        let shown = item.map(|item| What::Shown { item, invocation });
        let puts = matches!(swap.change, Change::Put(_));
        return shown.filter(|_| puts).into_iter().collect();
    };
    let stored = stored_id(&swap.id, environment);
    let stands = after.as_ref().and_then(|after| stands(stored, after));
    let changed = match item {
        None => of_a_record(swap, after.as_ref(), stored, invocation),
        Some(item) => Some(match (&swap.change, after) {
            (Change::Hold { .. }, _) => What::Taken { item, invocation },
            (Change::Put(_), Some(after)) => What::Written {
                item,
                invocation,
                version: after.version.as_ref().map(version_id),
                settled: settled(item.partition, after).await,
                given_back: after.held_until_ms == 0,
            },
            (Change::Delete, _) | (Change::Put(_), None) => What::Deleted { item },
        }),
    };
    stands.into_iter().chain(changed).collect()
}

/// *None: another program wrote it, which knows no versions.*
fn stands(stored: StoredId, item: &Item) -> Option<What> {
    let version = item.version.as_ref()?;
    let status = item.status.as_str();
    let times = (item.held_until_ms, item.expires_s);
    Some(What::Stands {
        stored,
        version: version_id(version),
        content: number(&(status, times, &item.data, &item.validation)),
    })
}

fn of_a_record(
    swap: &Swap,
    after: Option<&Item>,
    stored: StoredId,
    invocation: InvocationId,
) -> Option<What> {
    match (&swap.change, after) {
        (Change::Put(_), Some(after)) => {
            let (partition, offset) = claimed(after)?;
            match after.status {
                Status::Completed => Some(What::Noted {
                    partition,
                    offset,
                    invocation,
                    stored,
                }),
                // One that is given up is held by nobody.
                _ => (after.held_until_ms > 0).then_some(What::Claimed {
                    partition,
                    offset,
                    invocation,
                    stored,
                }),
            }
        }
        (Change::Delete, _) => {
            let Expect::Version(version) = &swap.expect else {
                return None;
            };
            let (partition, offset) = place(&version.owner)?;
            Some(What::Released {
                partition,
                offset,
                invocation,
                stored,
            })
        }
        _ => None,
    }
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
        .flat_map(|range| range.first..=range.last)
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
