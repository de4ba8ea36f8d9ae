//! Real processes of the sample function: killed and delivered to again, and two at once. Judged by what reaches a service outside, and by the table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use msk_mapping::{Ending, Environment, Invocation};
use tokio::time::{Instant, timeout};

use crate::support::{Batch, Effect, PARTITIONS, Receiver, Table, environment};

/// What each delivery is given: a whole batch with a write a record takes a fifth of it.
const TIME_GIVEN: Duration = Duration::from_secs(120);

/// Often enough that something is recorded before the first kill, on a quick machine too.
const PROGRESS_MS: &str = "100";

/// Bounds whatever a test waits for besides. Reached, the test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Deliveries in which the process is killed.
const KILLS: usize = 2;

/// Deliveries until all is done, at most: on a busy machine the time given may not do for one.
const DELIVERIES_MAX: usize = 6;

/// A kill, and what was known right after it.
struct Kill {
    /// How many orders had reached the service.
    effects: usize,
    /// The orders that the table held as settled.
    settled: BTreeSet<u64>,
}

/// What has happened until all was done.
struct Story {
    /// Orders as they reached the service, in all deliveries.
    orders: Vec<u64>,
    kills: Vec<Kill>,
}

impl Story {
    /// Delivers the batch until all is done, each time to a process that knows nothing of the others, and kills the first two at seeded points.
    async fn with_kills(progress_ms: &str, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (batch, table, receiver) =
            (Batch::new(), Table::create().await, Receiver::start().await);
        let mut kills = Vec::new();
        for delivery in 0..DELIVERIES_MAX {
            let url = receiver.url(&delivery.to_string());
            let mut environment = environment(&table, &url, progress_ms);
            let invocation = Invocation::new(batch.body(), TIME_GIVEN);
            let ends = environment.invoke(&invocation);
            if kills.len() == KILLS {
                if matches!(ends.await.unwrap().ending, Ending::Response(_)) {
                    let orders = orders(&receiver.effects());
                    return Self { orders, kills };
                }
                continue;
            }
            // Both together less than the batch, so that there is something left to kill.
            let point = receiver.effects().len() + random.usize(2_000..4_500);
            tokio::select! {
                report = ends => panic!("it ended before it was killed: {report:?}"),
                // The delivery is dropped, and its process is killed with it.
                () = receiver.come(point) => {}
            }
            timeout(PATIENCE, receiver.quiet()).await.unwrap();
            let settled = batch.settled(&table.store()).await;
            let effects = receiver.effects().len();
            kills.push(Kill { effects, settled });
        }
        panic!("not done after {DELIVERIES_MAX} deliveries");
    }

    /// The orders of each partition, those that came again left out.
    fn first_effects(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut seen = BTreeSet::new();
        let firsts = self.orders.iter().copied();
        by_partition(firsts.filter(|order| seen.insert(*order)))
    }

    /// The orders that came again after each kill.
    fn repeated(&self) -> Vec<BTreeSet<u64>> {
        let after = |kill: &Kill| {
            let (before, after) = self.orders.split_at(kill.effects);
            let [before, after] =
                [before, after].map(|orders| BTreeSet::from_iter(orders.iter().copied()));
            &before & &after
        };
        self.kills.iter().map(after).collect()
    }

    fn assert_that_nothing_is_lost_and_order_is_kept(&self) {
        assert!(
            self.first_effects() == Batch::orders(),
            "an order is missing, or late"
        );
    }

    /// At most what was started since the last confirmed write comes again: nothing that the table held at the kill.
    fn assert_that_nothing_recorded_is_repeated(&self) {
        for (kill, repeated) in self.kills.iter().zip(self.repeated()) {
            let recorded = &kill.settled & &repeated;
            assert!(recorded.is_empty(), "recorded, and repeated: {recorded:?}");
        }
    }

    fn tell(&self) {
        for (kill, repeated) in self.kills.iter().zip(self.repeated()) {
            let (effects, settled, again) = (kill.effects, kill.settled.len(), repeated.len());
            println!("killed after {effects} effects with {settled} recorded: {again} came again");
        }
    }
}

fn orders(effects: &[Effect]) -> Vec<u64> {
    effects.iter().map(|effect| effect.order).collect()
}

fn by_partition(orders: impl IntoIterator<Item = u64>) -> BTreeMap<u64, Vec<u64>> {
    let mut partitions = BTreeMap::<u64, Vec<u64>>::new();
    for order in orders {
        partitions
            .entry(order % PARTITIONS)
            .or_default()
            .push(order);
    }
    partitions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a table: make services"]
async fn a_kill_repeats_at_most_what_was_started_since_the_last_recorded_progress() {
    for seed in [1, 2] {
        let story = Story::with_kills(PROGRESS_MS, seed).await;

        println!("seed {seed}");
        story.tell();
        story.assert_that_nothing_is_lost_and_order_is_kept();
        story.assert_that_nothing_recorded_is_repeated();
        // Else a ledger that records nothing would do.
        assert!(story.kills.iter().all(|kill| !kill.settled.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a table: make services"]
async fn with_progress_at_zero_a_kill_repeats_at_most_one_record_a_lane() {
    let story = Story::with_kills("0", 3).await;

    story.tell();
    story.assert_that_nothing_is_lost_and_order_is_kept();
    story.assert_that_nothing_recorded_is_repeated();
    for repeated in story.repeated() {
        let lanes = by_partition(repeated);
        assert!(lanes.values().all(|lane| lane.len() == 1), "{lanes:?}");
    }
}

/// When a delivery to a warm process began and ended. It was answered.
async fn delivered(environment: &mut Environment, batch: &Batch) -> (Instant, Instant) {
    let report = environment
        .invoke(&Invocation::new(batch.body(), TIME_GIVEN))
        .await
        .unwrap();
    let end = Instant::now();
    assert!(matches!(report.ending, Ending::Response(_)), "{report:?}");
    (end - report.duration, end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a table: make services"]
async fn two_processes_with_the_same_batch_at_once_ship_each_order_once_and_in_order() {
    let (batch, table, receiver) = (Batch::new(), Table::create().await, Receiver::start().await);
    let start = |name| environment(&table, &receiver.url(name), PROGRESS_MS);
    let (mut a, mut b) = (start("a"), start("b"));
    let warm_ups = [0, 1].map(Batch::to_warm_up);
    delivered(&mut a, &warm_ups[0]).await;
    delivered(&mut b, &warm_ups[1]).await;

    let (of_a, of_b) = tokio::join!(delivered(&mut a, &batch), delivered(&mut b, &batch));
    a.stop().await;
    b.stop().await;

    let effects = receiver.effects().split_off(warm_ups.len());
    let shared: BTreeSet<_> = effects
        .iter()
        .map(|effect| (effect.order % PARTITIONS, &*effect.sender))
        .collect();
    println!("partitions and who shipped them: {shared:?}");
    assert!(
        of_a.0 < of_b.1 && of_b.0 < of_a.1,
        "one came after the other"
    );
    assert!(
        by_partition(orders(&effects)) == Batch::orders(),
        "not once, or not in order"
    );
    assert_eq!(
        shared.len() as u64,
        PARTITIONS,
        "one partition, two that ship: {shared:?}"
    );
}
