//! What versions must hold to: no late write may take an item for the one that it expects.

use bytes::Bytes;

use super::{Check, LATER, NOW, item, version};
use crate::idempotency::{Change, Expect, IdempotencyStore, Swapped};
use crate::limits::{SEQ_BITS, SEQ_RAISE_BITS};

impl<S: IdempotencyStore> Check<S> {
    pub(super) async fn a_version_is_compared_by_owner_and_seq(&self) {
        let id = self.id("version");
        let stands = item(version("a", 7), b"1");
        let next = item(version("a", 8), b"2");
        let missing = self.id("version-missing");
        self.put(&id, &stands).await;

        for other in [
            version("a", 6),
            version("a", 8),
            version("b", 7),
            version("", 7),
        ] {
            let expect = Expect::Version(other.clone());
            let swapped = self.swap(&id, expect, Change::Put(next.clone())).await;
            let refused = Swapped::Refused(Some(stands.clone()));
            assert_eq!(swapped, refused, "{other:?} is not the version that stands");
        }
        let expect = Expect::Version(version("a", 7));
        let swapped = self
            .swap(&missing, expect.clone(), Change::Put(next.clone()))
            .await;
        assert_eq!(swapped, Swapped::Refused(None), "no item has no version");
        let swapped = self.swap(&id, expect, Change::Put(next.clone())).await;
        assert_eq!(
            swapped,
            Swapped::Applied(Some(next.clone())),
            "the version is the same"
        );
        assert_eq!(self.read(&id).await, Some(next), "what was applied is read");
    }

    /// The framework draws numbers of that size, and lets the store raise them.
    pub(super) async fn large_numbers_are_told_apart(&self) {
        let id = self.id("large");
        let seq = (1 << SEQ_BITS) + 1;
        let stands = item(version("a", seq), b"1");
        self.put(&id, &stands).await;

        for other in [seq - 1, seq + 1] {
            let expect = Expect::Version(version("a", other));
            let swapped = self.swap(&id, expect, Change::Delete).await;
            let refused = Swapped::Refused(Some(stands.clone()));
            assert_eq!(swapped, refused, "{other} is not {seq}");
        }
        let hold = Change::Hold {
            owner: "b".into(),
            raise: 1 << SEQ_RAISE_BITS,
            held_until_ms: *NOW + 1,
            expires_s: *LATER,
        };
        let free = Expect::Free { at_ms: *NOW };
        self.swap(&id, free, hold).await;

        let stands = self.read(&id).await.and_then(|item| item.version);
        let next = Some(version("b", seq + (1 << SEQ_RAISE_BITS)));
        assert_eq!(stands, next, "seq is raised, however large it is");
    }

    pub(super) async fn holding_keeps_what_was_there(&self) {
        let (id, new) = (self.id("hold"), self.id("hold-new"));
        let mut stands = item(version("a", 6), b"data");
        stands.validation = Some("v".into());
        self.put(&id, &stands).await;
        let hold = || Change::Hold {
            owner: "b".into(),
            raise: 70,
            held_until_ms: *NOW + 1,
            expires_s: *LATER + 1,
        };
        let mut held = stands;
        held.version = Some(version("b", 76));
        held.held_until_ms = *NOW + 1;
        held.expires_s = *LATER + 1;

        let swapped = self.swap(&id, Expect::Free { at_ms: *NOW }, hold()).await;
        let swapped_new = self.swap(&new, Expect::Free { at_ms: *NOW }, hold()).await;

        let applied = Swapped::Applied(Some(held.clone()));
        assert_eq!(
            swapped, applied,
            "data and validation stay, and seq is raised"
        );
        assert_eq!(
            self.read(&id).await,
            Some(held.clone()),
            "data and validation stay"
        );
        held.version = Some(version("b", 70));
        held.data = Bytes::new();
        held.validation = None;
        assert_eq!(
            swapped_new,
            Swapped::Applied(Some(held)),
            "a new item has neither, and its seq is raised from nothing"
        );
    }

    /// Its table's time to live deletes it, or somebody does; what its first life had asked may land in its second.
    pub(super) async fn an_item_made_anew_is_not_the_one_before(&self) {
        let id = self.id("anew");
        let take = |raise| {
            let hold = Change::Hold {
                owner: "a".into(),
                raise,
                held_until_ms: *NOW + 10_000,
                expires_s: *LATER,
            };
            self.swap(&id, Expect::Free { at_ms: *NOW }, hold)
        };
        let write = || {
            let late = item(version("a", 500), b"late");
            let expect = Expect::Version(version("a", 70));
            self.swap(&id, expect, Change::Put(late))
        };
        let delete = || {
            let expect = Expect::Version(version("a", 500));
            self.swap(&id, expect, Change::Delete)
        };
        take(70).await;
        write().await;
        assert_eq!(delete().await, Swapped::Applied(None), "it is deleted");

        let anew = take(900).await;
        let late = (take(70).await, write().await, delete().await);

        let mut stands = item(version("a", 900), b"");
        stands.held_until_ms = *NOW + 10_000;
        let applied = Swapped::Applied(Some(stands.clone()));
        assert_eq!(
            anew, applied,
            "its seq is raised from nothing, whatever stood there before"
        );
        let refused = || Swapped::Refused(Some(stands.clone()));
        assert_eq!(
            late,
            (refused(), refused(), refused()),
            "what was asked of the item that is gone is not applied to the new one"
        );
    }
}
