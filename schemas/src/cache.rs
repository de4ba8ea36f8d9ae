//! Schemas by their ids, each asked for once, however many invocations want it at the same time. Called by the framework and by tools.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use tokio::time::{Instant, timeout, timeout_at};

use crate::id::SchemaId;
use crate::limits::{FETCH_MS_MAX, NOT_FOUND_KEPT_MAX, NOT_FOUND_SECS, SCHEMAS_KEPT_MAX};
use crate::registry::{FetchError, Registry};
use crate::schema::Schema;

/// What is known of a schema's id.
#[derive(Clone, Debug)]
pub enum Known {
    /// The schema.
    Ready(Arc<Schema>),
    /// The registry says that it has no such schema. Believed for 30 seconds.
    NotFound,
    /// The registry's schema cannot be used, with the reason. Kept as a schema is.
    Unusable(Arc<str>),
    /// The registry could not be asked, with its name and the cure. Never kept: the next caller asks again.
    Unavailable(Arc<str>),
}

/// The schemas of a registry that were asked for: kept for the life of the process, up to a bound. Shared by all invocations in an `Arc`.
pub struct Cache {
    asked: Arc<Asked>,
}

/// What a request under way needs to finish without the cache's borrow.
struct Asked {
    registry: Box<dyn Registry>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Counts uses, so that the least recent one is known.
    uses: u64,
    schemas: HashMap<SchemaId, Final>,
    not_found: HashMap<SchemaId, Instant>,
    flights: HashMap<SchemaId, WeakShared<Flight>>,
}

struct Final {
    known: Known,
    used: u64,
}

/// One request under way. Ends early if the last of those who wait for it is dropped. None: it took longer than any request may.
type Flight = Pin<Box<dyn Future<Output = Option<Known>> + Send>>;

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.asked.kept();
        f.debug_struct("Cache")
            .field("registry", &self.asked.registry)
            .field("schemas", &kept.schemas.len())
            .field("not_found", &kept.not_found.len())
            .finish_non_exhaustive()
    }
}

impl Cache {
    /// Creates a cache that knows nothing yet. Asks the registry nothing.
    pub fn new(registry: Box<dyn Registry>) -> Self {
        let kept = Mutex::default();
        Self {
            asked: Arc::new(Asked { registry, kept }),
        }
    }

    /// The registry's place, for messages.
    pub fn place(&self) -> &str {
        self.asked.registry.place()
    }

    /// What is known without asking the registry. None: [`get`](Self::get) has to ask.
    pub fn known(&self, id: SchemaId) -> Option<Known> {
        self.asked.kept().known(id)
    }

    /// What the registry says of an id; asked only if nothing is known yet. Callers of the same id share one request, which goes on while one of them waits.
    ///
    /// After `limit` the answer is [`Known::Unavailable`]. The limit covers the schema with all its references.
    pub async fn get(&self, id: SchemaId, limit: Duration) -> Known {
        let end = Instant::now() + limit;
        loop {
            let flight = {
                let mut kept = self.asked.kept();
                if let Some(known) = kept.known(id) {
                    return known;
                }
                kept.flight(id, &self.asked)
            };
            match timeout_at(end, flight).await {
                Ok(Some(known)) => return known,
                // The request began long before this caller came, and took too long: there is time for another.
                Ok(None) if Instant::now() < end => {}
                Ok(None) | Err(_) => return self.late(limit),
            }
        }
    }

    fn late(&self, limit: Duration) -> Known {
        let place = self.place();
        let limit = limit.as_millis();
        Known::Unavailable(Arc::from(format!(
            "the schema registry {place} did not answer within {limit} ms: check that this network reaches it (of a function: subnets, security groups, DNS; at a desk: VPN, proxy, port)"
        )))
    }
}

impl Asked {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change of what is kept is whole before anything can panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the registry, and keeps the answer.
    async fn ask(self: Arc<Self>, id: SchemaId) -> Option<Known> {
        let limit = Duration::from_millis(FETCH_MS_MAX);
        let fetched = timeout(limit, self.registry.fetch(id)).await;
        let known = fetched.ok().map(|fetched| match fetched {
            Ok(source) => Known::Ready(Arc::new(Schema::new(source))),
            Err(FetchError::NotFound(_)) => Known::NotFound,
            Err(FetchError::Unusable(reason)) => Known::Unusable(Arc::from(reason)),
            Err(FetchError::Unavailable(reason)) => Known::Unavailable(Arc::from(reason)),
        });
        let mut kept = self.kept();
        kept.flights.remove(&id);
        if let Some(known) = &known {
            kept.keep(id, known);
        }
        known
    }
}

impl Kept {
    fn known(&mut self, id: SchemaId) -> Option<Known> {
        if let Some(found) = self.schemas.get_mut(&id) {
            self.uses += 1;
            found.used = self.uses;
            return Some(found.known.clone());
        }
        let Entry::Occupied(asked) = self.not_found.entry(id) else {
            return None;
        };
        if believed(*asked.get()) {
            return Some(Known::NotFound);
        }
        asked.remove();
        None
    }

    /// The request under way for an id, or a new one.
    fn flight(&mut self, id: SchemaId, asked: &Arc<Asked>) -> Shared<Flight> {
        if let Some(flight) = self.flights.get(&id).and_then(WeakShared::upgrade) {
            return flight;
        }
        let flight: Flight = Box::pin(Arc::clone(asked).ask(id));
        let flight = flight.shared();
        // Of abandoned requests only this entry is left.
        self.flights.retain(|_, flight| flight.upgrade().is_some());
        if let Some(weak) = flight.downgrade() {
            self.flights.insert(id, weak);
        }
        flight
    }

    fn keep(&mut self, id: SchemaId, known: &Known) {
        match known {
            Known::Unavailable(_) => {}
            Known::NotFound => {
                if self.not_found.len() >= NOT_FOUND_KEPT_MAX {
                    self.not_found.retain(|_, asked| believed(*asked));
                }
                if self.not_found.len() >= NOT_FOUND_KEPT_MAX {
                    let oldest = self.not_found.iter().min_by_key(|(_, asked)| **asked);
                    let oldest = oldest.map(|(id, _)| *id);
                    oldest.map(|id| self.not_found.remove(&id));
                }
                self.not_found.insert(id, Instant::now());
            }
            Known::Ready(_) | Known::Unusable(_) => {
                if self.schemas.len() >= SCHEMAS_KEPT_MAX {
                    let oldest = self.schemas.iter().min_by_key(|(_, found)| found.used);
                    let oldest = oldest.map(|(id, _)| *id);
                    oldest.map(|id| self.schemas.remove(&id));
                }
                self.uses += 1;
                let (known, used) = (known.clone(), self.uses);
                self.schemas.insert(id, Final { known, used });
            }
        }
    }
}

fn believed(asked: Instant) -> bool {
    asked.elapsed() < Duration::from_secs(NOT_FOUND_SECS)
}

#[cfg(test)]
mod tests;
