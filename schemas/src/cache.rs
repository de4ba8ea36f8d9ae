//! Schemas by their ids, each asked for once, however many invocations want it at the same time. Called by the framework and by tools.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::time::{Instant, timeout, timeout_at};

use crate::id::SchemaId;
use crate::limits::{
    FETCH_MS_MAX, FETCHES_UNDER_WAY_MAX, NOT_FOUND_KEPT_MAX, NOT_FOUND_SECS, SCHEMAS_KEPT_MAX,
};
use crate::registry::{FetchError, Registry};
use crate::schema::Schema;

/// What is known of a schema's id.
#[derive(Clone, Debug)]
pub enum Known {
    /// The schema.
    Ready(Arc<Schema>),
    /// The registry says that it has no such schema. Believed for 30 seconds.
    NotFound,
    /// The id is one of another kind of registry, with the reason, and this registry is in use. Believed for 30 seconds.
    Foreign(Arc<str>),
    /// The registry's schema cannot be used, with the reason. Kept as a schema is; believed for 30 seconds if only a schema that it refers to is missing.
    Unusable(Arc<str>),
    /// The registry could not be asked, with its name and the cure. Never kept: the next caller asks again.
    Unavailable(Arc<str>),
}

/// The schemas of a registry that were asked for: kept for the life of the process, up to a bound. Shared by all invocations in an `Arc`.
pub struct Cache {
    asked: Arc<Asked>,
}

impl Drop for Cache {
    /// Requests under way hold what is asked.
    fn drop(&mut self) {
        let flights = std::mem::take(&mut self.asked.kept().flights);
        // Without the lock.
        drop(flights);
    }
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
    /// The registry has given a schema: it is no wrong one.
    is_in_use: bool,
    /// What is believed for some time: that a schema, or one that it refers to, was not found.
    not_found: HashMap<SchemaId, NotFound>,
    flights: HashMap<SchemaId, UnderWay>,
    /// Counts requests, so that the end of one is not taken for that of a later one of the same id.
    begun: u64,
}

struct UnderWay {
    flight: Shared<Flight>,
    number: u64,
    began: Instant,
}

struct Final {
    known: Known,
    used: u64,
}

struct NotFound {
    known: Known,
    asked: Instant,
}

/// One request under way. Whoever waits for it moves it on. If all have gone it stands still, and the next caller moves it on: no task of its own would run in a process that is frozen between
/// events. None: it took longer than any request may.
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

    /// Whether a UUID in an event's metadata is a GUID of the registry, and no id of AWS Glue's.
    pub fn has_guids(&self) -> bool {
        self.asked.registry.has_guids()
    }

    /// What is known without asking the registry. None: [`get`](Self::get) has to ask.
    pub fn known(&self, id: SchemaId) -> Option<Known> {
        self.asked.kept().known(id)
    }

    /// What the registry says of an id; asked only if nothing is known yet. Callers of the same id share one request. If they leave before its answer, the next caller goes on with it.
    ///
    /// After `limit` the answer is [`Known::Unavailable`]. The limit covers the schema with all its references.
    pub async fn get(&self, id: SchemaId, limit: Duration) -> Known {
        let known = self.within(id, limit).await;
        known.unwrap_or_else(|| self.late(limit))
    }

    /// As [`get`](Self::get). None: the registry has not answered within `limit`.
    pub async fn within(&self, id: SchemaId, limit: Duration) -> Option<Known> {
        let end = Instant::now() + limit;
        loop {
            let (flight, stale) = {
                let mut kept = self.asked.kept();
                if let Some(known) = kept.known(id) {
                    return Some(known);
                }
                let stale = kept.stale();
                (kept.flight(id, &self.asked), stale)
            };
            // Without the lock.
            drop(stale);
            let Some(flight) = flight else {
                return Some(self.too_many());
            };
            match timeout_at(end, flight).await {
                Ok(Some(known)) => return Some(known),
                // The request began long before this caller came, and took too long: there is time for another.
                Ok(None) if Instant::now() < end => {}
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn too_many(&self) -> Known {
        let place = self.place();
        Known::Unavailable(Arc::from(format!(
            "the schema registry {place} has {FETCHES_UNDER_WAY_MAX} requests under way, and is asked no more until it answers some of them: look at the registry's load, and at what writes so many schema ids"
        )))
    }

    /// What is said of a registry that has not answered within that time.
    pub fn late(&self, limit: Duration) -> Known {
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
    async fn ask(self: Arc<Self>, id: SchemaId, number: u64) -> Option<Known> {
        let landing = Landing {
            asked: Arc::clone(&self),
            id,
            number,
        };
        let limit = Duration::from_millis(FETCH_MS_MAX);
        let fetched = AssertUnwindSafe(timeout(limit, self.registry.fetch(id)));
        let Ok(fetched) = fetched.catch_unwind().await else {
            let place = self.registry.place();
            let reason = format!(
                "the request to the schema registry {place} ended without an answer: the client of the registry has a fault"
            );
            return Some(Known::Unavailable(Arc::from(reason)));
        };
        let (known, keep) = match fetched.ok()? {
            Ok(source) => (Known::Ready(Arc::new(Schema::new(source))), Keep::ForGood),
            Err(FetchError::NotFound(_)) => (Known::NotFound, Keep::ForSomeTime),
            Err(FetchError::Foreign(reason)) if self.kept().is_in_use => {
                (Known::Foreign(Arc::from(reason)), Keep::ForSomeTime)
            }
            Err(FetchError::ReferenceNotFound(reason)) => {
                (Known::Unusable(Arc::from(reason)), Keep::ForSomeTime)
            }
            Err(FetchError::Unusable(reason)) => {
                (Known::Unusable(Arc::from(reason)), Keep::ForGood)
            }
            Err(FetchError::Foreign(reason) | FetchError::Unavailable(reason)) => {
                (Known::Unavailable(Arc::from(reason)), Keep::Not)
            }
        };
        // First kept, then no more under way: so nobody asks anew in between.
        self.kept().keep(id, &known, keep);
        drop(landing);
        Some(known)
    }
}

/// Ends a request: also one that panics, or is dropped.
struct Landing {
    asked: Arc<Asked>,
    id: SchemaId,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut kept = self.asked.kept();
        let flight = match kept.flights.entry(self.id) {
            Entry::Occupied(of) if of.get().number == self.number => Some(of.remove()),
            _ => None,
        };
        // Without the lock.
        drop(kept);
        drop(flight);
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
        if believed(asked.get().asked) {
            return Some(asked.get().known.clone());
        }
        asked.remove();
        None
    }

    /// The request under way for an id, or a new one. None: too many are under way.
    fn flight(&mut self, id: SchemaId, asked: &Arc<Asked>) -> Option<Shared<Flight>> {
        if let Some(of) = self.flights.get(&id) {
            return Some(of.flight.clone());
        }
        if self.flights.len() >= FETCHES_UNDER_WAY_MAX {
            return None;
        }
        self.begun += 1;
        let flight: Flight = Box::pin(Arc::clone(asked).ask(id, self.begun));
        let flight = flight.shared();
        let of = UnderWay {
            flight: flight.clone(),
            number: self.begun,
            began: Instant::now(),
        };
        self.flights.insert(id, of);
        Some(flight)
    }

    /// The requests that have had their time, if there is no room for another: nobody may ever move them on again.
    fn stale(&mut self) -> Vec<UnderWay> {
        if self.flights.len() < FETCHES_UNDER_WAY_MAX {
            return Vec::new();
        }
        let longest = Duration::from_millis(FETCH_MS_MAX);
        let of = self
            .flights
            .extract_if(|_, of| of.began.elapsed() >= longest);
        of.map(|(_, of)| of).collect()
    }

    fn keep(&mut self, id: SchemaId, known: &Known, keep: Keep) {
        match keep {
            Keep::Not => {}
            Keep::ForSomeTime => {
                if self.not_found.len() >= NOT_FOUND_KEPT_MAX {
                    self.not_found.retain(|_, found| believed(found.asked));
                }
                if self.not_found.len() >= NOT_FOUND_KEPT_MAX {
                    let oldest = self.not_found.iter().min_by_key(|(_, found)| found.asked);
                    let oldest = oldest.map(|(id, _)| *id);
                    oldest.map(|id| self.not_found.remove(&id));
                }
                let (known, asked) = (known.clone(), Instant::now());
                self.not_found.insert(id, NotFound { known, asked });
            }
            Keep::ForGood => {
                if self.schemas.len() >= SCHEMAS_KEPT_MAX {
                    let oldest = self.schemas.iter().min_by_key(|(_, found)| found.used);
                    let oldest = oldest.map(|(id, _)| *id);
                    oldest.map(|id| self.schemas.remove(&id));
                }
                self.is_in_use |= matches!(known, Known::Ready(_));
                self.uses += 1;
                let (known, used) = (known.clone(), self.uses);
                self.schemas.insert(id, Final { known, used });
            }
        }
    }
}

/// How long an answer is kept.
#[derive(Clone, Copy)]
enum Keep {
    Not,
    /// `NOT_FOUND_SECS`.
    ForSomeTime,
    /// For the life of the process, up to a bound.
    ForGood,
}

fn believed(asked: Instant) -> bool {
    asked.elapsed() < Duration::from_secs(NOT_FOUND_SECS)
}

#[cfg(test)]
mod tests;
