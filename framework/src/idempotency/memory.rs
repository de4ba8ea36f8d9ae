//! The store in this process's memory: the default. Bounded; what was written longest ago is forgotten first.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::idempotency::store::{IdempotencyStore, Item, StoreError, Swap, Swapped};
use crate::limits::MEMORY_STORE_BYTES_MAX;

/// Bytes that an item takes beside its id and data: its fields, and its place in the maps.
const ITEM_BYTES: usize = 256;

/// Items in this process's memory. Another process knows nothing of them, and they end with this one.
///
/// Bounded by [`MEMORY_STORE_BYTES_MAX`]: the item that was written longest ago is forgotten first.
#[derive(Clone, Default)]
pub struct MemoryStore {
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    items: HashMap<Arc<str>, Entry>,
    /// Ids by the time of their last write, as a count.
    written: BTreeMap<u64, Arc<str>>,
    writes: u64,
    bytes: usize,
}

struct Entry {
    item: Item,
    written: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
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

impl Table {
    fn replace(&mut self, id: &Arc<str>, item: Option<Item>) {
        self.forget(id);
        let Some(item) = item else { return };
        self.writes += 1;
        self.bytes += size(id, &item);
        self.written.insert(self.writes, Arc::clone(id));
        let entry = Entry {
            item,
            written: self.writes,
        };
        self.items.insert(Arc::clone(id), entry);
        while self.bytes > MEMORY_STORE_BYTES_MAX {
            let Some((_, oldest)) = self.written.pop_first() else {
                return;
            };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, id: &Arc<str>) {
        if let Some(entry) = self.items.remove(id) {
            self.written.remove(&entry.written);
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
