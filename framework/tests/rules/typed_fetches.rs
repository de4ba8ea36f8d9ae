//! Schemas of a batch are fetched side by side, each once and a named number at a time; what hangs leaves the others their share of the time; an outage is one line of the log.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::Consumer;
use lambda_msk::extract::Avro;
use lambda_msk::limits::{SCHEMA_FETCH_MS_MAX, SCHEMA_FETCHES_AT_ONCE_MAX};
use lambda_msk::schemas::{FetchError, Fetching, Format, Registry, SchemaId, Schemas, Source};
use lambda_msk::testing::{Event, Sample, invoke};

use crate::support::{Lines, letters};

/// What was asked of a registry.
#[derive(Debug, Default)]
struct Asked {
    ids: Vec<SchemaId>,
    now: usize,
    most_at_once: usize,
}

/// A registry that takes its time: 10 ms, or for ever.
#[derive(Clone, Debug)]
struct Counting {
    asked: Arc<Mutex<Asked>>,
    hanging: BTreeSet<SchemaId>,
}

impl Counting {
    fn new(hanging: impl IntoIterator<Item = u32>) -> Self {
        Self {
            asked: Arc::default(),
            hanging: hanging.into_iter().map(SchemaId::Number).collect(),
        }
    }
}

impl Registry for Counting {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            {
                let mut asked = self.asked.lock().unwrap();
                asked.ids.push(id);
                asked.now += 1;
                asked.most_at_once = asked.most_at_once.max(asked.now);
            }
            let hangs = self.hanging.contains(&id);
            let takes = if hangs { u64::MAX / 2 } else { 10 };
            tokio::time::sleep(Duration::from_millis(takes)).await;
            self.asked.lock().unwrap().now -= 1;
            Ok(Source::new(Format::Avro, r#""long""#))
        })
    }

    fn place(&self) -> &str {
        "counting"
    }
}

/// Two records of each schema, all in lanes of their own.
fn event(schemas: u32) -> Event {
    let samples = (0..2 * schemas).map(|index| {
        let id = index % schemas + 1;
        let value = [&[0][..], &id.to_be_bytes(), &[14]].concat();
        Sample::new("orders", index as i32).value(value)
    });
    Event::msk().records(samples).build()
}

fn consumer(registry: &Counting) -> Consumer {
    let builder = Consumer::builder().schemas(Schemas::of(registry.clone()));
    let read = async |Avro(number): Avro<u64>| assert_eq!(number, 7);
    builder.topic("orders", read).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_schemas_of_a_batch_are_fetched_each_once_and_so_many_at_a_time() {
    let registry = Counting::new([]);
    let consumer = consumer(&registry);
    let schemas = 3 * SCHEMA_FETCHES_AT_ONCE_MAX as u32;

    let first = invoke(&consumer, event(schemas)).await;

    assert_eq!(letters(&first), "D".repeat(2 * schemas as usize));
    let asked = registry.asked.lock().unwrap();
    assert_eq!(asked.most_at_once, SCHEMA_FETCHES_AT_ONCE_MAX);
    let mut ids = asked.ids.clone();
    ids.sort();
    let each: Vec<_> = (1..=schemas).map(SchemaId::Number).collect();
    assert_eq!(ids, each);
    let took = first.elapsed().as_millis();
    assert!((30..200).contains(&took), "not side by side: {took} ms");
}

#[tokio::test(start_paused = true)]
async fn schemas_that_hang_leave_the_others_their_share_of_the_time() {
    let first = SCHEMA_FETCHES_AT_ONCE_MAX as u32;
    // As many as are asked at once, and before all others.
    let registry = Counting::new(1..=first);
    let consumer = consumer(&registry);

    let invoked = invoke(&consumer, event(2 * first)).await;

    let of_each = format!("{}{}", "F".repeat(8), "D".repeat(8));
    assert_eq!(letters(&invoked), of_each.repeat(2));
    let took = invoked.elapsed().as_millis();
    assert!(took < u128::from(SCHEMA_FETCH_MS_MAX) + 200, "{took} ms");
}

/// A registry that is down.
#[derive(Debug)]
struct Down;

impl Registry for Down {
    fn fetch(&self, _: SchemaId) -> Fetching<'_> {
        let why = "the schema registry https://r.example answered 401: check the credentials";
        Box::pin(async move { Err(FetchError::Unavailable(why.to_owned())) })
    }

    fn place(&self) -> &str {
        "https://r.example"
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_one_line_that_names_the_registry_and_the_cure() {
    let builder = Consumer::builder().schemas(Schemas::of(Down));
    let consumer = builder.topic("orders", async |_: Avro<u64>| {});
    let consumer = consumer.build().unwrap();
    let lines = Lines::default();

    let invoked = {
        let _guard = lines.listen();
        invoke(&consumer, event(3)).await
    };

    assert_eq!(letters(&invoked), "FFFFFF");
    let of_registry = lines.of("the schema registry did not deliver");
    assert_eq!(of_registry.len(), 1, "{}", lines.text());
    assert_eq!(of_registry[0]["schemas"], 3);
    let problem = of_registry[0]["problem"].as_str().unwrap();
    assert!(
        problem.contains("https://r.example") && problem.contains("check the credentials"),
        "{problem}"
    );
}
