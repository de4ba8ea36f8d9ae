//! Nothing that the framework writes into a log or an error shows bytes of the payload; the text of a user's own error is cut.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_msk::builder::Builder;
use lambda_msk::destination::{DeadLetter, Destination, MemoryDestination, SendError};
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::extract::{FromBytes, FromHeader, JsonRejection, Part};
use lambda_msk::failure::Rejection;
use lambda_msk::handler::HandlerCall;
use lambda_msk::idempotency::{IdempotencyStore, Item, PerRecord, StoreError, Swap, Swapped};
use lambda_msk::limits::ERROR_TEXT_BYTES_MAX;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Failure, Header, Json, Key, Record, WhenExhausted, each};
use serde::{Deserialize, Deserializer};
use tower::layer::layer_fn;
use tower::{ServiceExt, service_fn};

use crate::support::Lines;

/// Stands in every part of the payload; no line may show it.
const CANARY: &str = "CANARY-4111111111111111";

/// All that the framework logs at the lowest level while the batch runs, and all its errors say.
async fn written(consumer: &Consumer, event: impl Into<Event>) -> String {
    let lines = Lines::default();
    let guard = lines.listen();
    let invoked = invoke(consumer, event).await;
    drop(guard);
    let mut text = lines.text();
    assert!(text.contains("batch ended"), "{text}");
    text.push_str(&format!("{invoked:?}"));
    if let Err(error) = invoked.response() {
        text.push_str(&format!("{error} {error:?}"));
    }
    text
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Order {
    order_id: u64,
    lines: BTreeMap<String, u64>,
    kind: Kind,
}

#[derive(Deserialize)]
enum Kind {
    Express,
}

fn values() -> Vec<String> {
    vec![
        CANARY.to_owned(),
        format!("\"{CANARY}\""),
        format!(r#"{{"order_id":"{CANARY}"}}"#),
        format!(r#"{{"order_id":1,"lines":{{"{CANARY}":"{CANARY}"}}}}"#),
        format!(r#"{{"order_id":1,"lines":{{}},"kind":"{CANARY}"}}"#),
        format!(r#"{{"{CANARY}":1}}"#),
        format!(r#"{{"order_id":1,"order_id":"{CANARY}"}}"#),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_fit_is_not_shown() {
    for value in values() {
        let destination = MemoryDestination::new();
        let consumer = Consumer::builder()
            .topic("orders", async |_: Json<Order>| {})
            .on_failure(destination.clone())
            .build()
            .unwrap();
        let event = Event::msk().record(
            Sample::new("orders", 0)
                .key(CANARY)
                .value(&value)
                .header(CANARY, CANARY),
        );

        let text = written(&consumer, event).await;

        assert!(text.contains("reject.json"), "{text}");
        assert!(!text.contains("CANARY"), "{value}: {text}");
        let letter = &destination.letters()[0];
        assert!(!letter.message().contains("CANARY"), "{}", letter.message());
        assert!(!format!("{letter:?}").contains("CANARY"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_or_header_that_does_not_fit_is_not_shown() {
    #[derive(Debug)]
    struct Tenant;
    impl FromHeader for Tenant {
        const NAME: &'static str = "tenant";

        fn from_bytes(_: &[u8]) -> Result<Self, Rejection> {
            Err(Rejection::new("tenant.unknown", "no such tenant"))
        }
    }
    let key = Consumer::builder()
        .topic("orders", async |_: Key<u64>| {})
        .build()
        .unwrap();
    let header = Consumer::builder()
        .topic("orders", async |_: Header<Tenant>| {})
        .build()
        .unwrap();

    for consumer in [key, header] {
        let event = Event::msk().record(
            Sample::new("orders", 0)
                .key(CANARY)
                .header("tenant", CANARY),
        );

        let text = written(&consumer, event).await;

        assert!(!text.contains("CANARY"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_not_base64_is_not_shown() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {})
        .build()
        .unwrap();
    let event = Event::msk().record(Sample::new("orders", 0).value_base64(format!("*{CANARY}*")));

    let text = written(&consumer, event).await;

    assert!(text.contains("reject.value_not_base64"), "{text}");
    assert!(!text.contains("CANARY"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_users_error_is_cut_in_log_and_letter() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {
            Err::<(), _>(Failure::reject("é".repeat(100_000)))
        })
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let text = written(
        &consumer,
        Event::msk().record(Sample::new("orders", 0).value("1")),
    )
    .await;

    let message = destination.letters()[0].message().to_owned();
    assert!(
        message.len() < ERROR_TEXT_BYTES_MAX + 40,
        "{} bytes",
        message.len()
    );
    assert!(message.ends_with("bytes cut)"), "{message}");
    assert!(
        text.len() < 4 * ERROR_TEXT_BYTES_MAX + 4_000,
        "{} bytes",
        text.len()
    );
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_users_rejection_is_cut_in_log_and_letter() {
    struct Wordy;
    impl<S> FromRecord<S> for Wordy {
        type Rejection = Rejection;

        fn from_record(_: &Delivery, _: &S) -> Result<Self, Rejection> {
            Err(Rejection::new("wordy", "é".repeat(100_000)))
        }
    }
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Wordy| {})
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let text = written(&consumer, Event::msk().record(Sample::new("orders", 0))).await;

    let message = destination.letters()[0].message().to_owned();
    assert!(message.ends_with("bytes cut)"), "{} bytes", message.len());
    assert!(
        text.len() < 8 * ERROR_TEXT_BYTES_MAX,
        "{} bytes",
        text.len()
    );
}

/// Reads past the middle of a character: the panic's text quotes the whole of it.
fn cut_badly(value: &[u8]) -> usize {
    let text = std::str::from_utf8(value).unwrap();
    text[..3].len()
}

/// What every extractor of these tests reads.
fn quoted() -> String {
    format!("abé {CANARY}")
}

struct Sliced;

impl<S> FromRecord<S> for Sliced {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Self, Rejection> {
        cut_badly(delivery.key().unwrap_or_default());
        Ok(Self)
    }
}

impl FromBytes for Sliced {
    fn from_bytes(bytes: &[u8], _: Part) -> Result<Self, Rejection> {
        cut_badly(bytes);
        Ok(Self)
    }
}

impl FromHeader for Sliced {
    const NAME: &'static str = "sliced";

    fn from_bytes(value: &[u8]) -> Result<Self, Rejection> {
        cut_badly(value);
        Ok(Self)
    }
}

impl<'de> Deserialize<'de> for Sliced {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        cut_badly(String::deserialize(value)?.as_bytes());
        Ok(Self)
    }
}

/// All that is written of a record that is rejected once its attempts are used up, its letter included.
async fn written_of_a_panic(builder: Builder<()>) -> String {
    let destination = MemoryDestination::new();
    let consumer = builder
        .attempts(1)
        .when_exhausted(WhenExhausted::Reject)
        .on_failure(destination.clone())
        .build()
        .unwrap();
    let sample = Sample::new("orders", 0).value(format!("\"{}\"", quoted()));
    let sample = sample.key(quoted()).header("sliced", quoted());

    let text = written(&consumer, Event::msk().record(sample)).await;

    let letter = &destination.letters()[0];
    format!("{text} {} {} {letter:?}", letter.code(), letter.message())
}

#[tokio::test(start_paused = true)]
async fn the_text_of_an_extractors_panic_is_not_shown() {
    let builders = [
        Consumer::builder().topic("orders", async |_: Json<Sliced>| {}),
        Consumer::builder().topic("orders", async |_: Key<Sliced>| {}),
        Consumer::builder().topic("orders", async |_: Header<Sliced>| {}),
        Consumer::builder().topic("orders", async |_: Result<Json<Sliced>, JsonRejection>| {}),
    ];
    for builder in builders {
        let text = written_of_a_panic(builder).await;

        assert!(!text.contains("CANARY"), "{text}");
        assert!(text.contains("extractor.panicked"), "{text}");
        // Which one it was.
        assert!(text.contains("Sliced"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_panic_of_an_extractor_is_not_shown_nor_what_a_layer_repeats() {
    /// Says nothing the first time.
    struct Later;
    impl<S> FromRecord<S> for Later {
        type Rejection = Rejection;

        fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
            static FIRST: AtomicBool = AtomicBool::new(true);
            if !FIRST.swap(false, Ordering::Relaxed) {
                <Sliced as FromRecord<S>>::from_record(delivery, state)?;
            }
            Ok(Self)
        }
    }
    let repeats = layer_fn(|service: HandlerCall| {
        service_fn(move |delivery: Delivery| {
            let service = service.clone();
            async move {
                service.clone().oneshot(delivery.clone()).await?.ok();
                service.oneshot(delivery).await
            }
        })
    });
    let own = Consumer::builder().topic("orders", async |_: Sliced| {});
    let layered = each(async |_: Later| {}).layer(repeats);
    let layered = Consumer::builder().topic("orders", layered);

    for builder in [own, layered] {
        let text = written_of_a_panic(builder).await;

        assert!(!text.contains("CANARY"), "{text}");
        assert!(text.contains("extractor.panicked"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_panic_of_a_key_or_a_store_is_not_shown() {
    struct Quoting;
    impl IdempotencyStore for Quoting {
        async fn read(&self, _: &str) -> Result<Option<Item>, StoreError> {
            panic!("{CANARY}")
        }

        async fn swap(&self, _: &Swap) -> Result<Swapped, StoreError> {
            panic!("{CANARY}")
        }

        fn describe(&self) -> String {
            panic!("{CANARY}")
        }
    }
    let key = PerRecord::by(|record| Some(cut_badly(record.key()?).to_string()));
    let by_key = Consumer::builder()
        .topic("orders", async || {})
        .per_record(key);
    let builder = Consumer::builder()
        .topic("orders", async || {})
        .idempotency(Quoting);
    let stored = builder.build().unwrap();

    let by_key = written_of_a_panic(by_key).await;
    let stored = written(&stored, Event::msk().record(Sample::new("orders", 0))).await;

    assert!(by_key.contains("reject.idempotency_key"), "{by_key}");
    assert!(stored.contains("idempotency.unavailable"), "{stored}");
    for text in [by_key, stored] {
        assert!(!text.contains("CANARY"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_destinations_panic_is_not_shown() {
    struct Quoting;
    impl Destination for Quoting {
        async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
            panic!(
                "{}",
                String::from_utf8_lossy(letters[0].record().key().unwrap())
            );
        }

        fn describe(&self) -> String {
            "quoting".to_owned()
        }
    }
    let consumer = Consumer::builder()
        .topic("orders", async |_: Json<u64>| {})
        .on_failure(Quoting)
        .build()
        .unwrap();
    let record = Sample::new("orders", 0).key(CANARY);

    let text = written(&consumer, Event::msk().record(record)).await;

    assert!(text.contains("destination.panicked"), "{text}");
    assert!(!text.contains("CANARY"), "{text}");
}
