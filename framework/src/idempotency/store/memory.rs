//! The store in this process's memory: the default. Bounded; the oldest write is forgotten first, but never an item that is held.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::idempotency::store::{
    Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped,
};
use crate::limits::MEMORY_STORE_BYTES_MAX;

/// Bytes that an item takes beside its id and data: its fields, and its place in the maps.
const ITEM_BYTES: usize = 256;

/// A store in this process's memory. Other processes do not see its items, and they end with this process.
///
/// Bounded by [`MEMORY_STORE_BYTES_MAX`]: the item with the oldest write is forgotten first. An item that an invocation holds is not forgotten, since otherwise a second invocation
/// could run the same records concurrently: if all items are held, the store grows beyond the bound, by the items that running invocations hold.
#[derive(Clone, Default)]
pub struct MemoryStore {
    table: Arc<Mutex<Items>>,
}

#[derive(Default)]
struct Items {
    items: HashMap<Arc<str>, StoredItem>,
    /// Ids of items that may be forgotten, by their last write, as a count.
    written: BTreeMap<u64, Arc<str>>,
    /// Ids of items that are held, by when that ends, milliseconds since 1970, and their last write.
    held: BTreeMap<(u64, u64), Arc<str>>,
    /// The time that a swap named last, milliseconds since 1970: the store has no clock of its own.
    now_ms: u64,
    writes: u64,
    bytes: usize,
}

struct StoredItem {
    item: Item,
    written: u64,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Items> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IdempotencyStore for MemoryStore {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let table = self.lock();
        Ok(table.items.get(id).map(|entry| entry.item.clone()))
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let mut table = self.lock();
        if let Expect::Free { at_ms } = swap.expect {
            table.now_ms = at_ms;
        }
        let stands = table.items.get(&swap.id).map(|entry| &entry.item);
        if !swap.expect.holds(stands) {
            return Ok(Swapped::Refused(stands.cloned()));
        }
        let item = swap.change.applied(stands);
        table.replace(&swap.id, item.clone());
        Ok(Swapped::Applied(item))
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn is_durable(&self) -> bool {
        false
    }
}

impl Items {
    fn replace(&mut self, id: &Arc<str>, item: Option<Item>) {
        self.forget(id);
        let Some(item) = item else { return };
        self.writes += 1;
        self.bytes += size(id, &item);
        if item.status == Status::InProgress && item.held_until_ms >= self.now_ms {
            let ends = (item.held_until_ms, self.writes);
            self.held.insert(ends, Arc::clone(id));
        } else {
            self.written.insert(self.writes, Arc::clone(id));
        }
        let entry = StoredItem {
            item,
            written: self.writes,
        };
        self.items.insert(Arc::clone(id), entry);
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.bytes > MEMORY_STORE_BYTES_MAX {
            while let Some(first) = self.held.first_entry()
                && first.key().0 < self.now_ms
            {
                let ((_, written), id) = first.remove_entry();
                self.written.insert(written, id);
            }
            let Some((_, oldest)) = self.written.pop_first() else {
                return;
            };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, id: &Arc<str>) {
        if let Some(entry) = self.items.remove(id) {
            self.written.remove(&entry.written);
            self.held.remove(&(entry.item.held_until_ms, entry.written));
            self.bytes -= size(id, &entry.item);
        }
    }
}

fn size(id: &str, item: &Item) -> usize {
    // The id stands in two maps, as one allocation.
    ITEM_BYTES + id.len() + item.data.len()
}

impl fmt::Debug for MemoryStore {
    /// Counts only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.lock();
        f.debug_struct("MemoryStore")
            .field("items", &table.items.len())
            .field("bytes", &table.bytes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::MemoryStore;
    use crate::idempotency::store::{Change, Expect, IdempotencyStore, Item, Swap};
    use crate::limits::MEMORY_STORE_BYTES_MAX;

    fn put(id: &str, bytes: usize) -> Swap {
        let mut item = Item::new(None, u64::MAX);
        item.data = Bytes::from(vec![0; bytes]);
        let free = Expect::Free { at_ms: 1 };
        Swap::new(id.into(), free, Change::Put(item))
    }

    #[tokio::test]
    async fn beyond_its_size_it_forgets_what_was_written_longest_ago() {
        let store = MemoryStore::new();
        let third = MEMORY_STORE_BYTES_MAX / 3;

        for id in ["a", "b", "a", "c"] {
            store.swap(&put(id, third)).await.unwrap();
        }

        assert!(store.read("a").await.unwrap().is_some());
        assert!(store.read("b").await.unwrap().is_none());
        assert!(store.read("c").await.unwrap().is_some());
        assert!(format!("{store:?}").starts_with("MemoryStore { items: 2, bytes: "));
    }

    /// Held until then, at that time.
    fn hold(id: &str, bytes: usize, at_ms: u64, held_until_ms: u64) -> Swap {
        let mut swap = put(id, bytes);
        swap.expect = Expect::Free { at_ms };
        if let Change::Put(item) = &mut swap.change {
            item.held_until_ms = held_until_ms;
        }
        swap
    }

    #[tokio::test]
    async fn what_is_held_is_not_forgotten_while_it_is_held() {
        let store = MemoryStore::new();
        let third = MEMORY_STORE_BYTES_MAX / 3;
        let is_there = async |id: &str| store.read(id).await.unwrap().is_some();

        store.swap(&hold("a", third, 1_000, 2_000)).await.unwrap();
        store.swap(&put("b", third)).await.unwrap();
        store.swap(&hold("c", third, 2_000, 3_000)).await.unwrap();
        assert!(is_there("a").await);
        assert!(!is_there("b").await);
        store.swap(&hold("d", third, 2_001, 3_000)).await.unwrap();

        assert!(!is_there("a").await);
        assert!(is_there("c").await);
        assert!(is_there("d").await);
    }

    #[tokio::test]
    async fn where_all_is_held_it_grows_and_shrinks_again_once_something_is_given_back() {
        let store = MemoryStore::new();
        let third = MEMORY_STORE_BYTES_MAX / 3;
        let count = || {
            format!("{store:?}")
                .split(", bytes")
                .next()
                .unwrap()
                .to_owned()
        };

        for id in ["a", "b", "c", "d"] {
            store.swap(&hold(id, third, 1_000, 2_000)).await.unwrap();
        }
        assert_eq!(count(), "MemoryStore { items: 4");
        let mut given_back = put("b", third);
        given_back.expect = Expect::Free { at_ms: 2_001 };
        store.swap(&given_back).await.unwrap();

        assert_eq!(count(), "MemoryStore { items: 2");
        assert!(store.read("b").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_space_of_what_is_deleted_is_free_again() {
        let store = MemoryStore::new();
        store.swap(&put("a", 1_000)).await.unwrap();

        let free = Expect::Free { at_ms: 1 };
        let delete = Swap::new("a".into(), free, Change::Delete);
        store.swap(&delete).await.unwrap();

        assert_eq!(format!("{store:?}"), "MemoryStore { items: 0, bytes: 0 }");
    }
}
