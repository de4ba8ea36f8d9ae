//! Tower layers around a handler: a later one is outside, and one that repeats a call gets its arguments anew.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::failure::Rejection;
use lambda_msk::handler::HandlerCall;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Failure, State, each};
use tower::layer::layer_fn;
use tower::util::MapRequestLayer;
use tower::{Service, ServiceExt};

use crate::support::{Journal, code, letters, orders};

/// Calls its service twice and answers with the second answer.
#[derive(Clone)]
struct Twice(HandlerCall);

impl Service<Delivery> for Twice {
    type Response = Result<(), Failure>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, delivery: Delivery) -> Self::Future {
        let service = self.0.clone();
        Box::pin(async move {
            let first = service.clone().oneshot(delivery.clone()).await?;
            assert!(first.is_ok());
            service.oneshot(delivery).await
        })
    }
}

/// Says that it was taken; the second time there is nothing left.
struct Once;

impl FromRecord<Journal> for Once {
    type Rejection = Rejection;

    fn from_record(_: &Delivery, journal: &Journal) -> Result<Self, Rejection> {
        journal.write("taken");
        match journal
            .lines()
            .iter()
            .filter(|line| *line == "taken")
            .count()
        {
            1 => Ok(Self),
            _ => Err(Rejection::new("once.gone", "it was taken")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_layer_is_outside_an_earlier_one() {
    let journal = Journal::default();
    let says = |what: &'static str| {
        let journal = journal.clone();
        MapRequestLayer::new(move |delivery: Delivery| {
            journal.write(what);
            delivery
        })
    };
    let handler = async |State(journal): State<Journal>| journal.write("handler");
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            each(handler).layer(says("first")).layer(says("second")),
        )
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(letters(&invoked), "D");
    assert_eq!(journal.lines(), ["second", "first", "handler"]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_of_the_consumer_is_outside_those_of_each_of_its_handlers() {
    let journal = Journal::default();
    let says = |what: &'static str| {
        let journal = journal.clone();
        MapRequestLayer::new(move |delivery: Delivery| {
            journal.write(format!("{what} {}", delivery.record()));
            delivery
        })
    };
    let consumer = Consumer::builder()
        .layer(says("first"))
        .topic("orders", async || {})
        .topic("returns", each(async || {}).layer(says("own")))
        .layer(says("second"))
        .fallback(each(async || {}).layer(says("fallback's")))
        .build()
        .unwrap();
    let event = Event::msk()
        .record(Sample::new("orders", 0).value("1"))
        .record(Sample::new("returns", 0).value("2"))
        .record(Sample::new("stock", 0).value("3"));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDD");
    let of = |topic: &str| {
        let lines = journal.lines().into_iter();
        lines
            .filter_map(|line| Some(line.strip_suffix(&format!(" {topic}-0@0"))?.to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("orders"), ["second", "first"]);
    assert_eq!(of("returns"), ["second", "first", "own"]);
    assert_eq!(of("stock"), ["second", "first", "fallback's"]);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_has_settings_of_its_own() {
    let tries = Journal::default();
    let written = tries.clone();
    let down = move || {
        written.write("try");
        async { Err::<(), _>(Failure::retry("down")) }
    };
    let consumer = Consumer::builder()
        .fallback(each(down).attempts(3))
        .attempts(1)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(letters(&invoked), "F");
    assert_eq!(tries.lines().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn arguments_are_taken_once_for_a_call_and_again_for_its_repetition() {
    let journal = Journal::default();
    let plain = Consumer::builder()
        .state(journal.clone())
        .topic("orders", each(async |_: Once| {}))
        .build()
        .unwrap();
    let destination = MemoryDestination::new();
    let again = Journal::default();
    let repeated = Consumer::builder()
        .state(again.clone())
        .topic("orders", each(async |_: Once| {}).layer(layer_fn(Twice)))
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let once = invoke(&plain, orders([(0, "1")])).await;
    let twice = invoke(&repeated, orders([(0, "1")])).await;

    assert_eq!(letters(&once), "D");
    assert_eq!(journal.lines(), ["taken"]);
    assert_eq!(again.lines(), ["taken", "taken"]);
    assert_eq!(letters(&twice), "R");
    assert_eq!(code(&twice, 0, 0), "once.gone");
    assert_eq!(destination.letters()[0].attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_rejected_before_its_handler_does_not_come_to_the_layers() {
    let journal = Journal::default();
    let seen = journal.clone();
    let layer = MapRequestLayer::new(move |delivery: Delivery| {
        seen.write("layer");
        delivery
    });
    let consumer = Consumer::builder()
        .topic(
            "orders",
            each(async |_: lambda_msk::Json<u64>| {}).layer(layer),
        )
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, Event::msk().record(Sample::new("orders", 0))).await;

    assert_eq!(letters(&invoked), "R");
    assert!(journal.lines().is_empty());
}
