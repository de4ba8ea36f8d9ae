//! The contract of every idempotency store, as a test. Run it against your own store.

mod versions;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use crate::clock::Clock;
use crate::idempotency::{
    Change, Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped, Version,
};

/// Now, in milliseconds: a store that deletes what has expired by a clock of its own keeps what is written here. Whole seconds, so that ends of seconds are known.
static NOW: LazyLock<u64> = LazyLock::new(|| Clock::System.now_ms() / 1000 * 1000);

/// Far from `NOW`, seconds.
static LATER: LazyLock<u64> = LazyLock::new(|| *NOW / 1000 + 86_400);

/// Tests a store for all guarantees that leases and merges rely on: fencing, expiry, two owners, merges, repeated and late writes,
/// and concurrent writes. Writes items whose ids begin with `check/`, with names unique to this run, and does not delete them.
///
/// # Panics
///
/// The store breaks a guarantee: the message names it.
pub async fn check(store: impl IdempotencyStore) {
    let check = Check {
        store: Arc::new(store),
        run: format!("check/{:016x}", fastrand::u64(..)),
    };
    check.an_item_that_was_never_written_is_none().await;
    check.what_was_put_is_read_as_it_was().await;
    check.absent_holds_once().await;
    check.a_version_is_compared_by_owner_and_seq().await;
    check.large_numbers_are_told_apart().await;
    check.a_held_item_is_not_free_until_then().await;
    check.an_expired_item_is_free().await;
    check.a_completed_item_is_not_free().await;
    check.holding_keeps_what_was_there().await;
    check.a_repeated_write_is_refused_with_what_it_wrote().await;
    check.a_late_write_of_an_old_owner_changes_nothing().await;
    check.a_deleted_item_is_gone().await;
    check.an_item_made_anew_is_not_the_one_before().await;
    check.of_many_that_take_at_once_one_has_it().await;
    check.merges_at_once_lose_nothing().await;
    check.ids_and_data_are_taken_as_they_are().await;
}

struct Check<S> {
    store: Arc<S>,
    run: String,
}

fn version(owner: &str, seq: u64) -> Version {
    Version {
        owner: owner.into(),
        seq,
    }
}

fn item(version: Version, data: &[u8]) -> Item {
    let mut item = Item::new(Some(version), *LATER);
    item.data = Bytes::copy_from_slice(data);
    item
}

impl<S: IdempotencyStore> Check<S> {
    fn id(&self, name: &str) -> Arc<str> {
        format!("{}/{name}", self.run).into()
    }

    /// A call that must be answered; what only may pass is tried again, as the framework would.
    async fn swap(&self, id: &Arc<str>, expect: Expect, change: Change) -> Swapped {
        let swap = Swap::new(Arc::clone(id), expect, change);
        for _ in 0..10 {
            match self.store.swap(&swap).await {
                Ok(swapped) => return swapped,
                Err(error) => may_pass(&error),
            }
        }
        panic!("`swap` failed ten times in a row");
    }

    async fn read(&self, id: &Arc<str>) -> Option<Item> {
        for _ in 0..10 {
            match self.store.read(id).await {
                Ok(item) => return item,
                Err(error) => may_pass(&error),
            }
        }
        panic!("`read` failed ten times in a row");
    }

    async fn put(&self, id: &Arc<str>, item: &Item) {
        let swapped = self
            .swap(id, Expect::Absent, Change::Put(item.clone()))
            .await;
        let applied = Swapped::Applied(Some(item.clone()));
        assert_eq!(swapped, applied, "an item is put where there is none");
    }

    async fn an_item_that_was_never_written_is_none(&self) {
        let id = self.id("never");
        assert_eq!(self.read(&id).await, None, "nothing was written there");
    }

    async fn what_was_put_is_read_as_it_was(&self) {
        let id = self.id("whole");
        let mut whole = item(version("a", u64::from(u32::MAX) + 1), &[0, 1, 255]);
        whole.status = Status::Completed;
        whole.held_until_ms = *NOW + 1;
        whole.validation = Some("v".into());

        self.put(&id, &whole).await;

        assert_eq!(self.read(&id).await, Some(whole), "every field is kept");
    }

    async fn absent_holds_once(&self) {
        let id = self.id("absent");
        let (first, second) = (item(version("a", 1), b"a"), item(version("b", 1), b"b"));

        self.put(&id, &first).await;
        let swapped = self.swap(&id, Expect::Absent, Change::Put(second)).await;

        let refused = Swapped::Refused(Some(first));
        assert_eq!(
            swapped, refused,
            "`Absent` does not hold where an item is; the answer is that item"
        );
    }

    async fn a_held_item_is_not_free_until_then(&self) {
        let id = self.id("held");
        let mut held = item(version("a", 1), b"1");
        held.held_until_ms = *NOW;
        self.put(&id, &held).await;
        let take = |at_ms, owner: &str| {
            let change = Change::Hold {
                owner: owner.into(),
                raise: 70,
                held_until_ms: at_ms + 10_000,
                expires_s: *LATER,
            };
            self.swap(&id, Expect::Free { at_ms }, change)
        };

        for at_ms in [*NOW - 1, *NOW] {
            let refused = Swapped::Refused(Some(held.clone()));
            assert_eq!(take(at_ms, "b").await, refused, "it is held until {}", *NOW);
        }
        let swapped = take(*NOW + 1, "b").await;

        let mut taken = held;
        taken.version = Some(version("b", 71));
        taken.held_until_ms = *NOW + 10_001;
        let applied = Swapped::Applied(Some(taken.clone()));
        assert_eq!(swapped, applied, "it is free after {}", *NOW);
        let refused = Swapped::Refused(Some(taken));
        assert_eq!(
            take(*NOW + 2, "c").await,
            refused,
            "another one holds it now"
        );
    }

    async fn an_expired_item_is_free(&self) {
        let id = self.id("expired");
        let mut expired = item(version("a", 1), b"1");
        expired.status = Status::Completed;
        expired.held_until_ms = *LATER * 1000 + 60_000;
        expired.expires_s = *LATER;
        self.put(&id, &expired).await;
        let next = item(version("b", 1), b"2");
        let take = |at_ms| {
            let change = Change::Put(next.clone());
            self.swap(&id, Expect::Free { at_ms }, change)
        };

        let refused = Swapped::Refused(Some(expired.clone()));
        assert_eq!(
            take(*LATER * 1000 + 999).await,
            refused,
            "it expires after that second"
        );
        let applied = Swapped::Applied(Some(next.clone()));
        assert_eq!(take(*LATER * 1000 + 1_000).await, applied, "it has expired");
    }

    async fn a_completed_item_is_not_free(&self) {
        let id = self.id("completed");
        let mut completed = item(version("a", 1), b"1");
        completed.status = Status::Completed;
        self.put(&id, &completed).await;

        let change = Change::Put(item(version("b", 1), b"2"));
        let swapped = self.swap(&id, Expect::Free { at_ms: *NOW }, change).await;

        let refused = Swapped::Refused(Some(completed));
        assert_eq!(swapped, refused, "nobody takes what is completed");
    }

    async fn a_repeated_write_is_refused_with_what_it_wrote(&self) {
        let id = self.id("repeated");
        self.put(&id, &item(version("a", 1), b"1")).await;
        let next = item(version("a", 2), b"2");
        let write = || {
            let expect = Expect::Version(version("a", 1));
            self.swap(&id, expect, Change::Put(next.clone()))
        };

        let first = write().await;
        let second = write().await;

        assert_eq!(first, Swapped::Applied(Some(next.clone())), "it is applied");
        let refused = Swapped::Refused(Some(next.clone()));
        assert_eq!(
            second, refused,
            "the answer shows that it was applied before"
        );
    }

    async fn a_late_write_of_an_old_owner_changes_nothing(&self) {
        let id = self.id("late");
        self.put(&id, &item(version("a", 1), b"1")).await;
        let taken = item(version("b", 1), b"b");
        let free = Expect::Free { at_ms: *NOW };
        self.swap(&id, free, Change::Put(taken.clone())).await;

        let expect = Expect::Version(version("a", 1));
        let late = Change::Put(item(version("a", 2), b"late"));
        let swapped = self.swap(&id, expect.clone(), late).await;
        let deleted = self.swap(&id, expect, Change::Delete).await;

        let refused = Swapped::Refused(Some(taken.clone()));
        assert_eq!(swapped, refused, "its version has passed");
        assert_eq!(deleted, refused, "its version has passed, for deletes too");
        assert_eq!(
            self.read(&id).await,
            Some(taken),
            "the successor's item stands"
        );
    }

    async fn a_deleted_item_is_gone(&self) {
        let id = self.id("deleted");
        self.put(&id, &item(version("a", 1), b"1")).await;

        let expect = Expect::Version(version("a", 1));
        let swapped = self.swap(&id, expect, Change::Delete).await;

        assert_eq!(swapped, Swapped::Applied(None), "a delete leaves no item");
        assert_eq!(self.read(&id).await, None, "it is gone");
        self.put(&id, &item(version("b", 1), b"2")).await;
    }

    async fn of_many_that_take_at_once_one_has_it(&self) {
        let id = self.id("race");
        let takes = (0..8).map(|owner| {
            let change = Change::Hold {
                owner: format!("owner-{owner}").into(),
                raise: 70,
                held_until_ms: *NOW + 10_000,
                expires_s: *LATER,
            };
            self.swap(&id, Expect::Free { at_ms: *NOW }, change)
        });

        let answers = futures_util::future::join_all(takes).await;

        let holder = self.read(&id).await.and_then(|item| item.version);
        assert!(holder.is_some(), "one of them holds it");
        let mut applied = 0;
        for answer in answers {
            let (Swapped::Applied(item) | Swapped::Refused(item)) = &answer;
            let seen = item.as_ref().and_then(|item| item.version.clone());
            assert_eq!(seen, holder, "all are told who holds it");
            applied += usize::from(matches!(answer, Swapped::Applied(_)));
        }
        assert_eq!(applied, 1, "one of those that take at once has it");
    }

    async fn merges_at_once_lose_nothing(&self) {
        let id = self.id("merge");
        let merges = (0..8_u8).map(|owner| {
            let id = Arc::clone(&id);
            async move {
                let mut stands = self.read(&id).await;
                loop {
                    let expect = match stands.as_ref().and_then(|item| item.version.clone()) {
                        Some(version) => Expect::Version(version),
                        None => Expect::Absent,
                    };
                    let mut data = stands.map(|item| item.data.to_vec()).unwrap_or_default();
                    data.push(owner);
                    let next = item(version(&format!("owner-{owner}"), 1), &data);
                    match self.swap(&id, expect, Change::Put(next)).await {
                        Swapped::Applied(_) => return,
                        Swapped::Refused(item) => stands = item,
                    }
                }
            }
        });

        futures_util::future::join_all(merges).await;

        let mut data = self
            .read(&id)
            .await
            .map(|item| item.data.to_vec())
            .unwrap_or_default();
        data.sort_unstable();
        assert_eq!(
            data,
            [0, 1, 2, 3, 4, 5, 6, 7],
            "what is merged in turn is all there"
        );
    }

    async fn ids_and_data_are_taken_as_they_are(&self) {
        let long = "x".repeat(crate::limits::STORE_ID_BYTES_MAX - self.run.len() - 1);
        for name in ["a b:%_*?[]'\"\\#$", "A", "a", &long] {
            let id = self.id(name);
            let large: Vec<u8> = (0..=255)
                .cycle()
                .take(crate::limits::LEDGER_BYTES_MAX)
                .collect();
            let stands = item(version("a", 1), &large);
            self.put(&id, &stands).await;
            assert_eq!(
                self.read(&id).await,
                Some(stands),
                "`{name}` is an id like any other"
            );
        }
    }
}

fn may_pass(error: &StoreError) {
    assert!(error.is_transient(), "the store failed for good: {error}");
}

#[cfg(test)]
mod tests {
    use crate::idempotency::MemoryStore;

    #[tokio::test]
    async fn memory_is_a_store() {
        super::check(MemoryStore::new()).await;
    }
}
