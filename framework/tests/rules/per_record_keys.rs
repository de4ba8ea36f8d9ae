//! By key: what the key of a record is, how long it is kept, and what is compared beside it.

use std::time::Duration;

use lambda_msk::idempotency::PerRecord;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, IdempotencyKey, State};
use tokio::time::advance;

use crate::keyed::{Shop, event, order, work};
use crate::shared_store::secs;
use crate::support::{Journal, code, letters};

#[tokio::test(start_paused = true)]
async fn a_record_without_its_key_is_rejected() {
    let shop = Shop::default();
    let consumer = shop.with_destination(shop.by_id());
    let samples = [
        Sample::new("orders", 0).value(r#"{"ms":5}"#),
        Sample::new("orders", 0).value(r#"{"id":null,"ms":5}"#),
        Sample::new("orders", 0),
        Sample::new("orders", 0).value("hunter2"),
        order(0, 7, 5),
    ];

    let invoked = invoke(&consumer, event(samples)).await;

    assert_eq!(letters(&invoked), "RRRRD");
    for (at, letter) in shop.destination.letters().iter().enumerate() {
        assert_eq!(code(&invoked, 0, at as i64), "reject.idempotency_key");
        assert!(
            letter.message().ends_with("no idempotency key at `/id`"),
            "{}",
            letter.message()
        );
        assert!(!letter.message().contains("hunter2"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_a_known_key_with_another_payload_is_rejected() {
    let shop = Shop::default();
    let consumer = shop.with_destination(
        shop.by_id()
            .per_record(PerRecord::by_json(["/id"]).validate_payload()),
    );
    let same_otherwise = Sample::new("orders", 0)
        .offset(8)
        .value(r#" { "ms": 50, "id": 7 } "#);

    invoke(&consumer, event([order(0, 7, 50)])).await;
    let same = invoke(&consumer, event([same_otherwise])).await;
    let other = invoke(&consumer, event([order(0, 7, 51).offset(9)])).await;

    assert_eq!([letters(&same), letters(&other)], ["S", "R"]);
    assert_eq!(code(&other, 0, 9), "reject.payload_mismatch");
}

#[tokio::test(start_paused = true)]
async fn only_the_fields_that_are_compared_count() {
    let shop = Shop::default();
    let consumer = shop
        .by_id()
        .per_record(PerRecord::by_json(["/id"]).validate_fields(["/id", "/missing"]))
        .build()
        .unwrap();

    invoke(&consumer, event([order(0, 7, 50)])).await;
    let other = invoke(&consumer, event([order(0, 7, 51).offset(9)])).await;

    assert_eq!(letters(&other), "S");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_forgotten_when_its_time_is_over() {
    let shop = Shop::default();
    let hour = PerRecord::by_json(["/id"]).expires_after(Duration::from_secs(3600));
    let consumer = shop.by_id().per_record(hour).build().unwrap();

    invoke(&consumer, event([order(0, 7, 50)])).await;
    advance(secs(3590)).await;
    let before = invoke(&consumer, event([order(0, 7, 50)])).await;
    advance(secs(15)).await;
    let after = invoke(&consumer, event([order(0, 7, 50)])).await;

    assert_eq!([letters(&before), letters(&after)], ["S", "D"]);
}

#[tokio::test(start_paused = true)]
async fn topics_share_keys_only_under_one_prefix() {
    let prefixed = PerRecord::by_json(["/id"]).key_prefix("shop");
    for (per_record, expected) in [(PerRecord::by_json(["/id"]), "D"), (prefixed, "S")] {
        let shop = Shop::default();
        let consumer = shop.by_id().per_record(per_record).build().unwrap();
        let same = Sample::new("returns", 0).value(r#"{"id":7,"ms":5}"#);

        invoke(&consumer, event([order(0, 7, 5)])).await;
        let other = invoke(&consumer, event([same])).await;

        assert_eq!(letters(&other), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn two_consumers_and_two_clusters_never_share_keys() {
    let shop = Shop::default();
    let named = |name: &str| shop.by_id().namespace(name).build().unwrap();
    let at = |cluster: &str| {
        Event::msk()
            .arn(format!("arn:aws:kafka:eu-west-1:1:cluster/{cluster}/1"))
            .record(order(0, 7, 5))
    };

    invoke(&named("a"), at("a")).await;
    let consumer = invoke(&named("b"), at("a")).await;
    let cluster = invoke(&named("a"), at("b")).await;

    assert_eq!([letters(&consumer), letters(&cluster)], ["D", "D"]);
}

#[tokio::test(start_paused = true)]
async fn the_key_that_is_passed_on_is_that_of_the_content() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            async |key: IdempotencyKey, State(journal): State<Journal>| journal.write(key.as_str()),
        )
        .namespace("shop")
        .cluster("main")
        .idempotency(lambda_msk::Idempotency::None)
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();

    invoke(&consumer, Event::self_managed().record(order(0, 7, 5))).await;
    invoke(
        &consumer,
        Event::self_managed().record(order(3, 7, 9).offset(90)),
    )
    .await;

    // MD5 of `7`.
    let key = "shop/main/orders#8f14e45fceea167a5a36dedd4bea2543";
    assert_eq!(journal.lines(), [key, key]);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_taken_from_the_records_key_a_header_or_by_a_closure() {
    let by_closure = PerRecord::by(|record| Some(format!("{}!", record.topic())));
    let ways = [PerRecord::by_key(), PerRecord::by_header("id"), by_closure];
    for per_record in ways {
        let shop = Shop::default();
        let consumer = shop.by_id().per_record(per_record).build().unwrap();
        let sample = |offset| {
            order(0, offset, 5)
                .offset(offset as i64)
                .key("k")
                .header("id", "h")
        };

        let invoked = invoke(&consumer, event([sample(1), sample(2)])).await;

        assert_eq!(letters(&invoked), "DS");
    }
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_finds_none_or_panics_rejects_its_record() {
    let none = PerRecord::by(|_| None);
    let panics = PerRecord::by(|_| panic!("no key"));
    for per_record in [
        none,
        panics,
        PerRecord::by_key(),
        PerRecord::by_header("id"),
    ] {
        let shop = Shop::default();
        let consumer = shop.with_destination(shop.by_id().per_record(per_record));

        let invoked = invoke(&consumer, event([order(0, 7, 5).key("").header("id", "")])).await;

        assert_eq!(letters(&invoked), "R");
        assert_eq!(code(&invoked, 0, 0), "reject.idempotency_key");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_keys_is_said_when_the_consumer_is_built() {
    for (per_record, said) in [
        (
            PerRecord::by_json(["id"]),
            "expected a JSON pointer, found `id`: write `/id`",
        ),
        (
            PerRecord::by_json::<String>([]),
            "expected a pointer in `by_json`",
        ),
        (
            PerRecord::by_json(["/id"]).validate_fields(["ms"]),
            "expected a JSON pointer, found `ms`: write `/ms`",
        ),
        (
            PerRecord::by_header(""),
            "expected a header's name, found an empty one",
        ),
        (
            PerRecord::by_key().expires_after(Duration::ZERO),
            "expected 1s to",
        ),
        (PerRecord::by_key().key_prefix("a b"), "visible ASCII"),
    ] {
        let fault = Consumer::builder()
            .state(Journal::default())
            .topic("orders", work)
            .per_record(per_record)
            .build()
            .unwrap_err();
        let fault = format!("{fault:?}");
        assert!(
            fault.contains(said) && fault.contains(".per_record(…)"),
            "{fault}"
        );
    }
}
