//! A schema registry in memory, and records as serializers of Confluent write them by its schemas.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::schemas::{FetchError, Fetching, Format, Registry, SchemaId, Schemas, Source};

/// A schema registry in memory, for tests. Ids begin at 1. A clone is the same registry.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "avro")]
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use lambda_msk::extract::Avro;
/// use lambda_msk::testing::{Event, MemoryRegistry, Sample, invoke};
/// use lambda_msk::{Consumer, Outcome};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Order {
///     order_id: i64,
/// }
///
/// async fn ship(Avro(order): Avro<Order>) {
///     assert_eq!(order.order_id, 7);
/// }
///
/// const ORDER: &str = r#"{"type": "record", "name": "Order", "fields": [{"name": "order_id", "type": "long"}]}"#;
///
/// let registry = MemoryRegistry::new();
/// let consumer = Consumer::builder().schemas(registry.schemas()).topic("orders", ship).build().unwrap();
/// let order = Sample::new("orders", 0).avro(&registry.avro(ORDER), &Order { order_id: 7 });
/// let invoked = invoke(&consumer, Event::msk().record(order)).await;
/// assert_eq!(invoked.outcomes(), [Outcome::Done]);
/// assert_eq!(registry.requests(), 1);
/// # }
/// # #[cfg(not(feature = "avro"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryRegistry {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The schema of id 1, of id 2, and so on.
    schemas: Vec<Source>,
    requests: usize,
    outage: Option<String>,
}

/// A schema that a [`MemoryRegistry`] has, with its id.
#[derive(Clone, Debug)]
pub struct RegisteredSchema {
    number: u32,
    source: Source,
}

impl RegisteredSchema {
    /// The id.
    pub fn id(&self) -> SchemaId {
        SchemaId::Number(self.number)
    }

    /// The schema with its references.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Confluent's frame: byte 0 and the id.
    pub(super) fn frame(&self) -> Vec<u8> {
        [&[0][..], &self.number.to_be_bytes()].concat()
    }
}

impl MemoryRegistry {
    /// Creates a registry without schemas.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers an Avro schema.
    pub fn avro(&self, text: &str) -> RegisteredSchema {
        self.register(Source::new(Format::Avro, text))
    }

    /// Registers a Protobuf schema: the text of a `.proto` file.
    pub fn protobuf(&self, text: &str) -> RegisteredSchema {
        self.register(Source::new(Format::Protobuf, text))
    }

    /// Registers a JSON Schema.
    pub fn json_schema(&self, text: &str) -> RegisteredSchema {
        self.register(Source::new(Format::Json, text))
    }

    /// Registers a schema with its references. The same schema again has the same id.
    pub fn register(&self, source: Source) -> RegisteredSchema {
        let schemas = &mut self.lock().schemas;
        let index = schemas
            .iter()
            .position(|known| *known == source)
            .unwrap_or_else(|| {
                schemas.push(source.clone());
                schemas.len() - 1
            });
        let number = u32::try_from(index + 1).expect("a test has few schemas");
        RegisteredSchema { number, source }
    }

    /// The registry for a consumer: each call makes schemas with a cache of their own, as another process has.
    pub fn schemas(&self) -> Schemas {
        Schemas::of(self.clone())
    }

    /// The number of requests so far.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// Lets all requests fail from now on, as a registry does that is down.
    pub fn go_down(&self) {
        self.lock().outage = Some("the registry in memory is down, as the test says".to_owned());
    }

    /// Answers requests again.
    pub fn come_up(&self) {
        self.lock().outage = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry for MemoryRegistry {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        let mut state = self.lock();
        state.requests += 1;
        let index = match id {
            SchemaId::Number(number) => (number as usize).checked_sub(1),
            _ => None,
        };
        let schema = index.and_then(|index| state.schemas.get(index)).cloned();
        let answer = match &state.outage {
            Some(why) => Err(FetchError::Unavailable(why.clone())),
            None => schema.ok_or(FetchError::NotFound(id)),
        };
        Box::pin(async move { answer })
    }

    fn place(&self) -> &str {
        "memory"
    }
}
