//! A store whose kind is chosen at run time, and the requests that are made of it at once. Made by `choose` and `builder`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::caught::caught;
use crate::idempotency::store::requests::Requests;
use crate::idempotency::store::{IdempotencyStore, Item, StoreError, Swap, Swapped};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`IdempotencyStore`] as an object: its futures boxed.
trait DynStore: Send + Sync {
    fn read<'a>(&'a self, id: &'a str) -> Boxed<'a, Option<Item>>;
    fn swap<'a>(&'a self, swap: &'a Swap) -> Boxed<'a, Swapped>;
    fn describe(&self) -> String;
    fn is_durable(&self) -> bool;
}

impl<S: IdempotencyStore> DynStore for S {
    fn read<'a>(&'a self, id: &'a str) -> Boxed<'a, Option<Item>> {
        Box::pin(IdempotencyStore::read(self, id))
    }

    fn swap<'a>(&'a self, swap: &'a Swap) -> Boxed<'a, Swapped> {
        Box::pin(IdempotencyStore::swap(self, swap))
    }

    fn describe(&self) -> String {
        IdempotencyStore::describe(self)
    }

    fn is_durable(&self) -> bool {
        IdempotencyStore::is_durable(self)
    }
}

/// A store whose kind is chosen at run time. Implements [`IdempotencyStore`]; cheap to clone.
#[derive(Clone)]
pub struct BoxStore {
    store: Arc<dyn DynStore>,
    /// Of all clones together.
    requests: Arc<Requests>,
}

impl BoxStore {
    /// Boxes a store.
    pub fn new(store: impl IdempotencyStore) -> Self {
        Self {
            store: Arc::new(store),
            requests: Arc::new(Requests::new()),
        }
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.requests
    }
}

impl IdempotencyStore for BoxStore {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        self.store.read(id).await
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self.store.swap(swap).await
    }

    fn describe(&self) -> String {
        let name = caught(|| self.store.describe());
        name.unwrap_or_else(|_| "(a store whose `describe` panicked)".to_owned())
    }

    fn is_durable(&self) -> bool {
        caught(|| self.store.is_durable()).unwrap_or(true)
    }
}

impl fmt::Debug for BoxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxStore")
            .field(&IdempotencyStore::describe(self))
            .finish()
    }
}
