//! Idempotency by key on one table with the real Powertools for Python: what either has done, claimed, released or rejected, the other understands.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::Guarantee;
use lambda_msk::idempotency::PerRecord;
use lambda_msk::testing::{Event, Invoke, Invoked, Sample};
use lambda_msk::{Consumer, Failure, Json, Outcome, State};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Powertools, Table};

/// Of both functions: what they do is one.
const PREFIX: &str = "shop";

/// When the framework's tests take place, unless they are told otherwise.
const TESTS_BEGIN_S: i64 = 1_767_225_600;

/// What our handler is to do, and whether it has begun.
#[derive(Clone, Default)]
struct Handler {
    ends: Ends,
    begun: Arc<Notify>,
    goes_on: Arc<Notify>,
}

#[derive(Clone, Copy, Default)]
enum Ends {
    #[default]
    Done,
    Failed,
    Rejected,
    /// Done, once it is told to go on.
    Later,
}

async fn ship(Json(_): Json<Value>, State(handler): State<Handler>) -> Result<(), Failure> {
    handler.begun.notify_one();
    match handler.ends {
        Ends::Done => Ok(()),
        Ends::Failed => Err(Failure::retry("it failed, as it was told")),
        Ends::Rejected => Err(Failure::reject("it refused, as it was told")),
        Ends::Later => {
            handler.goes_on.notified().await;
            Ok(())
        }
    }
}

/// A table, and both who use it.
struct Shop {
    table: Table,
    powertools: Powertools,
    /// How far the machine's clock is ahead of the tests'.
    ahead: SignedDuration,
}

impl Shop {
    async fn open() -> Self {
        let table = Table::create().await;
        let powertools = Powertools::start(&table);
        let begin = Timestamp::from_second(TESTS_BEGIN_S).unwrap();
        let ahead = Timestamp::now().duration_since(begin);
        Self {
            table,
            powertools,
            ahead,
        }
    }

    fn consumer(&self, per_record: PerRecord, handler: Handler, guarantee: Guarantee) -> Consumer {
        let builder = Consumer::builder()
            .state(handler)
            .topic("orders", ship)
            .idempotency(self.table.store())
            .per_record(per_record.key_prefix(PREFIX))
            .guarantee(guarantee)
            .attempts(1)
            .on_failure(MemoryDestination::new());
        builder.build().unwrap()
    }

    async fn invoke(&self, consumer: &Consumer, value: &Value) -> Invoked {
        let event = Event::msk().record(Sample::new("orders", 0).json(value));
        let invoke = Invoke::new(event).clock_ahead(self.ahead);
        Box::pin(invoke.run(consumer)).await
    }

    /// How a record with that value ends here.
    async fn ours(&self, per_record: PerRecord, ends: Ends, value: &Value) -> Outcome {
        let handler = Handler {
            ends,
            ..Handler::default()
        };
        let consumer = self.consumer(per_record, handler, Guarantee::AtLeastOnce);
        self.invoke(&consumer, value).await.outcomes()[0]
    }

    /// What becomes of an order with that value under Powertools.
    fn theirs<const N: usize>(&mut self, value: &Value, with: [(&str, Value); N]) -> Theirs {
        let mut request = json!({
            "prefix": PREFIX, "key": "order_id", "payload": value, "left_ms": 60_000, "returns": {"shipped": true},
        });
        for (name, value) in with {
            request[name] = value;
        }
        let answer = self.powertools.ask(request);
        match (answer["ran"].as_bool().unwrap(), &answer["error"]) {
            (true, _) => Theirs::Ran,
            (false, Value::Null) => Theirs::Known(answer["response"].clone()),
            (false, error) => Theirs::Refused(error.as_str().unwrap().to_owned()),
        }
    }
}

/// What Powertools did with an order.
#[derive(Debug, PartialEq, Eq)]
enum Theirs {
    /// It called its function.
    Ran,
    /// It took it for done, with this result.
    Known(Value),
    /// It raised this.
    Refused(String),
}

fn by_order() -> PerRecord {
    PerRecord::by_json(["/order_id"])
}

fn order(order_id: u64) -> Value {
    json!({"order_id": order_id, "amount_cents": 1250})
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn what_powertools_has_done_is_skipped() {
    let mut shop = Shop::open().await;

    let theirs = shop.theirs(&order(7), []);
    let ours = shop.ours(by_order(), Ends::Done, &order(7)).await;
    let another = shop.ours(by_order(), Ends::Done, &order(8)).await;

    assert_eq!(theirs, Theirs::Ran);
    assert_eq!([ours, another], [Outcome::Skipped, Outcome::Done]);
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn what_is_done_here_powertools_takes_for_done() {
    let mut shop = Shop::open().await;

    let ours = shop.ours(by_order(), Ends::Done, &order(7)).await;

    assert_eq!(ours, Outcome::Done);
    assert_eq!(shop.theirs(&order(7), []), Theirs::Known(Value::Null));
    assert_eq!(shop.theirs(&order(8), []), Theirs::Ran);
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn what_was_rejected_here_powertools_does_not_run() {
    let mut shop = Shop::open().await;

    let ours = shop.ours(by_order(), Ends::Rejected, &order(7)).await;

    let theirs = shop.theirs(&order(7), []);
    assert_eq!(ours, Outcome::Rejected);
    assert_eq!(theirs, Theirs::Known(json!({"lambda_msk": "rejected"})));
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn what_failed_on_either_side_runs_on_the_other() {
    let mut shop = Shop::open().await;

    let ours = shop.ours(by_order(), Ends::Failed, &order(7)).await;
    let theirs = shop.theirs(&order(7), []);
    shop.theirs(&order(8), [("ends", json!("raises"))]);
    let after_theirs = shop.ours(by_order(), Ends::Done, &order(8)).await;

    assert_eq!((ours, theirs), (Outcome::Failed, Theirs::Ran));
    assert_eq!(after_theirs, Outcome::Done);
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_claim_of_powertools_is_waited_for_until_it_says_that_it_is_over() {
    let mut shop = Shop::open().await;
    let left = Duration::from_millis(500);
    let killed = [("ends", json!("killed")), ("left_ms", json!(500))];

    shop.theirs(&order(7), killed);
    let consumer = shop.consumer(by_order(), Handler::default(), Guarantee::AtLeastOnce);
    let ours = shop.invoke(&consumer, &order(7)).await;

    assert_eq!(ours.outcomes(), [Outcome::Done]);
    // Over by its clock, and by one that is behind it as far as is allowed for. Asking took a part of it.
    assert!(ours.elapsed() > left, "{:?}", ours.elapsed());
    assert_eq!(shop.theirs(&order(7), []), Theirs::Known(Value::Null));
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_claim_that_powertools_left_behind_is_not_started_here_at_most_once() {
    let mut shop = Shop::open().await;
    let killed = [("ends", json!("killed")), ("left_ms", json!(500))];

    shop.theirs(&order(7), killed);
    let consumer = shop.consumer(by_order(), Handler::default(), Guarantee::AtMostOnce);
    let ours = shop.invoke(&consumer, &order(7)).await;

    assert_eq!(ours.outcomes(), [Outcome::Rejected]);
    let theirs = shop.theirs(&order(7), []);
    assert_eq!(theirs, Theirs::Known(json!({"lambda_msk": "rejected"})));
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn what_runs_here_powertools_takes_for_in_progress() {
    let mut shop = Shop::open().await;
    for guarantee in [Guarantee::AtLeastOnce, Guarantee::AtMostOnce] {
        let value = order(guarantee as u64);
        let handler = Handler {
            ends: Ends::Later,
            ..Handler::default()
        };
        let consumer = shop.consumer(by_order(), handler.clone(), guarantee);
        let event = Event::msk().record(Sample::new("orders", 0).json(&value));
        let ours = Invoke::new(event).clock_ahead(shop.ahead);

        let while_it_runs = async {
            handler.begun.notified().await;
            let theirs = shop.theirs(&value, []);
            handler.goes_on.notify_one();
            theirs
        };
        let (ours, theirs) = tokio::join!(Box::pin(ours.run(&consumer)), while_it_runs);

        let in_progress = Theirs::Refused("IdempotencyAlreadyInProgressError".to_owned());
        assert_eq!(theirs, in_progress);
        assert_eq!(ours.outcomes(), [Outcome::Done]);
        assert_eq!(shop.theirs(&value, []), Theirs::Known(Value::Null));
    }
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_mark_of_at_most_once_that_nobody_settles_is_never_taken_by_powertools() {
    let mut shop = Shop::open().await;
    let handler = Handler {
        ends: Ends::Later,
        ..Handler::default()
    };
    let consumer = shop.consumer(by_order(), handler.clone(), Guarantee::AtMostOnce);

    // Dropped while its handler runs: as good as killed.
    let value = order(7);
    tokio::select! {
        _ = shop.invoke(&consumer, &value) => panic!("nothing told it to go on"),
        () = handler.begun.notified() => {}
    }

    let in_progress = Theirs::Refused("IdempotencyAlreadyInProgressError".to_owned());
    assert_eq!(shop.theirs(&value, []), in_progress);
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn another_payload_under_the_same_key_is_refused_on_both_sides() {
    let mut shop = Shop::open().await;
    let by_amount = || by_order().validate_fields(["/amount_cents"]);
    let validate = || [("validate", json!("amount_cents"))];
    let dearer = |order_id| json!({"order_id": order_id, "amount_cents": 9_900});

    shop.theirs(&order(7), validate());
    let same = shop.ours(by_amount(), Ends::Done, &order(7)).await;
    let other = shop.ours(by_amount(), Ends::Done, &dearer(7)).await;
    shop.ours(by_amount(), Ends::Done, &order(8)).await;
    let their_same = shop.theirs(&order(8), validate());
    let their_other = shop.theirs(&dearer(8), validate());

    assert_eq!([same, other], [Outcome::Skipped, Outcome::Rejected]);
    assert_eq!(their_same, Theirs::Known(Value::Null));
    let refused = Theirs::Refused("IdempotencyValidationError".to_owned());
    assert_eq!(their_other, refused);
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn the_whole_payload_is_compared_as_powertools_compares_it() {
    let mut shop = Shop::open().await;
    let whole = || by_order().validate_payload();
    let value = json!({"order_id": 7, "note": "k\u{e4}se \u{1f600}", "amounts": [1, 2.5, 1e16, -0.0, null], "z": {"b": 1, "a": ""}});

    shop.theirs(&value, [("validate", json!("@"))]);
    let ours = shop.ours(whole(), Ends::Done, &value).await;

    assert_eq!(ours, Outcome::Skipped);
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn the_same_order_has_the_same_key_on_both_sides_whatever_its_key_is() {
    let mut shop = Shop::open().await;
    for key in [
        json!("order-7"),
        json!("k\u{e4}se \u{20ac} \u{1f600} \u{7f}"),
        json!("a\"b\\c/d\n\u{0}\u{8}"),
        json!(42),
        json!(-1),
        json!(u64::MAX),
        json!(1.0),
        json!(0.1),
        json!(1e16),
        json!(1.5e-7),
        json!(123_456_789.125),
        json!(f64::MIN_POSITIVE),
        json!(f64::MAX),
        json!(true),
        json!([1, "a", null, [2.5]]),
        json!({"\u{e4}": 1, "z": {"y": [], "x": {}}, "\u{1f600}": 4, "\u{ffff}": 5}),
    ] {
        let value = json!({"order_id": key, "customer": {"id": "c-1"}});
        let pair = || PerRecord::by_json(["/order_id", "/customer/id"]);

        let theirs = shop.theirs(&value, []);
        let theirs_by_pair = shop.theirs(&value, [("key", json!("[order_id, customer.id]"))]);
        let ours = shop.ours(by_order(), Ends::Done, &value).await;
        let ours_by_pair = shop.ours(pair(), Ends::Done, &value).await;

        assert_eq!(
            [theirs, theirs_by_pair],
            [Theirs::Ran, Theirs::Ran],
            "{key}"
        );
        assert_eq!([ours, ours_by_pair], [Outcome::Skipped; 2], "{key}");
    }
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn an_order_without_the_key_runs_unguarded_there_and_is_rejected_here() {
    let mut shop = Shop::open().await;
    for value in [
        json!({}),
        json!({"order_id": null}),
        json!({"order_id": ""}),
        json!({"order_id": []}),
    ] {
        let theirs = [shop.theirs(&value, []), shop.theirs(&value, [])];
        let ours = shop.ours(by_order(), Ends::Done, &value).await;

        assert_eq!(theirs, [Theirs::Ran, Theirs::Ran], "{value}");
        assert_eq!(ours, Outcome::Rejected, "{value}");
    }
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn what_has_expired_runs_again_here() {
    let mut shop = Shop::open().await;

    // Long enough ago for any clock.
    shop.theirs(&order(7), [("expires_s", json!(-60))]);
    let ours = shop.ours(by_order(), Ends::Done, &order(7)).await;

    assert_eq!(ours, Outcome::Done);
}
