//! Rejected means delivered: only a confirmed letter settles its record; neighbours that are rejected before their handler go in one call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::builder::WhenUnhandled;
use lambda_msk::destination::{DeadLetter, Destination, MemoryDestination, SendError};
use lambda_msk::extract::FromHeader;
use lambda_msk::failure::Rejection;
use lambda_msk::limits::DEAD_LETTERS_PER_SEND_MAX;
use lambda_msk::testing::{Event, EventBuilder, Invoke, Sample, invoke};
use lambda_msk::{Consumer, Failure, Header, Json, Key, Record, State, WhenExhausted};
use tokio::time::sleep;

use crate::support::{Journal, causes, letters, orders};

/// A destination that does what the test says, and keeps a journal.
#[derive(Clone)]
struct Scripted<F> {
    journal: Journal,
    answer: F,
}

impl<F> Destination for Scripted<F>
where
    F: Fn(&DeadLetter) -> Result<(), SendError> + Send + Sync + 'static,
{
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let records: Vec<_> = letters
            .iter()
            .map(|letter| letter.record().to_string())
            .collect();
        self.journal.write(format!("send {}", records.join(" ")));
        sleep(Duration::from_millis(100)).await;
        self.journal.write(format!("sent {}", records.join(" ")));
        letters.iter().map(&self.answer).collect()
    }

    fn describe(&self) -> String {
        "scripted".to_owned()
    }
}

async fn ship(Json(_): Json<u64>, record: Record, State(journal): State<Journal>) {
    journal.start(&record);
}

fn consumer(
    journal: &Journal,
    answer: impl Fn(&DeadLetter) -> Result<(), SendError> + Send + Sync + 'static,
) -> Consumer {
    Consumer::builder()
        .state(journal.clone())
        .topic("orders", ship)
        .on_failure(Scripted {
            journal: journal.clone(),
            answer,
        })
        .build()
        .unwrap()
}

/// So many records of one partition that no extractor can read.
fn poison(count: usize) -> Event {
    let sample = || Sample::new("orders", 0).value("?");
    let records = std::iter::repeat_with(sample).take(count);
    records.fold(Event::msk(), EventBuilder::record).build()
}

/// How many letters each call brought.
fn sent_at_once(journal: &Journal) -> Vec<usize> {
    let lines = journal.lines();
    let sends = lines.iter().filter(|line| line.starts_with("send "));
    sends.map(|line| line.matches('@').count()).collect()
}

#[tokio::test(start_paused = true)]
async fn neighbours_rejected_before_their_handler_are_one_call_before_the_next_handler() {
    let journal = Journal::default();
    let consumer = consumer(&journal, |_| Ok(()));

    let invoked = invoke(
        &consumer,
        orders([(0, "1"), (0, "?"), (0, "?"), (0, "2"), (0, "?")]),
    )
    .await;

    assert_eq!(letters(&invoked), "DRRDR");
    let expected = [
        "+orders-0@0",
        "send orders-0@1 orders-0@2",
        "sent orders-0@1 orders-0@2",
        "+orders-0@3",
        "send orders-0@4",
        "sent orders-0@4",
    ];
    assert_eq!(journal.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_not_confirmed_makes_its_record_failed_and_stops_the_lane() {
    let journal = Journal::default();
    let consumer = consumer(&journal, |letter| match letter.record().offset() {
        1 => Err(SendError::new("the queue is full")),
        _ => Ok(()),
    });

    let invoked = invoke(&consumer, orders([(0, "?"), (0, "?"), (0, "?"), (0, "1")])).await;

    // The third was confirmed in the same call: it is at the destination.
    assert_eq!(letters(&invoked), "RFRU");
    assert_eq!(
        causes(&invoked, 0, 1),
        ("reject.json", "destination.unconfirmed")
    );
    let problem = invoked.record("orders", 0, 1).problem.as_ref().unwrap();
    let end = "; the destination did not confirm it: the queue is full";
    assert!(problem.message.ends_with(end), "{problem:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_destination_a_rejected_record_is_failed() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Json<u64>| {})
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "?"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "FU");
    assert_eq!(
        causes(&invoked, 0, 0),
        ("reject.json", "destination.missing")
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_cause_stands_first_whatever_it_is_and_the_destination_behind_it() {
    struct Tenant;
    impl FromHeader for Tenant {
        const NAME: &'static str = "tenant";

        fn from_bytes(_: &[u8]) -> Result<Self, Rejection> {
            Ok(Self)
        }
    }
    async fn ship(Json(order): Json<u64>, _: Header<Tenant>) -> Result<(), Failure> {
        match order {
            0 => Err(Failure::reject("no such order").code("order.unknown")),
            _ => Err(Failure::retry("down").code("inventory.down")),
        }
    }
    let consumer = Consumer::builder()
        .topic("orders", ship)
        .topic("keyed", async |_: Key<u64>| {})
        .when_exhausted(WhenExhausted::Reject)
        .when_unhandled(WhenUnhandled::Reject)
        .attempts(1)
        .build()
        .unwrap();
    let good = || Sample::new("orders", 0).header("tenant", "a").value("7");
    let cases = [
        (good().value("0"), "order.unknown"),
        (good(), "inventory.down"),
        (good().value("?"), "reject.json"),
        (Sample::new("orders", 0).value("7"), "reject.no_header"),
        (good().value_base64("*"), "reject.value_not_base64"),
        (Sample::new("keyed", 0), "reject.no_key"),
        (Sample::new("returns", 0), "reject.no_handler"),
    ];

    for (sample, first) in cases {
        let invoked = invoke(&consumer, Event::msk().record(sample)).await;

        let problem = invoked.records()[0].problem.as_ref().unwrap();
        assert_eq!(problem.code, first, "{problem:?}");
        assert_eq!(problem.destination, Some("destination.missing"));
        let answer = invoked.response().unwrap_err().to_string();
        let short = format!("({first}, and no destination is set)");
        assert!(answer.contains(&short), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_panics_has_not_confirmed() {
    let consumer = consumer(&Journal::default(), |_| panic!("a bug"));

    let invoked = invoke(&consumer, orders([(0, "?"), (1, "1")])).await;

    assert_eq!(letters(&invoked), "FD");
    assert_eq!(
        causes(&invoked, 0, 0),
        ("reject.json", "destination.panicked")
    );
    let answer = invoked.response().unwrap_err().to_string();
    let first = "the first is orders-0@0 (reject.json, and the destination panicked)";
    assert!(answer.contains(first), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_result_too_few_counts_as_unconfirmed() {
    struct Short;
    impl Destination for Short {
        async fn send(&self, _: &[DeadLetter]) -> Vec<Result<(), SendError>> {
            vec![Ok(())]
        }

        fn describe(&self) -> String {
            "short".to_owned()
        }
    }
    let consumer = Consumer::builder()
        .topic("orders", async |_: Json<u64>| {})
        .on_failure(Short)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "?"), (0, "?")])).await;

    assert_eq!(letters(&invoked), "RF");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_does_not_stop_its_lane() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |Json(order): Json<u64>| match order {
            0 => Err(Failure::reject("no such order")),
            _ => Ok(()),
        })
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "0"), (0, "2")])).await;

    assert_eq!(letters(&invoked), "DRD");
    assert_eq!(destination.letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_decoded_is_rejected_alone_and_its_json_is_kept() {
    let destination = MemoryDestination::new();
    let values = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&values);
    let consumer = Consumer::builder()
        .topic("orders", move |Json(order): Json<u64>| {
            seen.lock().unwrap().push(order);
            async {}
        })
        .on_failure(destination.clone())
        .build()
        .unwrap();
    let event = Event::msk()
        .record(Sample::new("orders", 0).value("1"))
        .record(Sample::new("orders", 0).value_base64("*not base64*"))
        .record(Sample::new("orders", 0).value("3"));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DRD");
    assert_eq!(*values.lock().unwrap(), [1, 3]);
    let envelope: serde_json::Value =
        serde_json::from_str(&destination.letters()[0].envelope()).unwrap();
    assert_eq!(
        envelope["payload"]["records"]["orders-0"][0]["value"],
        "*not base64*"
    );
    assert_eq!(envelope["failure"]["code"], "reject.value_not_base64");
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_answers_too_late_has_not_confirmed_and_holds_up_no_answer() {
    struct Hanging;
    impl Destination for Hanging {
        async fn send(&self, _: &[DeadLetter]) -> Vec<Result<(), SendError>> {
            std::future::pending().await
        }

        fn describe(&self) -> String {
            "hanging".to_owned()
        }
    }
    let consumer = Consumer::builder()
        .topic("orders", async |_: Json<u64>| {})
        .on_failure(Hanging)
        .build()
        .unwrap();

    let invoked = Invoke::new(orders([(0, "?"), (0, "1")]))
        .time_given(Duration::from_secs(10))
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "FU");
    assert_eq!(
        causes(&invoked, 0, 0),
        ("reject.json", "destination.timed_out")
    );
    // Half of the margin of 500 ms is the answer's.
    assert_eq!(invoked.elapsed(), Duration::from_millis(9_750));
}

#[tokio::test(start_paused = true)]
async fn a_long_row_goes_in_calls_of_the_greatest_size() {
    let journal = Journal::default();
    let consumer = consumer(&journal, |_| Ok(()));

    let invoked = invoke(&consumer, poison(DEAD_LETTERS_PER_SEND_MAX + 1)).await;

    assert_eq!(letters(&invoked), "R".repeat(DEAD_LETTERS_PER_SEND_MAX + 1));
    assert_eq!(sent_at_once(&journal), [DEAD_LETTERS_PER_SEND_MAX, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_confirmed_is_the_last_of_its_lane() {
    let journal = Journal::default();
    let consumer = consumer(&journal, |_| Err(SendError::new("the queue is full")));

    let invoked = invoke(&consumer, poison(DEAD_LETTERS_PER_SEND_MAX + 1)).await;

    assert!(letters(&invoked).ends_with("FFU"));
    assert_eq!(sent_at_once(&journal), [DEAD_LETTERS_PER_SEND_MAX]);
}
