//! Invocations at the same time: lanes that pass each other, first use, a zombie that waits for the lock, a process that stands still in its transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::{ENDS, TOPIC, World, event, of_partition};
use crate::builder::ProcessingOrder;
use crate::outcome::Outcome;
use crate::testing::{Event, EventBuilder, Sample, invoke};

/// Records of three partitions and a dozen keys. Some are retried until the world accepts them.
fn mixed(first: i64, count: i64) -> EventBuilder {
    let records = (first..first + count).flat_map(|offset| {
        (0..3).map(move |partition| {
            let value = match (offset + i64::from(partition)) % 7 {
                0 => format!("?{offset}"),
                _ => format!("v{offset}"),
            };
            Sample::new(TOPIC, partition)
                .offset(offset)
                .key(format!("k{}", offset % 4))
                .value(value)
        })
    });
    Event::msk().records(records)
}

async fn assert_each_once(world: &World, records: usize) {
    let mut counts: BTreeMap<(i32, i64), usize> = BTreeMap::new();
    for (partition, offset, _) in world.effects().await {
        *counts.entry((partition, offset)).or_default() += 1;
    }
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(counts.len(), records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Postgres: make services"]
async fn lanes_that_pass_each_other_lose_nothing_and_repeat_nothing_in_any_order() {
    for (order, is_across) in [
        (ProcessingOrder::Partition, false),
        (ProcessingOrder::Partition, true),
        (ProcessingOrder::Key, false),
        (ProcessingOrder::Key, true),
        (ProcessingOrder::Unordered, false),
        (ProcessingOrder::Unordered, true),
    ] {
        let world = World::new().await;
        let consumer = || world.builder(order, is_across).build().unwrap();

        // Overlapping batches, at the same time; then all of it once more.
        let runs = [(0, 30), (10, 30), (20, 20)].map(|(first, count)| {
            let consumer = consumer();
            async move { invoke(&consumer, mixed(first, count)).await }
        });
        timeout(ENDS, join_all(runs)).await.unwrap();
        world.accept();
        let last = invoke(&consumer(), mixed(0, 40)).await;

        assert!(
            last.outcomes()
                .iter()
                .all(|outcome| *outcome == Outcome::Done),
            "{order:?}"
        );
        assert_each_once(&world, 120).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Postgres: make services"]
async fn keys_keep_their_order_where_the_chunks_are_of_many_lanes() {
    let world = World::new().await;
    world.accept();
    let consumer = world.builder(ProcessingOrder::Key, true).build().unwrap();

    invoke(&consumer, mixed(0, 40)).await;

    let mut last: BTreeMap<(i32, i64), i64> = BTreeMap::new();
    for (partition, offset, _) in world.effects().await {
        let before = last.insert((partition, offset % 4), offset);
        assert!(
            before.is_none_or(|before| before < offset),
            "{partition}@{offset}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Postgres: make services"]
async fn first_use_by_many_at_once_has_each_effect_once() {
    let world = World::new().await;
    world.accept();
    let runs = (0..8).map(|_| {
        let consumer = world.consumer();
        async move { invoke(&consumer, mixed(0, 20)).await }
    });

    let all = timeout(ENDS, join_all(runs)).await.unwrap();

    for invoked in all {
        for report in invoked.records() {
            assert_eq!(report.outcome, Outcome::Done, "{:?}", report.problem);
        }
    }
    assert_each_once(&world, 60).await;
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn partitions_in_another_order_do_not_lock_each_other_out() {
    let world = World::new().await;
    let both = |one: i32, other: i32| {
        let records = [one, other].into_iter().flat_map(|partition| {
            (0..20).map(move |offset| Sample::new(TOPIC, partition).offset(offset).value("v"))
        });
        Event::msk().records(records)
    };
    let runs = (0..10).map(|run| {
        // One try each: a deadlock is not resolved by a retry.
        let builder = world.builder(ProcessingOrder::Partition, true);
        let consumer = builder.attempts(1).build().unwrap();
        let sent = if run % 2 == 0 { both(0, 1) } else { both(1, 0) };
        async move { invoke(&consumer, sent).await }
    });

    for invoked in timeout(ENDS, join_all(runs)).await.unwrap() {
        for report in invoked.records() {
            assert_eq!(report.outcome, Outcome::Done, "{:?}", report.problem);
        }
    }

    assert_each_once(&world, 40).await;
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_zombie_waits_for_the_lock_and_then_finds_nothing_fresh() {
    let mut world = World::new().await;
    let gate = Arc::new(super::Gate::default());
    world.gate = Some(Arc::clone(&gate));
    let (owner, zombie) = (world.consumer(), world.consumer());
    let owner = tokio::spawn(async move { invoke(&owner, event(0, &["a", "b"])).await });
    gate.holds.notified().await;

    let mut zombie = tokio::spawn(async move { invoke(&zombie, event(0, &["a", "b"])).await });
    let waits = timeout(Duration::from_millis(300), &mut zombie).await;
    gate.go_on.notify_one();
    let (owner, zombie) = timeout(ENDS, async { (owner.await, zombie.await) })
        .await
        .unwrap();

    assert!(waits.is_err(), "it has not waited");
    assert_eq!(owner.unwrap().outcomes(), [Outcome::Done; 2]);
    assert_eq!(zombie.unwrap().outcomes(), [Outcome::Done; 2]);
    assert_eq!(world.values().await, ["a", "b"]);
    assert_eq!(world.calls(), 1);
}

/// A thread that does nothing any more is to the server what a process is that was stopped.
#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn who_stands_still_in_a_transaction_loses_the_rows_after_fifteen_seconds() {
    let mut world = World::new().await;
    let gate = Arc::new(super::Gate::default());
    world.gate = Some(Arc::clone(&gate));
    let (frozen, thaw) = std::sync::mpsc::channel::<()>();
    let (stands, stood) = tokio::sync::oneshot::channel();
    let consumer = world.consumer();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async move {
            let run =
                tokio::spawn(async move { invoke(&consumer, of_partition(0, 0, &["a"; 9])).await });
            gate.holds.notified().await;
            stands.send(()).unwrap();
            // Here it is frozen, with its rows locked.
            thaw.recv().unwrap();
            gate.go_on.notify_one();
            run.await.unwrap()
        })
    });
    stood.await.unwrap();

    let other = World {
        database: crate::postgres::Database::new(&super::address()).unwrap(),
        gate: None,
        ..world.clone()
    };
    let invoked = timeout(
        ENDS,
        invoke(&other.consumer(), of_partition(0, 0, &["a"; 9])),
    )
    .await
    .unwrap();
    frozen.send(()).unwrap();
    let late = tokio::task::spawn_blocking(|| thread.join())
        .await
        .unwrap()
        .unwrap();

    assert_eq!(invoked.outcomes(), [Outcome::Done; 9]);
    // Its transaction was ended; it tried again, and found nothing fresh.
    assert_eq!(late.outcomes(), [Outcome::Done; 9]);
    assert_eq!(world.values().await.len(), 9);
}
