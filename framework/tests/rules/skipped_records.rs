//! The ledger in memory: what this process settled is skipped when it comes again, and nothing else is.

use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::{DeadLetter, Destination, MemoryDestination, SendError};
use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};
use lambda_msk::{Attempt, Consumer, Failure, FailureReporting, Idempotency, Json, Record, State};

use crate::support::{Journal, answer, letters, orders};

async fn ship(
    record: Record,
    State(journal): State<Journal>,
    Json(order): Json<u64>,
) -> Result<(), Failure> {
    journal.start(&record);
    if order == 0 {
        return Err(Failure::retry("inventory is down"));
    }
    Ok(())
}

fn consumer(journal: &Journal) -> Builder<Journal> {
    Consumer::builder()
        .state(journal.clone())
        .topic("orders", ship)
        .attempts(1)
        .failure_reporting(FailureReporting::Partial)
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_skipped_when_the_batch_comes_again() {
    let journal = Journal::default();
    let consumer = consumer(&journal).build().unwrap();
    let batch = orders([(0, "1"), (0, "0"), (0, "1")]);

    let first = invoke(&consumer, batch.clone()).await;
    let second = invoke(&consumer, batch).await;

    assert_eq!(letters(&first), "DFU");
    assert_eq!(letters(&second), "SFU");
    assert_eq!(answer(&first), answer(&second));
    assert_eq!(
        journal.lines(),
        ["+orders-0@0", "+orders-0@1", "+orders-0@1"]
    );
}

#[tokio::test(start_paused = true)]
async fn another_record_at_the_same_offset_runs() {
    let consumer = consumer(&Journal::default()).build().unwrap();
    let sample = || {
        Sample::new("orders", 0)
            .offset(5)
            .timestamp(1_000)
            .key("k")
            .value("1")
            .header("h", "v")
    };
    let others = [
        sample().value("2"),
        sample().key("other"),
        sample().timestamp(1_001),
        sample().header("h", "v"),
    ];

    let first = invoke(&consumer, Event::msk().record(sample())).await;
    assert_eq!(letters(&first), "D");
    for other in others {
        let invoked = invoke(&consumer, Event::msk().record(other)).await;
        assert_eq!(letters(&invoked), "D");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_offset_of_another_cluster_runs() {
    let consumer = consumer(&Journal::default()).build().unwrap();
    let sample = || Sample::new("orders", 0).value("1");

    invoke(
        &consumer,
        Event::msk()
            .arn("arn:aws:kafka:eu-west-1:1:cluster/a/1")
            .record(sample()),
    )
    .await;
    let invoked = invoke(
        &consumer,
        Event::msk()
            .arn("arn:aws:kafka:eu-west-1:1:cluster/b/2")
            .record(sample()),
    )
    .await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_is_skipped_too_but_runs_when_its_dead_letter_is_fed_back() {
    let destination = MemoryDestination::new();
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic("orders", async |State(journal): State<Journal>| {
            // Mended after the first time.
            if journal.lines().is_empty() {
                journal.write("rejected");
                return Err(Failure::reject("unknown currency"));
            }
            journal.write("done");
            Ok(())
        })
        .on_failure(destination.clone())
        .build()
        .unwrap();
    let batch = orders([(0, "1")]);

    let first = invoke(&consumer, batch.clone()).await;
    let again = invoke(&consumer, batch).await;
    let envelope: serde_json::Value =
        serde_json::from_str(&destination.letters()[0].envelope()).unwrap();
    let payload = envelope["payload"].to_string();
    let redriven = invoke(&consumer, payload.clone()).await;
    let redriven_again = invoke(&consumer, payload).await;

    assert_eq!(letters(&first), "R");
    assert_eq!(letters(&again), "S");
    assert_eq!(letters(&redriven), "D");
    assert_eq!(letters(&redriven_again), "S");
    assert_eq!(journal.lines(), ["rejected", "done"]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_fed_back_and_rejected_again_counts_its_redrives() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {
            Err(Failure::reject("unknown currency"))
        })
        .on_failure(destination.clone())
        .build()
        .unwrap();
    let mark = |count: u32| format!(r#"{{"id":"dl-1","count":{count}}}"#);
    let marked = |json: &str| {
        Event::msk()
            .record(Sample::new("orders", 0).value("1"))
            .raw_field("redrive", json)
    };

    invoke(&consumer, orders([(0, "1")])).await;
    invoke(&consumer, marked(r#""dl-1""#)).await;
    invoke(&consumer, marked(&mark(2))).await;

    let letters = destination.letters();
    let counts: Vec<u32> = letters.iter().map(DeadLetter::redrives).collect();
    assert_eq!(counts, [0, 1, 2]);
    assert!(letters[2].envelope().contains(r#""redrives":2"#));
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_ledgers_age_runs_again() {
    let consumer = consumer(&Journal::default()).build().unwrap();
    let batch = orders([(0, "1")]);

    invoke(&consumer, batch.clone()).await;
    tokio::time::advance(Duration::from_millis(
        lambda_msk::limits::MEMORY_LEDGER_AGE_MS,
    ))
    .await;
    let invoked = invoke(&consumer, batch).await;

    assert_eq!(letters(&invoked), "D");
}

fn at(offset: i64) -> Sample {
    Sample::new("orders", 0).offset(offset).value("1")
}

/// Gives a batch of these offsets, and says how each ended.
async fn give(consumer: &Consumer, offsets: impl IntoIterator<Item = i64>) -> String {
    let batch = offsets.into_iter().map(at);
    letters(&invoke(consumer, batch.fold(Event::msk(), EventBuilder::record)).await)
}

#[tokio::test(start_paused = true)]
async fn what_is_skipped_is_remembered_from_then_on() {
    let consumer = consumer(&Journal::default()).build().unwrap();
    let two_thirds = Duration::from_millis(lambda_msk::limits::MEMORY_LEDGER_AGE_MS) * 2 / 3;

    let mut outcomes = String::new();
    for _ in 0..4 {
        outcomes += &give(&consumer, [0]).await;
        tokio::time::advance(two_thirds).await;
    }

    assert_eq!(outcomes, "DSSS");
}

#[tokio::test(start_paused = true)]
async fn below_the_batch_at_hand_the_ledger_forgets_the_lowest_offsets() {
    let kept = i64::try_from(lambda_msk::limits::LEDGER_OFFSETS_KEPT).unwrap();
    let consumer = consumer(&Journal::default()).build().unwrap();

    give(&consumer, 0..=kept).await;
    give(&consumer, [kept + 1]).await;
    let second_lowest = give(&consumer, [1]).await;
    let lowest = give(&consumer, [0]).await;

    assert_eq!(second_lowest, "S");
    assert_eq!(lowest, "D");
}

#[tokio::test(start_paused = true)]
async fn what_stands_above_the_batch_at_hand_may_yet_come_again_and_is_kept() {
    let kept = i64::try_from(lambda_msk::limits::LEDGER_OFFSETS_KEPT).unwrap();
    let consumer = consumer(&Journal::default()).build().unwrap();

    give(&consumer, 0..3 * kept).await;
    // The mapping goes back, and sends the same records in smaller batches.
    let mut again = String::new();
    for start in (0..3 * kept).step_by(500) {
        again += &give(&consumer, start..start + 500).await;
    }

    assert_eq!(again, "S".repeat(again.len()));
}

#[tokio::test(start_paused = true)]
async fn a_batch_beyond_the_ledgers_size_is_remembered_from_its_end() {
    // About four bytes an offset.
    let more = i64::try_from(lambda_msk::limits::LEDGER_BYTES_MAX / 4 + 100).unwrap();
    let consumer = consumer(&Journal::default()).build().unwrap();

    give(&consumer, 0..more).await;
    let lowest = give(&consumer, [0]).await;
    let highest = give(&consumer, [more - 1]).await;

    assert_eq!(lowest, "D");
    assert_eq!(highest, "S");
}

#[tokio::test(start_paused = true)]
async fn without_a_ledger_every_record_runs_in_every_delivery() {
    let consumer = consumer(&Journal::default())
        .idempotency(Idempotency::None)
        .build()
        .unwrap();
    let batch = orders([(0, "1")]);

    invoke(&consumer, batch.clone()).await;
    let invoked = invoke(&consumer, batch).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_failed_is_no_settled_record() {
    let consumer = Consumer::builder()
        .topic("orders", async |Attempt(_): Attempt| Err::<(), _>("down"))
        .attempts(1)
        .build()
        .unwrap();
    let batch = orders([(0, "1")]);

    invoke(&consumer, batch.clone()).await;
    let invoked = invoke(&consumer, batch).await;

    assert_eq!(letters(&invoked), "F");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_was_not_confirmed_is_sent_again_with_the_next_delivery() {
    /// Confirms nothing but what comes a second time.
    #[derive(Clone)]
    struct Late(MemoryDestination);
    impl Destination for Late {
        async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
            let first = self.0.letters().is_empty();
            self.0.send(letters).await;
            let confirm = |_: &DeadLetter| match first {
                true => Err(SendError::new("the queue is full")),
                false => Ok(()),
            };
            letters.iter().map(confirm).collect()
        }

        fn describe(&self) -> String {
            "late".to_owned()
        }
    }
    let sent = MemoryDestination::new();
    let consumer = consumer(&Journal::default())
        .on_failure(Late(sent.clone()))
        .build()
        .unwrap();
    let batch = orders([(0, "?")]);

    let first = invoke(&consumer, batch.clone()).await;
    let second = invoke(&consumer, batch.clone()).await;
    let third = invoke(&consumer, batch).await;

    assert_eq!(letters(&first), "F");
    assert_eq!(letters(&second), "R");
    assert_eq!(letters(&third), "S");
    assert_eq!(sent.letters().len(), 2);
}
