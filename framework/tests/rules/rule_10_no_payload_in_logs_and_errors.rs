//! Nothing that the framework writes into a log or an error shows bytes of the payload; the text of a user's own error is cut.

use std::collections::BTreeMap;

use lambda_msk::limits::ERROR_TEXT_BYTES_MAX;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{
    Consumer, DeadLetter, Delivery, Destination, Failure, FromHeader, FromRecord, Header, Json,
    Key, MemoryDestination, Record, Rejection, SendError,
};
use serde::Deserialize;

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

#[tokio::test(start_paused = true)]
async fn the_text_of_a_destinations_panic_is_cut() {
    struct Wordy;
    impl Destination for Wordy {
        async fn send(&self, _: &[DeadLetter]) -> Vec<Result<(), SendError>> {
            panic!("{}", "é".repeat(100_000));
        }

        fn describe(&self) -> String {
            "wordy".to_owned()
        }
    }
    let consumer = Consumer::builder()
        .topic("orders", async |_: Json<u64>| {})
        .on_failure(Wordy)
        .build()
        .unwrap();

    let text = written(&consumer, Event::msk().record(Sample::new("orders", 0))).await;

    assert!(text.contains("destination.panicked"), "{text}");
    assert!(
        text.len() < 8 * ERROR_TEXT_BYTES_MAX,
        "{} bytes",
        text.len()
    );
}
