//! What the ledger remembers without order, as Queue mode needs it: for as long as a share group may deliver a record again, at any rate that its item has room for.

use std::time::Duration;

use lambda_msk::limits::{LEDGER_BYTES_MAX, LEDGER_OFFSETS_KEPT, LEDGER_UNITS_PER_S_MAX};
use lambda_msk::testing::{Event, Invoke, Sample};
use lambda_msk::{Consumer, Outcome, ProcessingOrder};
use tokio::time::{Instant, sleep_until};

use crate::shared_store::{Shared, process, secs};
use crate::support::Journal;

/// A partition of which so many records a second come, in batches of so many, each to a process of its own.
struct Queue {
    store: Shared,
    a_second: i64,
    batch: i64,
    next: i64,
    began: Instant,
}

impl Queue {
    fn new(a_second: i64, batch: i64) -> Self {
        Self {
            store: Shared::default(),
            a_second,
            batch,
            next: 0,
            began: Instant::now(),
        }
    }

    fn consumer(&self) -> Consumer {
        let consumer = process(&self.store, &Journal::default());
        consumer.order(ProcessingOrder::Unordered).build().unwrap()
    }

    /// How the records from that offset on end that Lambda delivers in one batch.
    async fn deliver(&self, first: i64) -> Vec<Outcome> {
        let at = |offset| Sample::new("orders", 0).offset(offset).value("1");
        let event = Event::self_managed().records((first..first + self.batch).map(at));
        let invoke = Invoke::new(event).time_given(secs(120));
        invoke.run(&self.consumer()).await.outcomes()
    }

    /// New records come for that long. All are done.
    async fn run(&mut self, time: Duration) {
        let end = self.next + self.a_second * i64::try_from(time.as_secs()).unwrap();
        while self.next < end {
            let outcomes = self.deliver(self.next).await;
            assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Done));
            self.next += self.batch;
            let at = self.next as f64 / self.a_second as f64;
            sleep_until(self.began + Duration::from_secs_f64(at)).await;
        }
    }

    /// The first offset of the batch that came so long ago.
    fn came_before(&self, time: Duration) -> i64 {
        let since = self.a_second * i64::try_from(time.as_secs()).unwrap();
        (self.next - since) / self.batch * self.batch
    }

    async fn item_bytes(&self) -> usize {
        let (_, item) = self.store.items().await.remove(0);
        item.unwrap().data.len()
    }
}

fn all_skipped(outcomes: &[Outcome]) -> bool {
    outcomes.iter().all(|outcome| *outcome == Outcome::Skipped)
}

#[tokio::test(start_paused = true)]
async fn a_record_that_comes_again_after_its_lock_is_known_whatever_the_rate() {
    // Records a second, in a batch; how long after it was done it comes again.
    for (a_second, batch, lock_s) in [(50, 50, 240), (100, 100, 60), (600, 600, 30)] {
        let mut queue = Queue::new(a_second, batch);
        queue.run(secs(lock_s + 5)).await;

        let again = queue.deliver(queue.came_before(secs(lock_s))).await;

        assert!(
            all_skipped(&again),
            "{a_second} a second in batches of {batch}"
        );
        assert!(queue.item_bytes().await <= LEDGER_BYTES_MAX);
    }
}

#[tokio::test(start_paused = true)]
async fn as_often_as_it_is_delivered_it_is_known() {
    let mut queue = Queue::new(10, 50);
    queue.run(secs(120)).await;
    let first = queue.came_before(secs(30));

    for delivery in 0..5 {
        assert!(
            all_skipped(&queue.deliver(first).await),
            "delivery {delivery}"
        );
        queue.run(secs(200)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_lock_lasts_as_long_as_is_forgotten_but_for_the_highest() {
    let mut queue = Queue::new(10, 100);

    queue.run(secs(1_800)).await;

    let minutes = (120 + 180) / 60 + 2;
    let most = LEDGER_OFFSETS_KEPT + minutes * 60 * 10;
    let bytes = queue.item_bytes().await;
    // Four bytes an offset, and a few a minute.
    assert!(bytes <= most * 5, "{bytes}");
    assert!(!all_skipped(&queue.deliver(0).await));
}

#[tokio::test(start_paused = true)]
async fn the_more_often_an_item_is_written_the_smaller_it_is() {
    let mut queue = Queue::new(200, 10);

    queue.run(secs(60)).await;

    // Twenty invocations a second, each of which writes it once.
    let bytes = queue.item_bytes().await;
    let most = LEDGER_UNITS_PER_S_MAX as usize / 20 * 1024;
    assert!((most / 2..=most).contains(&bytes), "{bytes}");
    // What it has room for is the youngest.
    assert!(all_skipped(
        &queue.deliver(queue.came_before(secs(2))).await
    ));
}

#[tokio::test(start_paused = true)]
async fn a_large_item_is_written_less_often_while_records_run() {
    let mut queue = Queue::new(200, 200);
    queue.run(secs(90)).await;
    let times_usual = queue.item_bytes().await as u64 / 5_000;
    assert!(times_usual > 10, "{times_usual}");
    queue.store.calls();

    let at = |offset| Sample::new("orders", 0).offset(offset).value("100");
    let event = Event::self_managed().records((queue.next..queue.next + 300).map(at));
    let one_by_one = process(&queue.store, &Journal::default()).order(ProcessingOrder::Unordered);
    let consumer = one_by_one.concurrency(1).build().unwrap();
    let invoked = Invoke::new(event).run(&consumer).await;

    let writes = queue.store.calls().len() as u64 - 2;
    let least = invoked.elapsed().as_millis() as u64 / (250 * (times_usual + 1));
    let most = invoked.elapsed().as_millis() as u64 / (250 * times_usual);
    assert!(
        (least..=most + 1).contains(&writes),
        "{writes} of {least} to {most}"
    );
}
