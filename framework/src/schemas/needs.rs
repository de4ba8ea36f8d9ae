//! The schemas that an invocation's records need: which of them are known, and which lanes wait for those that are not. Called by `process` before the lanes start.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use msk_schemas::cache::{Cache, Known};
use msk_schemas::frame::Kind;
use msk_schemas::id::{Format, SchemaId};
#[cfg(any(feature = "avro", feature = "protobuf"))]
use msk_schemas::schema::Schema;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::Rejection;
use crate::limits::{
    SCHEMA_FETCH_MS_MAX, SCHEMA_FETCH_MS_MIN, SCHEMA_FETCH_PART, SCHEMA_FETCHES_AT_ONCE_MAX,
    SCHEMAS_SEARCHED_MAX,
};
use crate::part::Part;
use crate::record::Record;
use crate::schemas::behind::Inflated;
use crate::schemas::{SchemaUse, Typed};

/// The schemas of one invocation's records.
#[derive(Debug)]
pub(crate) struct BatchSchemas {
    pub(crate) typed: Arc<Typed>,
    pub(crate) inflated: Inflated,
    /// Known as the invocation began.
    known: OnceLock<Found>,
    /// Fetched since then.
    fetched: OnceLock<Found>,
    /// The message that the first Protobuf payload was found to be: that of most others.
    #[cfg(feature = "protobuf")]
    pub(crate) message: OnceLock<KnownMessage>,
}

/// A message of Protobuf whose name was compared.
#[cfg(feature = "protobuf")]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KnownMessage {
    /// The function that gives the type's name: types that share it have one name.
    pub(crate) name_of: usize,
    /// Of the schema.
    pub(crate) number: u32,
    /// The message indexes, as they are written. They say themselves where they end.
    pub(crate) indexes: Box<[u8]>,
}

/// What was found of ids. Most batches have one or two of them: those are searched one after the other, and all others in a tree.
#[derive(Debug, Default)]
struct Found {
    few: Vec<(SchemaId, Known)>,
    more: BTreeMap<SchemaId, Known>,
}

impl Found {
    fn insert(&mut self, id: SchemaId, known: Known) {
        if self.few.len() < SCHEMAS_SEARCHED_MAX {
            self.few.push((id, known));
        } else {
            self.more.insert(id, known);
        }
    }

    fn get(&self, id: SchemaId) -> Option<&Known> {
        let few = self.few.iter().find(|(known, _)| *known == id);
        match few {
            Some((_, known)) => Some(known),
            None if self.more.is_empty() => None,
            None => self.more.get(&id),
        }
    }

    /// Of the few.
    #[inline]
    fn number(&self, number: u32) -> Option<&Known> {
        let is_it = |id: &SchemaId| matches!(id, SchemaId::Number(known) if *known == number);
        let found = self.few.iter().find(|(id, _)| is_it(id))?;
        Some(&found.1)
    }

    fn iter(&self) -> impl Iterator<Item = (SchemaId, &Known)> {
        let few = self.few.iter().map(|(id, known)| (*id, known));
        few.chain(self.more.iter().map(|(id, known)| (*id, known)))
    }
}

impl BatchSchemas {
    pub(crate) fn new(typed: &Arc<Typed>) -> Self {
        Self {
            typed: Arc::clone(typed),
            inflated: Inflated::default(),
            known: OnceLock::new(),
            fetched: OnceLock::new(),
            #[cfg(feature = "protobuf")]
            message: OnceLock::new(),
        }
    }

    /// *None: nobody has asked for it.*
    pub(crate) fn get(&self, id: SchemaId) -> Option<&Known> {
        let mut found = [self.known.get(), self.fetched.get()].into_iter().flatten();
        found.find_map(|found| found.get(id))
    }

    /// The schema of a number, if it is one of the first that were found. *None: `get` tells.*
    #[cfg(any(feature = "avro", feature = "protobuf"))]
    #[inline]
    pub(crate) fn number(&self, number: u32) -> Option<&Arc<Schema>> {
        let mut found = [self.known.get(), self.fetched.get()].into_iter().flatten();
        match found.find_map(|found| found.number(number))? {
            Known::Ready(schema) => Some(schema),
            _ => None,
        }
    }

    /// The schemas that could not be had, each with the reason.
    pub(crate) fn unavailable(&self) -> impl Iterator<Item = (SchemaId, &Arc<str>)> {
        let fetched = self.fetched.get().into_iter().flat_map(Found::iter);
        fetched.filter_map(|(id, known)| match known {
            Known::Unavailable(why) => Some((id, why)),
            _ => None,
        })
    }
}

/// What a batch needs of the registry.
#[derive(Debug, Default)]
pub(crate) struct SchemaNeeds {
    /// In the order in which they are asked for.
    missing: Vec<SchemaId>,
    is_missing: BTreeSet<SchemaId>,
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
        let mut known = Found::default();
        let mut missing = Vec::new();
        for lane in lanes {
            let mut of_lane = Vec::new();
            let mut in_lane = BTreeSet::new();
            let of_topic = uses(records[lane[0] as usize].topic());
            if of_topic.is_none() {
                continue;
            }
            for &index in lane {
                let record = &records[index as usize];
                for part in [Part::Key, Part::Value] {
                    let id = match need(&schemas.typed, record, of_topic, part) {
                        None => continue,
                        Some(Need::Number(number)) if known.number(number).is_some() => continue,
                        Some(Need::Number(number)) => SchemaId::Number(number),
                        Some(Need::Id(id)) => id,
                    };
                    if known.get(id).is_some() {
                        continue;
                    }
                    if !needs.is_missing.contains(&id) {
                        if let Some(found) = cache.known(id) {
                            known.insert(id, found);
                            continue;
                        }
                        needs.is_missing.insert(id);
                    }
                    if in_lane.insert(id) {
                        of_lane.push(id);
                    }
                }
            }
            if !of_lane.is_empty() {
                needs.waiting.insert(lane[0]);
                missing.push(of_lane);
            }
        }
        needs.missing = in_turn(&missing);
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
        let needed = [Part::Key, Part::Value]
            .into_iter()
            .filter_map(|part| need(&schemas.typed, record, uses, part));
        let ids = needed.map(|need| match need {
            Need::Number(number) => SchemaId::Number(number),
            Need::Id(id) => id,
        });
        ids.filter(|id| self.is_missing.contains(id))
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
        let mut fetched = Found::default();
        for (id, known) in fetch(cache, &self.missing, limit).await {
            fetched.insert(id, known);
        }
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
            Known::Foreign(why) | Known::Unusable(why) | Known::Unavailable(why) => {
                Some((id, why.to_string()))
            }
        });
        missing.collect()
    }
}

/// The ids of lanes, one of each lane in turn and each once: the many of one lane keep no other waiting.
fn in_turn(lanes: &[Vec<SchemaId>]) -> Vec<SchemaId> {
    let longest = lanes.iter().map(Vec::len).max().unwrap_or_default();
    let mut seen = BTreeSet::new();
    let turns = (0..longest).flat_map(|turn| lanes.iter().filter_map(move |lane| lane.get(turn)));
    turns.copied().filter(|id| seen.insert(*id)).collect()
}

/// Fetches schemas side by side, within one limit for all. If there are more than are asked for at once, each has its share of the limit until the next is asked for, so that ids that hang do
/// not keep others waiting delivery after delivery. The answers of those may still come until the end.
async fn fetch(cache: &Cache, ids: &[SchemaId], limit: Duration) -> Vec<(SchemaId, Known)> {
    let end = Instant::now() + limit;
    let rounds = ids.len().div_ceil(SCHEMA_FETCHES_AT_ONCE_MAX).max(1);
    let share = limit / u32::try_from(rounds).unwrap_or(u32::MAX);
    let share = share.max(Duration::from_millis(SCHEMA_FETCH_MS_MIN));
    // First come, first served.
    let turns = Semaphore::new(SCHEMA_FETCHES_AT_ONCE_MAX);
    let asked = ids.iter().map(|id| {
        let turns = &turns;
        async move {
            let Ok(Ok(turn)) = timeout_at(end, turns.acquire()).await else {
                return (*id, Known::Unavailable(not_asked(cache).into()));
            };
            let left = end.saturating_duration_since(Instant::now());
            let mut known = pin!(cache.within(*id, left));
            let in_time = timeout(share, known.as_mut()).await;
            drop(turn);
            let known = match in_time {
                Ok(known) => known,
                Err(_) => known.await,
            };
            (*id, known.unwrap_or_else(|| late(cache, left, limit)))
        }
    });
    join_all(asked).await
}

/// The registry had that time, of the limit for all.
fn late(cache: &Cache, had: Duration, limit: Duration) -> Known {
    if had == limit {
        return cache.late(limit);
    }
    let text = format!(
        "the schema registry {} did not answer within {} ms, what was left of the {} ms that fetching schemas may take: other schemas took the rest",
        cache.place(),
        had.as_millis(),
        limit.as_millis()
    );
    Known::Unavailable(text.into())
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

/// A schema that a part of a record is read by.
enum Need {
    /// Almost always.
    Number(u32),
    Id(SchemaId),
}

/// The schema that stands at a record's key or value. *None: the part is read without one.*
#[inline]
fn need(typed: &Typed, record: &Record, uses: SchemaUse, part: Part) -> Option<Need> {
    let format = uses.format(part)?;
    let bytes = match part {
        Part::Key => record.key()?,
        Part::Value => record.value()?,
    };
    match typed.number(record, part, bytes) {
        Some((number, _)) => Some(Need::Number(number)),
        None => other_need(typed, record, uses, (part, format, bytes)),
    }
}

fn other_need(
    typed: &Typed,
    record: &Record,
    uses: SchemaUse,
    (part, format, bytes): (Part, Format, &[u8]),
) -> Option<Need> {
    if format != Format::Json && typed.is_json(record, part) {
        return None;
    }
    let framed = typed.framed(record, part, bytes, format)?;
    // JSON that is not validated needs no schema. Behind a frame it may be of another format.
    let is_frame = matches!(framed.kind, Kind::Confluent | Kind::Glue { .. });
    if format == Format::Json && !uses.validates() && !is_frame {
        return None;
    }
    typed.id(&framed).map(Need::Id)
}
