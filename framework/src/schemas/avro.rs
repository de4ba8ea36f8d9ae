//! A reader's schema, and what it makes of each writer's: compiled once a pair. Kept by `reading`, used by `extract`.

use std::sync::{Arc, PoisonError, RwLock};

use msk_schemas::avro::{Incompatible, Plan, Schema};
use msk_schemas::id::SchemaId;

use crate::limits::SCHEMA_PAIRS_MAX;

/// How values of one writer's schema are read.
pub(crate) type Pair = Result<Arc<Plan>, Arc<Incompatible>>;

/// A reader's schema.
pub(crate) struct Reader {
    schema: Schema,
    /// A topic has few writers' schemas: they are searched one after the other.
    pairs: RwLock<Vec<(SchemaId, Pair)>>,
}

impl Reader {
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let schema =
            Schema::parse(text).map_err(|error| format!("is not an Avro schema: {error}"))?;
        Ok(Self {
            schema,
            pairs: RwLock::default(),
        })
    }

    /// How its own values are read.
    pub(crate) fn plan(&self) -> &Plan {
        self.schema.plan()
    }

    /// How values of that writer's schema are read.
    pub(crate) fn pair(&self, id: SchemaId, writer: &Schema) -> Pair {
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pair)) = pairs.iter().find(|(known, _)| *known == id) {
            return pair.clone();
        }
        drop(pairs);
        let pair = match self.schema.reads(writer) {
            Ok(plan) => Ok(Arc::new(plan)),
            Err(incompatible) => Err(Arc::new(incompatible)),
        };
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() >= SCHEMA_PAIRS_MAX {
            pairs.clear();
        }
        pairs.push((id, pair.clone()));
        pair
    }
}
