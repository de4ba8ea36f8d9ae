//! The producer's trace of a record, and the coordinates in a handler's log lines.

use std::sync::{Arc, Mutex};

use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::{Delivery, TraceParent};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Attempt, Consumer, Failure, Outcome};
use serde_json::{Value, json};
use tokio::task::yield_now;

use crate::support::Lines;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-00000000000000000000000000000001-0000000000000001-00";

fn order() -> Sample {
    Sample::new("orders", 3).offset(41).value("1")
}

/// The letter of a record that is rejected.
async fn letter(record: Sample) -> Value {
    let letters = MemoryDestination::new();
    let reject = async || Err::<(), _>(Failure::reject("no good"));
    let consumer = Consumer::builder().topic("orders", reject);
    let consumer = consumer.on_failure(letters.clone()).build().unwrap();
    invoke(&consumer, Event::msk().record(record)).await;
    serde_json::from_str(&letters.letters()[0].envelope()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_letter_has_the_producers_trace_if_it_is_valid() {
    let alone = letter(order().header("traceparent", TRACE)).await;
    let state = order()
        .header("traceparent", TRACE)
        .header("tracestate", "a=1");
    let both = letter(state).await;
    let invalid = order()
        .header("traceparent", "00-1")
        .header("tracestate", "a=1");
    let none = letter(invalid).await;

    assert_eq!(alone["trace"], json!({"traceparent": TRACE}));
    assert_eq!(
        both["trace"],
        json!({"traceparent": TRACE, "tracestate": "a=1"})
    );
    assert!(none.get("trace").is_none(), "{none}");
}

#[tokio::test(start_paused = true)]
async fn of_repeated_headers_the_last_valid_one_counts() {
    let record = order()
        .header("traceparent", OTHER)
        .header("tracestate", "a=1")
        .header("traceparent", TRACE)
        .header("tracestate", "b=2")
        .header("traceparent", "nonsense")
        .header("tracestate", "no list")
        .null_header("traceparent");

    let letter = letter(record).await;

    assert_eq!(
        letter["trace"],
        json!({"traceparent": TRACE, "tracestate": "b=2"})
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_takes_the_trace_and_a_record_without_one_is_rejected_or_none() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let optional = move |trace: Option<TraceParent>, delivery: Delivery| {
        assert_eq!(trace, delivery.trace_parent());
        let trace = trace.map(|trace| (trace.trace_id().to_owned(), trace.is_sampled()));
        note.lock().unwrap().push(trace);
        async {}
    };
    let needed = async |_: TraceParent| {};
    let consumer = Consumer::builder()
        .topic("orders", optional)
        .topic("returns", needed);
    let consumer = consumer
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap();
    let event = Event::msk()
        .record(order().header("traceparent", TRACE))
        .record(order().offset(42))
        .record(
            Sample::new("returns", 0)
                .value("1")
                .header("traceparent", TRACE),
        )
        .record(Sample::new("returns", 0).value("1"));

    let invoked = invoke(&consumer, event).await;

    let id = TRACE[3..35].to_owned();
    assert_eq!(*seen.lock().unwrap(), [Some((id, true)), None]);
    let [.., done, rejected] = invoked.records() else {
        panic!("{invoked:?}")
    };
    assert_eq!(done.outcome, Outcome::Done);
    assert_eq!(
        rejected.problem.as_ref().unwrap().code,
        "reject.no_traceparent"
    );
}

#[tokio::test(start_paused = true)]
async fn lines_of_failed_and_rejected_records_have_the_producers_trace() {
    let lines = Lines::default();
    let _guard = lines.listen();

    letter(order().header("traceparent", TRACE)).await;
    letter(order()).await;

    let rejected = lines.of("record rejected");
    assert_eq!(rejected[0]["traceparent"], TRACE);
    assert!(rejected[1].get("traceparent").is_none(), "{rejected:?}");
}

#[tokio::test(start_paused = true)]
async fn each_line_of_a_handler_carries_its_records_place_and_its_attempt() {
    let lines = Lines::default();
    let _guard = lines.listen();
    let handler = async |Attempt(attempt): Attempt| {
        tracing::info!("at once");
        yield_now().await;
        tracing::warn!("later");
        match attempt {
            1 => Err(Failure::retry("not now")),
            _ => Ok(()),
        }
    };
    let consumer = Consumer::builder()
        .topic("orders", handler)
        .build()
        .unwrap();

    invoke(&consumer, Event::msk().record(order())).await;

    let said = [lines.of("at once"), lines.of("later")].concat();
    let spans: Vec<_> = said.iter().map(|line| line["span"].clone()).collect();
    let expected = |attempt: u32| json!({"name": "record", "request_id": "test-request", "topic": "orders", "partition": 3, "offset": 41, "attempt": attempt});
    assert_eq!(spans, [expected(1), expected(2), expected(1), expected(2)]);
}

#[tokio::test(start_paused = true)]
async fn lines_of_lanes_that_run_at_once_have_each_their_own_records_place() {
    let lines = Lines::default();
    let _guard = lines.listen();
    let handler = async |delivery: Delivery| {
        for _ in 0..3 {
            tracing::info!(expected = delivery.partition(), "in a lane");
            yield_now().await;
        }
    };
    let consumer = Consumer::builder()
        .topic("orders", handler)
        .build()
        .unwrap();
    let records = (0..4).map(|partition| Sample::new("orders", partition).value("1"));

    invoke(&consumer, Event::msk().records(records)).await;

    let said = lines.of("in a lane");
    assert_eq!(said.len(), 12);
    for line in said {
        assert_eq!(line["span"]["partition"], line["expected"]);
    }
}
