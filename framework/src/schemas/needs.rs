//! The schemas that an invocation's records need: which of them are known, and which lanes wait for those that are not. Called by `process` before the lanes start.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use msk_schemas::cache::{Cache, Known};
use msk_schemas::id::{Format, SchemaId};
use tokio::time::Instant;

use crate::failure::Rejection;
use crate::limits::{SCHEMA_FETCH_MS_MAX, SCHEMA_FETCH_PART, SCHEMA_FETCHES_AT_ONCE_MAX};
use crate::part::Part;
use crate::record::Record;
use crate::schemas::{SchemaUse, Typed};

/// The schemas of one invocation's records. A batch has one or two: they are searched one after the other.
#[derive(Debug)]
pub(crate) struct BatchSchemas {
    pub(crate) typed: Arc<Typed>,
    /// Known as the invocation began.
    known: OnceLock<Vec<(SchemaId, Known)>>,
    /// Fetched since then.
    fetched: OnceLock<Vec<(SchemaId, Known)>>,
    /// The message that the first Protobuf payload was found to be: that of most others. The function gives a type's name.
    #[cfg(feature = "protobuf")]
    pub(crate) message: OnceLock<(usize, SchemaId, Vec<u32>)>,
}

impl BatchSchemas {
    pub(crate) fn new(typed: &Arc<Typed>) -> Self {
        Self {
            typed: Arc::clone(typed),
            known: OnceLock::new(),
            fetched: OnceLock::new(),
            #[cfg(feature = "protobuf")]
            message: OnceLock::new(),
        }
    }

    /// *None: nobody has asked for it.*
    pub(crate) fn get(&self, id: SchemaId) -> Option<&Known> {
        let lists = [self.known.get(), self.fetched.get()];
        let mut schemas = lists.into_iter().flatten().flatten();
        schemas
            .find(|(known, _)| *known == id)
            .map(|(_, known)| known)
    }

    /// The schemas that could not be had, each with the reason.
    pub(crate) fn unavailable(&self) -> impl Iterator<Item = (SchemaId, &Arc<str>)> {
        let fetched = self.fetched.get().into_iter().flatten();
        fetched.filter_map(|(id, known)| match known {
            Known::Unavailable(why) => Some((*id, why)),
            _ => None,
        })
    }
}

/// What a batch needs of the registry.
#[derive(Debug, Default)]
pub(crate) struct SchemaNeeds {
    missing: Vec<SchemaId>,
    /// The first record of each lane that needs a missing one.
    waiting: BTreeSet<u32>,
}

impl SchemaNeeds {
    /// Looks at the records of all lanes. `uses`: of a topic's route.
    pub(crate) fn of<'l, 'u>(
        schemas: &BatchSchemas,
        cache: &Cache,
        lanes: impl Iterator<Item = &'l [u32]>,
        records: &[Record],
        uses: impl Fn(&str) -> SchemaUse + 'u,
    ) -> Self {
        let mut needs = Self::default();
        let mut known: Vec<(SchemaId, Known)> = Vec::new();
        for lane in lanes {
            let of_topic = uses(records[lane[0] as usize].topic());
            if of_topic.is_none() {
                continue;
            }
            for &index in lane {
                let record = &records[index as usize];
                for id in ids(&schemas.typed, record, of_topic).into_iter().flatten() {
                    if known.iter().any(|(known, _)| *known == id) {
                        continue;
                    }
                    if needs.missing.contains(&id) {
                        needs.waiting.insert(lane[0]);
                    } else if let Some(found) = cache.known(id) {
                        known.push((id, found));
                    } else {
                        needs.missing.push(id);
                        needs.waiting.insert(lane[0]);
                    }
                }
            }
        }
        // Set once an invocation.
        let _ = schemas.known.set(known);
        needs
    }

    /// Why the record cannot be read now: one of its schemas could not be had. *None: it can be tried.*
    pub(crate) fn unavailable(
        &self,
        schemas: &BatchSchemas,
        record: &Record,
        uses: SchemaUse,
    ) -> Option<Rejection> {
        let ids = ids(&schemas.typed, record, uses).into_iter().flatten();
        ids.filter(|id| self.missing.contains(id))
            .find_map(|id| match schemas.get(id) {
                Some(Known::Unavailable(why)) => Some(unavailable(id, why)),
                _ => None,
            })
    }

    /// Whether all are known.
    pub(crate) fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// Whether the lane needs a schema that is not known yet.
    pub(crate) fn hold(&self, lane: &[u32]) -> bool {
        self.waiting.contains(&lane[0])
    }

    /// Fetches what is missing, side by side and within one limit. `left`: until handlers are dropped. *None: no limit is known.*
    pub(crate) async fn fetch(
        &self,
        schemas: &BatchSchemas,
        cache: &Cache,
        left: Option<Duration>,
    ) {
        let most = Duration::from_millis(SCHEMA_FETCH_MS_MAX);
        let limit = left.map_or(most, |left| most.min(left / SCHEMA_FETCH_PART));
        let fetched = fetch(cache, &self.missing, limit).await;
        // Set once an invocation.
        let _ = schemas.fetched.set(fetched);
    }
}

impl Typed {
    /// Fetches the schemas that are to be there before the first event. Answers with those that are not, each with the reason.
    pub(crate) async fn fetch_warm(&self) -> Vec<(SchemaId, String)> {
        let Some(cache) = &self.cache else {
            return Vec::new();
        };
        let limit = Duration::from_millis(SCHEMA_FETCH_MS_MAX);
        let fetched = fetch(cache, &self.warm, limit).await.into_iter();
        let missing = fetched.filter_map(|(id, known)| match known {
            Known::Ready(_) => None,
            Known::NotFound => Some((id, "the registry does not have it".to_owned())),
            Known::Unusable(why) | Known::Unavailable(why) => Some((id, why.to_string())),
        });
        missing.collect()
    }
}

/// Fetches schemas side by side, within one limit for all.
async fn fetch(cache: &Cache, ids: &[SchemaId], limit: Duration) -> Vec<(SchemaId, Known)> {
    let end = Instant::now() + limit;
    let fetched = stream::iter(ids.iter().copied())
        .map(|id| async move {
            let left = end.saturating_duration_since(Instant::now());
            match left.is_zero() {
                false => (id, cache.get(id, left).await),
                true => (id, Known::Unavailable(not_asked(cache).into())),
            }
        })
        .buffer_unordered(SCHEMA_FETCHES_AT_ONCE_MAX);
    fetched.collect().await
}

/// What a record is failed with whose schema cannot be had.
pub(crate) fn unavailable(id: SchemaId, why: &str) -> Rejection {
    let message = format!("schema {id} cannot be fetched: {why}");
    Rejection::retry("schema.unavailable", message)
}

fn not_asked(cache: &Cache) -> String {
    format!(
        "the schema registry {} was not asked: others took the time that fetching schemas may take",
        cache.place()
    )
}

/// The ids that stand at a record's key and value.
fn ids(typed: &Typed, record: &Record, uses: SchemaUse) -> [Option<SchemaId>; 2] {
    [(Part::Key, record.key()), (Part::Value, record.value())].map(|(part, bytes)| {
        let (format, bytes) = (uses.format(part)?, bytes?);
        if format != Format::Json && typed.is_json(record, part) {
            return None;
        }
        typed.framed(record, part, bytes, format)?.id
    })
}
