//! Merges of unordered invocations with what others have written meanwhile.

use std::time::Duration;

use futures_util::future::join_all;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Failure, ProcessingOrder, WhenExhausted};
use tokio::join;
use tokio::time::{Instant, sleep};

use crate::shared_store::{Meets, Shared, killed_after, millis, process, secs};
use crate::support::{Journal, letters};

/// One record that takes so long, at an offset, of a time.
fn record(offset: i64, ms: u64, timestamp: i64) -> Event {
    let sample = Sample::new("orders", 0).value(ms.to_string());
    Event::msk()
        .record(sample.offset(offset).timestamp(timestamp))
        .build()
}

#[tokio::test(start_paused = true)]
async fn what_was_only_read_does_not_displace_a_record_that_stands_there_anew() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || {
        let unordered = process(&store, &journal).order(ProcessingOrder::Unordered);
        unordered.build().unwrap()
    };
    let (old, new) = (record(0, 1, 1_000), record(0, 1, 2_000));
    invoke(&consumer(), old).await;

    // It reads the old record's entry. The topic is made anew while it runs, and it writes last.
    let slow = consumer();
    let slow = invoke(&slow, record(1, 500, 1_000));
    let renewed = async {
        sleep(millis(100)).await;
        invoke(&consumer(), new.clone()).await
    };
    let (slow, renewed) = join!(slow, renewed);
    let again = invoke(&consumer(), new.clone()).await;

    assert_eq!(letters(&slow), "D");
    assert_eq!(letters(&renewed), "D");
    assert_eq!(letters(&again), "S");
}

/// An invocation that has read the item before it was deleted must not take the new one for it: it would write over what was settled since.
#[tokio::test(start_paused = true)]
async fn an_item_that_is_deleted_and_made_anew_is_not_the_one_that_was_read() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || {
        let unordered = process(&store, &journal).order(ProcessingOrder::Unordered);
        unordered.build().unwrap()
    };
    let (maker, reader) = (consumer(), consumer());
    let long = Event::msk().records(vec![
        Sample::new("orders", 0).offset(0).value("1"),
        Sample::new("orders", 0).offset(1).value("2000"),
    ]);

    // The one writes as soon as its first record is done, and again at its end: it makes the item twice. The other one reads it in between.
    let made = invoke(&maker, long.clone().build());
    let read = async {
        sleep(millis(500)).await;
        invoke(&reader, record(2, 3_000, 1_000)).await
    };
    let lost = async {
        sleep(millis(1_000)).await;
        store.lose().await;
    };
    let (made, read, ()) = join!(made, read, lost);
    let again = invoke(&consumer(), long.build()).await;

    assert_eq!([letters(&made), letters(&read)], ["DD", "D"]);
    assert_eq!(letters(&again), "SS");
}

/// A process without order, of which one record runs at a time.
fn one_by_one(store: &Shared, journal: &Journal, progress: Duration) -> Consumer {
    let unordered = process(store, journal).order(ProcessingOrder::Unordered);
    unordered.concurrency(1).progress(progress).build().unwrap()
}

/// Records of partition 0 that take so long each, at offsets of their own.
fn share(member: i64, records: i64, ms: u64) -> Event {
    let at = |offset| {
        Sample::new("orders", 0)
            .offset(member * records + offset)
            .value(ms.to_string())
    };
    Event::msk().records((0..records).map(at)).build()
}

/// Each call takes 5 to 10 ms until it is applied.
fn slow(store: &Shared) {
    store.meets(|_, _| Meets::Delay(millis(fastrand::u64(5..=10))));
}

#[tokio::test(start_paused = true)]
async fn ten_that_end_at_once_are_through_within_a_second() {
    for _ in 0..20 {
        let (store, journal) = (Shared::default(), Journal::default());
        slow(&store);
        let consumers: Vec<Consumer> = (0..10)
            .map(|_| one_by_one(&store, &journal, millis(250)))
            .collect();

        let start = Instant::now();
        let run = (0_i64..).zip(&consumers).map(|(member, consumer)| {
            let event = share(member, 1, 100);
            async move { letters(&invoke(consumer, event).await) }
        });
        let ended = join_all(run).await;
        let took = start.elapsed();
        let writes = store
            .calls()
            .iter()
            .filter(|call| *call == "give back 0")
            .count();
        let again = invoke(
            &one_by_one(&store, &journal, millis(250)),
            share(0, 10, 100),
        )
        .await;

        assert_eq!(ended, ["D"; 10]);
        assert!(took < secs(1), "{took:?}");
        assert_eq!(letters(&again), "SSSSSSSSSS");
        // Each round one gets through: 55, if all that are left try again at once.
        assert!(writes < 50, "{writes} writes");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_that_write_their_progress_side_by_side_end_a_second_after_their_last_record() {
    let (store, journal) = (Shared::default(), Journal::default());
    slow(&store);
    let consumers: Vec<Consumer> = (0..10)
        .map(|_| one_by_one(&store, &journal, millis(250)))
        .collect();

    let run = (0_i64..).zip(&consumers).map(|(member, consumer)| {
        let event = share(member, 60, 50);
        async move {
            sleep(millis(23 * member.unsigned_abs())).await;
            invoke(consumer, event).await
        }
    });
    let ended = join_all(run).await;
    let calls = store.calls();
    let again = invoke(
        &one_by_one(&store, &journal, millis(250)),
        share(0, 600, 50),
    )
    .await;

    for invoked in ended {
        assert_eq!(letters(&invoked), "D".repeat(60));
        // Sixty records of 50 ms, by a clock of whole milliseconds.
        let beyond = invoked.elapsed().saturating_sub(millis(60 * 51));
        assert!(beyond < secs(1), "{beyond:?}");
    }
    assert_eq!(letters(&again), "S".repeat(600));
    // Twelve writes of progress and a last one each. Who has met others looks before it writes, so that few are refused.
    let writes = calls
        .iter()
        .filter(|call| !call.starts_with("read"))
        .count();
    assert!(writes < 200, "{writes} writes");
}

#[tokio::test(start_paused = true)]
async fn one_that_writes_after_each_record_keeps_no_other_from_its_turn() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Delay(millis(7)));
    let (busy, others) = (
        one_by_one(&store, &journal, millis(0)),
        [(); 2].map(|()| one_by_one(&store, &journal, millis(250))),
    );

    let busy = invoke(&busy, share(0, 1_000, 1));
    let late = (1_i64..).zip(&others).map(|(member, consumer)| async move {
        sleep(millis(500)).await;
        invoke(consumer, share(member * 300, 3, 1)).await
    });
    let (_, late) = join!(busy, join_all(late));

    for invoked in late {
        assert_eq!(letters(&invoked), "DDD");
        assert!(invoked.elapsed() < secs(1), "{:?}", invoked.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn of_ten_that_write_after_each_record_all_move() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Delay(millis(7)));
    let consumers: Vec<Consumer> = (0..10)
        .map(|_| one_by_one(&store, &journal, millis(0)))
        .collect();

    let run = (0_i64..).zip(&consumers).map(|(member, consumer)| {
        let event = share(member, 400, 1);
        async move { invoke(consumer, event).await }
    });
    killed_after(secs(3), join_all(run)).await;

    // The first record of each waits for nothing: the second one waits until that is recorded.
    let lines = journal.lines();
    let done = lines
        .iter()
        .filter_map(|line| line.strip_prefix("-orders-0@"));
    let done: Vec<i64> = done.map(|at| at.parse().unwrap()).collect();
    for member in 0..10 {
        let its = done.iter().filter(|offset| **offset / 400 == member);
        assert!(its.count() > 5, "member {member} of {done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_one_has_settled_meanwhile_is_skipped() {
    let (store, journal) = (Shared::default(), Journal::default());
    let (one, other) = (
        one_by_one(&store, &journal, millis(0)),
        one_by_one(&store, &journal, millis(0)),
    );
    let at = |offset, ms: u64| {
        Sample::new("orders", 0)
            .offset(offset)
            .value(ms.to_string())
    };

    let both = invoke(&one, Event::msk().records([at(0, 100), at(1, 10)]));
    let second = async {
        sleep(millis(50)).await;
        invoke(&other, Event::msk().record(at(1, 10))).await
    };
    let (both, second) = join!(both, second);

    // The first write of the slow one brings it what was written meanwhile, before its second record starts.
    assert_eq!(
        (letters(&both), letters(&second)),
        ("DS".into(), "D".into())
    );
    assert_eq!(journal.lines().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn another_record_that_was_settled_meanwhile_at_the_offset_lets_none_be_skipped() {
    let (store, journal) = (Shared::default(), Journal::default());
    let (one, other) = (
        one_by_one(&store, &journal, millis(0)),
        one_by_one(&store, &journal, millis(0)),
    );
    let at = |offset, ms: u64| {
        Sample::new("orders", 0)
            .offset(offset)
            .value(ms.to_string())
    };

    // The topic was made anew, and the slow one still has its old records.
    let both = invoke(&one, Event::msk().records([at(0, 100), at(1, 10)]));
    let second = async {
        sleep(millis(50)).await;
        invoke(&other, Event::msk().record(at(1, 11))).await
    };
    let (both, second) = join!(both, second);

    assert_eq!(
        (letters(&both), letters(&second)),
        ("DD".into(), "D".into())
    );
}

/// A dead letter was fed back and done while its rejection was not recorded yet, and the item was lost: whoever writes last, "done" of the same record stands.
#[tokio::test(start_paused = true)]
async fn a_rejection_that_is_recorded_late_lets_no_dead_letter_run_that_is_done() {
    // The one that has rejected it writes before the one that has read that it is done, and after it.
    for rejecting_ms in [1_000, 5_000] {
        let (store, journal) = (Shared::default(), Journal::default());
        let destination = MemoryDestination::new();
        let rejecting = process(&store, &journal)
            .order(ProcessingOrder::Unordered)
            .progress(secs(10))
            .when_exhausted(WhenExhausted::Reject)
            .on_failure(destination.clone())
            .build()
            .unwrap();
        let reading = one_by_one(&store, &journal, secs(10));
        let mended = || {
            Consumer::builder()
                .topic("orders", async || Ok::<(), Failure>(()))
                .order(ProcessingOrder::Unordered)
                .idempotency(store.clone())
                .build()
                .unwrap()
        };
        let at = |offset, ms: u64| {
            Sample::new("orders", 0)
                .offset(offset)
                .value(ms.to_string())
        };
        let payload = || {
            let letter: serde_json::Value =
                serde_json::from_str(&destination.letters()[0].envelope()).unwrap();
            letter["payload"].to_string()
        };

        let both = [at(0, 0), at(1, rejecting_ms)];
        let rejected = invoke(&rejecting, Event::msk().records(both));
        let fed_back = async {
            sleep(millis(100)).await;
            invoke(&mended(), payload()).await
        };
        let read = async {
            sleep(millis(200)).await;
            invoke(&reading, Event::msk().record(at(2, 3_000))).await
        };
        let lost = async {
            sleep(millis(300)).await;
            store.lose().await;
        };
        let (rejected, fed_back, read, ()) = join!(rejected, fed_back, read, lost);
        let fed_back_again = invoke(&mended(), payload()).await;

        let outcomes = [rejected, fed_back, read, fed_back_again];
        assert_eq!(outcomes.each_ref().map(letters), ["RD", "D", "D", "S"]);
    }
}
