//! A partition's ledger as people read it in a store, and make it forget.

use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::{
    Change, Expect, ForgetError, IdempotencyStore, Item, PartitionState, Swap, Swapped, Version,
};
use lambda_msk::testing::{Event, Invoked, Sample, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, Json, TopicPartition};

use crate::shared_store::{Meets, Shared, killed_after, millis};
use crate::support::letters;

/// When the first invocation of a test takes place: 2026-01-01T00:00:00Z.
const START_MS: u64 = 1_767_225_600_000;

/// 0 may pass, 1 is rejected, 2 never ends, others are done.
async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
    match order {
        0 => Err(Failure::retry("inventory is down")),
        1 => Err(Failure::reject("unknown currency")),
        2 => std::future::pending().await,
        _ => Ok(()),
    }
}

fn consumer(store: &Shared) -> Consumer {
    Consumer::builder()
        .topic("orders", ship)
        .on_failure(MemoryDestination::new())
        .idempotency(store.clone())
        .namespace("shop")
        .cluster("main")
        .attempts(1)
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap()
}

/// Partition 0, with these values from offset 10 on.
fn orders(values: &[u64]) -> Event {
    let sample = |(value, offset): (&u64, i64)| {
        Sample::new("orders", 0)
            .offset(offset)
            .value(value.to_string())
    };
    let samples = values.iter().zip(10..).map(sample);
    Event::self_managed().records(samples).build()
}

async fn run(store: &Shared, values: &[u64]) -> Invoked {
    invoke(&consumer(store), orders(values)).await
}

async fn read(store: &Shared) -> PartitionState {
    let at = TopicPartition::new("orders", 0);
    let state = PartitionState::read(store, "shop", "main", &at).await;
    state.unwrap().unwrap()
}

/// `10..12 done`, one a range.
fn ranges(state: &PartitionState) -> Vec<String> {
    let text = |rejected| if rejected { "rejected" } else { "done" };
    let ranges = state.settled(..).into_iter();
    ranges
        .map(|range| format!("{}..{} {}", range.first, range.last, text(range.rejected)))
        .collect()
}

/// An invocation has settled 10, and is killed in 11: it holds the partition.
async fn killed(store: &Shared) {
    let consumer = consumer(store);
    killed_after(millis(1), invoke(&consumer, orders(&[7, 2]))).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_settled_is_shown_as_ranges_that_ended_alike() {
    let store = Shared::default();

    run(&store, &[7, 7, 1, 1, 7, 0, 7]).await;

    let state = read(&store).await;
    assert_eq!(state.id(), "shop/main/orders/0");
    assert_eq!(
        ranges(&state),
        ["10..11 done", "12..13 rejected", "14..14 done"]
    );
    assert_eq!(state.settled(11..=12).len(), 2);
    assert_eq!(state.settled(..)[1].count(), 2);
    assert_eq!(state.settled(..)[0].at_ms, START_MS);
    assert_eq!(state.highest().unwrap(), 16);
    assert_eq!(state.reported().unwrap(), 15);
    assert_eq!(state.lease(), None);
    // A day: it outlives the process.
    assert_eq!(state.expires_s(), START_MS / 1000 + 24 * 60 * 60);
    assert_eq!(state.unreadable(), None);
    assert!(state.data_bytes() > 20);
}

#[tokio::test(start_paused = true)]
async fn of_a_partition_that_never_came_nothing_is_known() {
    let store = Shared::default();
    run(&store, &[7]).await;

    let other = TopicPartition::new("orders", 1);
    let state = PartitionState::read(&store, "shop", "main", &other).await;

    assert!(state.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_whole_runs_again() {
    let store = Shared::default();
    run(&store, &[7, 7, 7]).await;

    let state = read(&store).await;
    state.forget(&store, .., START_MS).await.unwrap();

    let again = run(&store, &[7, 7, 7]).await;
    assert_eq!(letters(&again), "DDD");
}

#[tokio::test(start_paused = true)]
async fn of_a_part_that_is_forgotten_the_rest_is_still_skipped() {
    let store = Shared::default();
    run(&store, &[7, 7, 7, 7]).await;

    let state = read(&store).await;
    state.forget(&store, 11..=12, START_MS).await.unwrap();

    let left = read(&store).await;
    assert_eq!(ranges(&left), ["10..10 done", "13..13 done"]);
    assert_eq!(left.highest(), state.highest());
    assert_eq!(left.expires_s(), state.expires_s());
    let again = run(&store, &[7, 7, 7, 7]).await;
    assert_eq!(letters(&again), "SDDS");
}

#[tokio::test(start_paused = true)]
async fn a_report_is_forgotten_with_its_offset() {
    let store = Shared::default();
    run(&store, &[7, 0]).await;

    let state = read(&store).await;
    state.forget(&store, ..11, START_MS).await.unwrap();
    let before = read(&store).await;
    before.forget(&store, 11.., START_MS).await.unwrap();

    assert_eq!(before.reported().unwrap(), 11);
    assert_eq!(read(&store).await.reported(), None);
}

#[tokio::test(start_paused = true)]
async fn while_a_lease_is_live_nothing_is_forgotten() {
    let store = Shared::default();
    killed(&store).await;

    let state = read(&store).await;
    let lease = state.lease().unwrap();
    let early = state.forget(&store, .., lease.free_ms() - 1).await;
    let late = state.forget(&store, .., lease.free_ms()).await;

    assert_eq!(lease.until_ms, START_MS + 10_000);
    assert_eq!(lease.free_ms(), START_MS + 11_001);
    assert!(matches!(early, Err(ForgetError::Held(held)) if held == lease));
    assert!(late.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_was_written_since_it_was_read_is_not_forgotten() {
    let store = Shared::default();
    run(&store, &[7]).await;
    let state = read(&store).await;

    run(&store, &[7, 7]).await;
    let whole = state.forget(&store, .., START_MS).await;
    let part = state.forget(&store, 10.., START_MS).await;

    assert!(matches!(whole, Err(ForgetError::Changed)), "{whole:?}");
    assert!(matches!(part, Err(ForgetError::Changed)), "{part:?}");
    assert_eq!(ranges(&read(&store).await), ["10..11 done"]);
}

#[tokio::test(start_paused = true)]
async fn what_another_one_has_deleted_counts_as_changed() {
    let store = Shared::default();
    run(&store, &[7]).await;
    let state = read(&store).await;

    let first = state.forget(&store, .., START_MS).await;
    let second = state.forget(&store, .., START_MS).await;

    assert!(first.is_ok(), "{first:?}");
    assert!(matches!(second, Err(ForgetError::Changed)), "{second:?}");
}

/// An invocation whose lease is over sleeps on; a part is forgotten; it wakes, and must not write over that.
#[tokio::test(start_paused = true)]
async fn one_who_held_it_before_finds_another_version_after_a_part_is_forgotten() {
    let store = Shared::default();
    killed(&store).await;
    let state = read(&store).await;
    let lease = state.lease().unwrap();

    state.forget(&store, 0..1, lease.free_ms()).await.unwrap();
    let late = Swap::new(
        state.id().into(),
        Expect::Version(lease.holder),
        Change::Delete,
    );

    assert!(matches!(
        store.swap(&late).await,
        Ok(Swapped::Refused(Some(_)))
    ));
    assert_eq!(read(&store).await.lease(), None);
}

async fn put(store: &Shared, version: Option<Version>, data: &'static [u8]) {
    let mut item = Item::new(version, START_MS / 1000 + 60);
    item.data = data.into();
    let id = "shop/main/orders/0".into();
    let swap = Swap::new(id, Expect::Absent, Change::Put(item));
    store.swap(&swap).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_a_ledger_that_cannot_be_read_only_the_whole_is_forgotten() {
    let store = Shared::default();
    let owner = "later".into();
    put(&store, Some(Version { owner, seq: 1 }), &[2, 0]).await;

    let state = read(&store).await;
    let part = state.forget(&store, 0.., START_MS).await;
    let whole = state.forget(&store, .., START_MS).await;

    assert!(state.unreadable().unwrap().contains("format 2"));
    assert_eq!(ranges(&state), Vec::<String>::new());
    assert!(matches!(part, Err(ForgetError::Unreadable(_))), "{part:?}");
    assert!(whole.is_ok(), "{whole:?}");
}

#[tokio::test(start_paused = true)]
async fn an_item_without_a_version_is_not_touched() {
    let store = Shared::default();
    put(&store, None, &[]).await;

    let forgotten = read(&store).await.forget(&store, .., START_MS).await;

    assert!(
        matches!(forgotten, Err(ForgetError::NoVersion)),
        "{forgotten:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again() {
    for whole in [true, false] {
        let store = Shared::default();
        run(&store, &[7, 7]).await;

        store.next_meet([Meets::LostAnswer, Meets::Nothing, Meets::LostAnswer]);
        let state = read(&store).await;
        let forgotten = match whole {
            true => state.forget(&store, .., START_MS).await,
            false => state.forget(&store, 10..11, START_MS).await,
        };

        assert!(forgotten.is_ok(), "{whole}: {forgotten:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_will_not_pass_is_told_at_once() {
    let store = Shared::default();
    run(&store, &[7]).await;
    let at = TopicPartition::new("orders", 0);
    let known = read(&store).await;

    store.meets(|_, _| Meets::Refusal);
    let state = PartitionState::read(&store, "shop", "main", &at).await;
    let forgotten = known.forget(&store, .., START_MS).await;

    assert_eq!(state.unwrap_err().to_string(), "no such table");
    assert!(
        matches!(forgotten, Err(ForgetError::Store(_))),
        "{forgotten:?}"
    );
}
