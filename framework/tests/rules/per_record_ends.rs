//! By key: how a record ended is on its way to the store before its lane waits for anything else, and whatever becomes of the next one.

use lambda_msk::builder::Builder;
use lambda_msk::destination::{DeadLetter, Destination, SendError};
use lambda_msk::extract::FromRef;
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::failure::Rejection;
use lambda_msk::idempotency::{Guarantee, Swap, WhenStoreFails};
use lambda_msk::testing::{Invoke, Sample, invoke};
use lambda_msk::{Consumer, Json, ProcessingOrder, State};
use serde::{Deserialize, Deserializer};
use tokio::join;
use tokio::time::sleep;

use crate::keyed::{Shop, event, order, work};
use crate::shared_store::{Meets, millis, secs};
use crate::support::{Journal, Lines, causes, code, letters};

/// An extractor that panics for records of that header, in their first so many tries.
struct Fragile;

fn panics(delivery: &Delivery) -> bool {
    let tries = delivery.header("panics").map_or(0, |tries| tries[0] - b'0');
    delivery.attempt() <= u32::from(tries)
}

impl FromRecord<Journal> for Fragile {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &Journal) -> Result<Self, Rejection> {
        assert!(!panics(delivery), "a bug");
        Ok(Self)
    }
}

fn fragile(shop: &Shop) -> Builder<Journal> {
    let handler = async |_: Fragile, record, order, journal| work(record, order, journal).await;
    shop.of(Consumer::builder()
        .state(shop.journal.clone())
        .topic("orders", handler))
}

/// Its extractor panics in the first so many tries.
fn breaking(partition: i32, id: u64, tries: u8) -> Sample {
    order(partition, id, 50).header("panics", tries.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_record_behind_which_an_extractor_panics_is_recorded() {
    let shop = Shop::default();

    let first = fragile(&shop).build().unwrap();
    let first = invoke(&first, event([order(0, 7, 50), breaking(0, 8, 9)])).await;
    let again = invoke(&shop.process(), event([order(1, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&again)], ["DF", "S"]);
    assert_eq!(shop.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_behind_which_a_value_panics_as_it_is_read_is_recorded() {
    struct Sliced;
    impl<'de> Deserialize<'de> for Sliced {
        fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
            let value = serde_json::Value::deserialize(value)?;
            assert!(value["id"] != 8, "a bug");
            Ok(Self)
        }
    }
    let shop = Shop::default();
    let consumer = Consumer::builder()
        .state(shop.journal.clone())
        .topic("orders", async |_: Json<Sliced>| {});
    let consumer = shop.of(consumer).build().unwrap();

    let first = invoke(&consumer, event([order(0, 7, 50), order(0, 8, 50)])).await;
    let again = invoke(&consumer, event([order(1, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&again)], ["DF", "S"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_behind_which_a_state_panics_as_it_is_cloned_is_recorded() {
    struct Pool;
    impl FromRef<Journal> for Pool {
        fn from_ref(journal: &Journal) -> Self {
            journal.write("taken");
            assert!(journal.lines().len() != 2, "the pool is poisoned");
            Self
        }
    }
    let shop = Shop::default();
    let consumer = Consumer::builder()
        .state(shop.journal.clone())
        .topic("orders", async |_: State<Pool>| {});
    let consumer = shop.of(consumer).build().unwrap();

    let first = invoke(&consumer, event([order(0, 7, 50), order(0, 8, 50)])).await;
    let again = invoke(&consumer, event([order(1, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&again)], ["DF", "S"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_extractor_panics_once_is_claimed_for_its_second_try() {
    let shop = Shop::default();
    let first = fragile(&shop).attempts(2).build().unwrap();
    let second = shop.process();
    let long = order(0, 7, 5_000).header("panics", "1");

    let (first, second) = join!(invoke(&first, event([long])), async {
        sleep(secs(1)).await;
        invoke(&second, event([order(1, 7, 5_000)])).await
    });

    assert_eq!([letters(&first), letters(&second)], ["D", "S"]);
    assert_eq!(shop.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_extractor_panics_in_each_try_is_given_back_at_once() {
    let shop = Shop::default();
    let consumer = fragile(&shop).attempts(2).build().unwrap();

    let first = invoke(&consumer, event([breaking(0, 7, 9)])).await;
    let next = invoke(&shop.process(), event([order(0, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&next)], ["F", "D"]);
    assert_eq!(code(&first, 0, 0), "extractor.panicked");
    assert!(next.elapsed() < millis(100), "{:?}", next.elapsed());
}

#[tokio::test(start_paused = true)]
async fn at_most_once_a_record_whose_extractor_panicked_was_not_started() {
    let shop = Shop::default();
    let once =
        |builder: Builder<Journal>| shop.with_destination(builder.guarantee(Guarantee::AtMostOnce));

    let first = invoke(
        &once(fragile(&shop)),
        event([order(0, 6, 50), breaking(0, 7, 9)]),
    )
    .await;
    let next = invoke(
        &once(shop.by_id()),
        event([order(0, 6, 50), order(0, 7, 50)]),
    )
    .await;

    assert_eq!([letters(&first), letters(&next)], ["DF", "SD"]);
    assert_eq!(first.record("orders", 0, 1).attempts, 0);
    assert!(shop.destination.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_letter_of_a_record_that_never_started_says_so() {
    let shop = Shop::default();
    let builder = fragile(&shop)
        .guarantee(Guarantee::AtMostOnce)
        .when_exhausted(lambda_msk::WhenExhausted::Reject)
        .on_failure(shop.destination.clone());
    let consumer = builder.build().unwrap();

    let invoked = invoke(&consumer, event([breaking(0, 7, 9)])).await;

    assert_eq!(letters(&invoked), "R");
    let letter = &shop.destination.letters()[0];
    assert_eq!(letter.attempts(), 0);
    let message = letter.message();
    assert!(
        message.ends_with("(it was tried once, and its handler was not started)"),
        "{message}"
    );
}

/// A destination that confirms after so long.
struct Slow(std::time::Duration);

impl Destination for Slow {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        sleep(self.0).await;
        letters.iter().map(|_| Ok(())).collect()
    }

    fn describe(&self) -> String {
        "slow".to_owned()
    }
}

fn unreadable(partition: i32, id: u64) -> Sample {
    Sample::new("orders", partition).value(format!(r#"{{"id":{id},"ms":"x"}}"#))
}

#[tokio::test(start_paused = true)]
async fn a_record_is_recorded_while_its_lane_waits_for_the_destination() {
    let shop = Shop::default();
    let first = shop.by_id().on_failure(Slow(secs(20))).build().unwrap();
    let second = shop.process();

    let (first, second) = join!(
        invoke(&first, event([order(0, 7, 50), unreadable(0, 8)])),
        async {
            sleep(secs(1)).await;
            invoke(&second, event([order(1, 7, 50)])).await
        }
    );

    assert_eq!([letters(&first), letters(&second)], ["DR", "S"]);
    assert!(second.elapsed() < millis(10), "{:?}", second.elapsed());
    assert_eq!(shop.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_is_recorded_though_the_destination_hangs_until_time_is_up() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Delay(millis(5)));
    let hangs = shop.by_id().on_failure(Slow(secs(9_999))).build().unwrap();

    let first = Invoke::new(event([order(0, 7, 50), unreadable(0, 8)]))
        .time_given(secs(10))
        .run(&hangs)
        .await;
    let again = invoke(&shop.process(), event([order(1, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&again)], ["DF", "S"]);
    assert_eq!(
        causes(&first, 0, 1),
        ("reject.json", "destination.timed_out")
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_is_recorded_while_the_next_one_waits_for_its_key() {
    let shop = Shop::default();
    let (long, waiting, third) = (shop.process(), shop.process(), shop.process());

    let (_, waited, third) = join!(
        invoke(&long, event([order(0, 8, 30_000)])),
        async {
            sleep(millis(10)).await;
            invoke(&waiting, event([order(1, 7, 50), order(1, 8, 50)])).await
        },
        async {
            sleep(secs(1)).await;
            invoke(&third, event([order(2, 7, 50)])).await
        }
    );

    assert_eq!([letters(&waited), letters(&third)], ["DS", "S"]);
    assert!(third.elapsed() < millis(10), "{:?}", third.elapsed());
}

#[tokio::test(start_paused = true)]
async fn neighbours_of_one_key_wait_for_nothing_but_the_store() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Delay(millis(5)));
    let consumer = shop.process();
    let pairs: [Sample; 40] = std::array::from_fn(|at| order(0, at as u64 / 2, 10));

    let invoked = invoke(&consumer, event(pairs)).await;

    assert_eq!(letters(&invoked), "DS".repeat(20));
    // Each pair: the first one's claim, run and end, and the second one's claim.
    assert_eq!(invoked.elapsed(), millis(20 * (5 + 10 + 5 + 5)));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_again_two_records_later_is_known_at_once() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Delay(millis(5)));
    let consumer = shop.process();

    let invoked = invoke(
        &consumer,
        event([
            order(0, 7, 10),
            order(0, 8, 10),
            order(0, 7, 10),
            order(0, 8, 10),
        ]),
    )
    .await;

    assert_eq!(letters(&invoked), "DDSS");
    assert_eq!(invoked.elapsed(), millis(2 * (5 + 10) + 5 + 5));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_another_lane_has_settled_is_known_at_once() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Delay(millis(5)));
    let consumer = shop.process();

    let invoked = invoke(
        &consumer,
        event([order(0, 7, 3_000), order(1, 7, 3_000), order(2, 7, 3_000)]),
    )
    .await;

    assert_eq!(letters(&invoked), "DSS");
    // The others ask once, side by side.
    assert_eq!(invoked.elapsed(), millis(5 + 3_000 + 5 + 5));
    assert_eq!(shop.store.calls().len(), 2 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_another_lane_has_given_back_is_taken_at_once() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Delay(millis(5)));
    let builder = shop.by_id().order(ProcessingOrder::Unordered);
    let consumer = builder.build().unwrap();

    // The first two fail.
    let invoked = invoke(
        &consumer,
        event([
            order(0, 7, 0),
            order(0, 7, 0),
            order(0, 7, 300),
            order(0, 7, 300),
        ]),
    )
    .await;

    assert_eq!(letters(&invoked), "FFDS");
    assert_eq!(invoked.elapsed(), millis(2 * 10 + 5 + 300 + 5 + 5));
}

#[tokio::test(start_paused = true)]
async fn a_lane_waits_for_the_key_of_another_lane_until_time_is_up() {
    let shop = Shop::default();
    let consumer = shop.process();

    let invoked = Invoke::new(event([order(0, 7, 60_000), order(1, 7, 50)]))
        .time_given(secs(5))
        .run(&consumer)
        .await;
    let next = invoke(&shop.process(), event([order(1, 7, 50)])).await;

    assert_eq!([letters(&invoked), letters(&next)], ["FU", "D"]);
    assert_eq!(code(&invoked, 0, 0), "handler.dropped");
    assert!(next.elapsed() < millis(100), "{:?}", next.elapsed());
}

#[tokio::test(start_paused = true)]
async fn lanes_of_one_key_wait_once_for_a_store_that_they_run_without() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Failure);
    let builder = shop.by_id().when_store_fails(WhenStoreFails::Process);
    let consumer = builder.build().unwrap();

    let same: [Sample; 5] = std::array::from_fn(|at| order(at as i32, 7, 50));
    let invoked = invoke(&consumer, event(same)).await;

    assert_eq!(letters(&invoked), "DDDDD");
    assert!(invoked.elapsed() < secs(3), "{:?}", invoked.elapsed());
}

/// What a claim meets whose answers come too late for its handler to start: it is known again when it is nearly over, and cannot be renewed.
fn nearly_over(shop: &Shop) {
    let begun = tokio::time::Instant::now();
    let (mut calls, mut after) = (0, 0);
    shop.store.meets(move |_, _| {
        calls += 1;
        if calls == 1 {
            return Meets::LostAnswer;
        }
        if begun.elapsed() < millis(9_000) {
            return Meets::Failure;
        }
        after += 1;
        // Asked again it is known, and then to be renewed.
        if after == 2 {
            Meets::Refusal
        } else {
            Meets::Nothing
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_too_near_its_end_to_start_is_given_back() {
    let shop = Shop::default();
    nearly_over(&shop);

    let first = invoke(&shop.process(), event([order(0, 7, 50)])).await;
    let next = invoke(&shop.process(), event([order(1, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&next)], ["F", "D"]);
    assert_eq!(code(&first, 0, 0), "idempotency.lost");
    assert!(next.elapsed() < millis(100), "{:?}", next.elapsed());
    assert_eq!(shop.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_most_once_a_claim_that_is_too_near_its_end_to_start_counts_as_not_started() {
    let shop = Shop::default();
    nearly_over(&shop);
    let once = || shop.with_destination(shop.once());

    let first = invoke(&once(), event([order(0, 7, 50)])).await;
    let next = invoke(&once(), event([order(0, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&next)], ["F", "D"]);
    assert!(shop.destination.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_most_once_a_claim_whose_answer_never_came_counts_as_not_started() {
    let shop = Shop::default();
    let is_claim = |swap: Option<&Swap>| format!("{swap:?}").contains("Absent");
    shop.store.meets(move |_, swap| match is_claim(swap) {
        true => Meets::LateAnswer(secs(60)),
        false => Meets::Nothing,
    });
    let once = || shop.with_destination(shop.once());

    let first = Invoke::new(event([order(0, 7, 50)]))
        .time_given(millis(1_000))
        .run(&once())
        .await;
    shop.store.meets(|_, _| Meets::Nothing);
    let next = invoke(&once(), event([order(0, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&next)], ["F", "D"]);
    assert!(shop.destination.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_of_a_claim_that_could_not_be_given_back() {
    let (shop, lines) = (Shop::default(), Lines::default());
    shop.store.next_meet([Meets::Nothing, Meets::Refusal]);
    let _guard = lines.listen();

    let invoked = invoke(&shop.process(), event([order(0, 7, 0)])).await;

    assert_eq!(letters(&invoked), "F");
    // Nothing was settled.
    assert!(
        lines
            .of("settled records may not have been saved")
            .is_empty()
    );
}
