//! A reader's schema, and what it makes of each writer's: compiled once a pair. Kept by `reading`, used by `extract`.

use std::array;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use msk_schemas::avro::{Incompatible, Plan, Schema};
use msk_schemas::id::SchemaId;

use crate::limits::{SCHEMA_PAIRS_MAX, SCHEMAS_SEARCHED_MAX};

/// How values of one writer's schema are read.
pub(crate) type Pair = Result<Arc<Plan>, Arc<Incompatible>>;

/// A reader's schema.
pub(crate) struct Reader {
    schema: Schema,
    /// The first pairs, kept for the life of the process and read without a lock: a topic has few writers' schemas.
    first: [OnceLock<(SchemaId, Pair)>; SCHEMAS_SEARCHED_MAX],
    /// All others.
    more: RwLock<BTreeMap<SchemaId, Pair>>,
}

impl Reader {
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let schema =
            Schema::parse(text).map_err(|error| format!("is not an Avro schema: {error}"))?;
        schema.check_defaults().map_err(|error| error.to_string())?;
        Ok(Self {
            schema,
            first: array::from_fn(|_| OnceLock::new()),
            more: RwLock::default(),
        })
    }

    /// How its own values are read.
    pub(crate) fn plan(&self) -> &Plan {
        self.schema.plan()
    }

    /// How values of that writer's schema are read, if it is one of the first. *None: `pair` tells.*
    #[inline]
    pub(crate) fn first(&self, id: SchemaId) -> Option<&Pair> {
        let mut first = self.first.iter().map_while(OnceLock::get);
        first.find(|(known, _)| *known == id).map(|(_, pair)| pair)
    }

    /// How values of that writer's schema are read.
    pub(crate) fn pair(&self, id: SchemaId, writer: &Schema) -> Pair {
        if let Some(pair) = self.first(id) {
            return pair.clone();
        }
        let more = self.more.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = more.get(&id) {
            return pair.clone();
        }
        drop(more);
        let pair = match self.schema.reads(writer) {
            Ok(plan) => Ok(Arc::new(plan)),
            Err(incompatible) => Err(Arc::new(incompatible)),
        };
        for slot in &self.first {
            let (known, kept) = slot.get_or_init(|| (id, pair.clone()));
            if *known == id {
                return kept.clone();
            }
        }
        let mut more = self.more.write().unwrap_or_else(PoisonError::into_inner);
        if more.len() >= SCHEMA_PAIRS_MAX {
            more.clear();
        }
        more.insert(id, pair.clone());
        pair
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use msk_schemas::avro::Schema;
    use msk_schemas::id::SchemaId;

    use super::Reader;
    use crate::limits::{SCHEMA_PAIRS_MAX, SCHEMAS_SEARCHED_MAX};

    #[test]
    fn a_pair_of_schemas_is_compiled_once_and_kept_within_a_bound() {
        let reader = Reader::of(r#""double""#).unwrap();
        let writer = Schema::parse(r#""int""#).unwrap();
        let pair = |number: usize| {
            let id = SchemaId::Number(number as u32);
            reader.pair(id, &writer).unwrap()
        };
        let beyond = SCHEMAS_SEARCHED_MAX + SCHEMA_PAIRS_MAX;

        let first: Vec<_> = (0..beyond).map(pair).collect();
        let again: Vec<_> = (0..beyond).map(pair).collect();
        let one_more = pair(beyond);

        let is_same = |(one, other): (_, _)| Arc::ptr_eq(one, other);
        assert!(first.iter().zip(&again).all(is_same));
        assert_eq!(reader.more.read().unwrap().len(), 1);
        assert!(Arc::ptr_eq(&one_more, &pair(beyond)));
        // The first ones stay for good.
        assert!(Arc::ptr_eq(&first[0], &pair(0)));
    }

    #[test]
    fn a_pair_that_is_incompatible_is_compared_once_too() {
        let reader = Reader::of(r#""int""#).unwrap();
        let writer = Schema::parse(r#""string""#).unwrap();

        let [one, other] = [(); 2].map(|()| reader.pair(SchemaId::Number(1), &writer));

        let (Err(one), Err(other)) = (one, other) else {
            panic!("a text is no number");
        };
        assert!(Arc::ptr_eq(&one, &other));
    }
}
