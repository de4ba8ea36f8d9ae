//! Every shape of handler that users write, built into one consumer and run once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lambda_msk::destination::{BoxDestination, MemoryDestination};
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::extract::{FromHeader, FromRef, JsonRejection, Parsed};
use lambda_msk::failure::BoxError;
use lambda_msk::failure::Rejection;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{
    Attempt, Consumer, Deadline, Failure, Header, Headers, IdempotencyKey, Json, Key, Outcome,
    ProcessingOrder, Record, State, Value, each,
};
use lambda_msk::{RequestId, TopicPartition};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tower::ServiceBuilder;
use tower::timeout::TimeoutLayer;

#[derive(Clone, Debug, Deserialize)]
struct Order {
    order_id: u64,
}

#[derive(Clone)]
struct Api;

#[derive(Clone)]
struct Db;

#[derive(Clone)]
struct App {
    api: Api,
    db: Db,
}

impl FromRef<App> for Api {
    fn from_ref(app: &App) -> Self {
        app.api.clone()
    }
}

impl FromRef<App> for Db {
    fn from_ref(app: &App) -> Self {
        app.db.clone()
    }
}

#[derive(Debug, thiserror::Error)]
enum ShipError {
    #[error("the order is not JSON")]
    Json(#[from] serde_json::Error),
}

/// No error, so it says itself what each case means.
enum Verdict {
    Bad,
    Busy(u64),
}

impl From<Verdict> for Failure {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Bad => Self::reject("bad"),
            Verdict::Busy(seconds) => Self::retry("busy").after(Duration::from_secs(seconds)),
        }
    }
}

/// An extractor that needs nothing.
struct Tenant(String);

impl<S> FromRecord<S> for Tenant {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Self, Rejection> {
        let tenant = delivery.header("tenant");
        let tenant = tenant.ok_or_else(|| Rejection::new("tenant.missing", "no tenant"))?;
        Ok(Self(String::from_utf8_lossy(tenant).into_owned()))
    }
}

/// An extractor that needs a part of the state.
struct Connection;

impl<S> FromRecord<S> for Connection
where
    Db: FromRef<S>,
{
    type Rejection = Infallible;

    fn from_record(_: &Delivery, state: &S) -> Result<Self, Infallible> {
        let Db = Db::from_ref(state);
        Ok(Self)
    }
}

/// A header by type.
struct Language(String);

impl FromHeader for Language {
    const NAME: &'static str = "language";

    fn from_bytes(value: &[u8]) -> Result<Self, Rejection> {
        Ok(Self(String::from_utf8_lossy(value).into_owned()))
    }
}

async fn nothing() {}

async fn ship(
    Json(order): Json<Order>,
    key: IdempotencyKey,
    State(_): State<Api>,
) -> Result<(), Failure> {
    if order.order_id == 0 {
        return Err(Failure::reject("no such order").code("order.unknown"));
    }
    let _: u32 = "7".parse()?;
    anyhow::Ok(())?;
    Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())?;
    assert!(key.as_str().ends_with("/1545084650987"), "{key}");
    Ok(())
}

async fn anyhow_result(_: Json<Order>, _: State<Db>) -> anyhow::Result<()> {
    Ok(())
}

async fn boxed_error(_: Option<Json<Order>>) -> Result<(), BoxError> {
    Ok(())
}

async fn own_error(order: Result<Json<Order>, JsonRejection>) -> Result<(), ShipError> {
    assert!(order.is_ok());
    serde_json::from_str::<u8>("7")?;
    Ok(())
}

async fn text_error() -> Result<(), String> {
    Ok(())
}

async fn static_text_error() -> Result<(), &'static str> {
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "eight are allowed")]
async fn eight_arguments(
    _: Record,
    _: Headers,
    _: Attempt,
    _: Deadline,
    _: TopicPartition,
    Key(key): Key<String>,
    _: Option<Value>,
    _: State<App>,
) {
    assert_eq!(key, "7");
}

async fn keys(
    Key(bytes): Key,
    Key(number): Key<u64>,
    Key(Parsed(parsed)): Key<Parsed<i8>>,
    none: Option<Key<String>>,
    RequestId(request): RequestId,
    timestamp: jiff::Timestamp,
) {
    assert_eq!((bytes.as_slice(), number, parsed), (b"7".as_slice(), 7, 7));
    assert!(none.is_some());
    assert_eq!(request, "test-request");
    assert_eq!(timestamp.as_millisecond(), 1_545_084_650_987);
}

async fn generic<T: DeserializeOwned + Send>(_: Json<T>) {}

async fn own_extractors(
    Tenant(tenant): Tenant,
    Connection: Connection,
    Header(Language(language)): Header<Language>,
) {
    assert_eq!((tenant.as_str(), language.as_str()), ("acme", "en"));
}

async fn verdict(_: Json<Order>) -> Result<(), Verdict> {
    if std::env::args().count() > 1_000 {
        return Err(Verdict::Busy(3));
    }
    Err(Verdict::Bad)
}

async fn verdict_through_question_mark(_: Delivery) -> Result<(), Failure> {
    Err(Verdict::Bad)?;
    Ok(())
}

async fn never() -> Infallible {
    std::future::pending().await
}

const DONE: [&str; 20] = [
    "before-state",
    "ship",
    "anyhow",
    "again",
    "boxed",
    "own-error",
    "text",
    "static-text",
    "eight",
    "keys",
    "generic",
    "own-extractors",
    "async-closure",
    "async-closure-result",
    "closure",
    "capturing-closure",
    "pointer",
    "layered",
    "stacked",
    "fallback",
];

const REJECTED: [&str; 2] = ["verdict", "verdict-question-mark"];

fn consumer(destination: &MemoryDestination) -> Consumer {
    let captured = Arc::new(5_u8);
    let pointer: fn(Json<Order>) -> std::future::Ready<()> = |_| std::future::ready(());
    Consumer::builder()
        .topic("before-state", nothing)
        .state(App { api: Api, db: Db })
        .topic("ship", ship)
        .topic(["anyhow", "again"], anyhow_result)
        .topic("boxed", boxed_error)
        .topic("own-error", own_error)
        .topic("text", text_error)
        .topic(String::from("static-text"), static_text_error)
        .topic("eight", eight_arguments)
        .topic("keys", keys)
        .topic("generic", generic::<Order>)
        .topic("own-extractors", own_extractors)
        .topic("verdict", verdict)
        .topic("verdict-question-mark", verdict_through_question_mark)
        .topic("async-closure", async |_: Json<Order>| {})
        .topic(
            "async-closure-result",
            async |_: Json<Order>| -> Result<(), Failure> { Ok(()) },
        )
        .topic("closure", |Json(_): Json<Order>| async move {
            Ok::<_, Failure>(())
        })
        .topic("capturing-closure", move |_: Json<Order>| {
            let captured = Arc::clone(&captured);
            async move {
                assert_eq!(*captured, 5);
            }
        })
        .topic("pointer", pointer)
        .topic(
            "layered",
            each(ship)
                .attempts(5)
                .layer(TimeoutLayer::new(Duration::from_secs(2))),
        )
        .topic(
            "stacked",
            each(ship).layer(
                ServiceBuilder::new()
                    .timeout(Duration::from_secs(2))
                    .concurrency_limit(3),
            ),
        )
        .topic(
            "never",
            each(never)
                .attempts(1)
                .layer(TimeoutLayer::new(Duration::from_secs(1))),
        )
        .fallback(|record: Record| async move {
            assert_eq!(record.topic(), "fallback");
        })
        .on_failure(BoxDestination::new(destination.clone()))
        .order(ProcessingOrder::Key)
        .concurrency(8)
        .attempts(2)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_shape_of_handler_runs() {
    let destination = MemoryDestination::new();
    let consumer = consumer(&destination);
    let samples = DONE.iter().chain(&REJECTED).chain(&["never"]).map(|topic| {
        Sample::new(*topic, 0)
            .timestamp(1_545_084_650_987)
            .key("7")
            .value(r#"{"order_id":7}"#)
            .header("tenant", "acme")
            .header("language", "en")
    });

    let invoked = invoke(&consumer, Event::msk().records(samples)).await;

    for topic in DONE {
        let report = invoked.record(topic, 0, 0);
        assert_eq!(report.outcome, Outcome::Done, "{topic}: {report:?}");
    }
    for topic in REJECTED {
        assert_eq!(invoked.record(topic, 0, 0).outcome, Outcome::Rejected);
    }
    assert_eq!(invoked.record("never", 0, 0).outcome, Outcome::Failed);
    assert_eq!(destination.letters().len(), REJECTED.len());
}
