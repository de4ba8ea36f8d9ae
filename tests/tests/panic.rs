//! A handler that panics, as a whole function over the Runtime API: its records fail, its process lives on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use lambda_msk::testing::{Event, Sample};
use lambda_msk::{Consumer, FailureReporting, Key};
use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(20);

async fn ship(Key(order): Key<String>) {
    assert_ne!(order, "cursed", "no such thing");
}

/// This test binary starts itself as the function, so that no other binary has to be built.
#[tokio::test]
#[ignore = "the function that the other test starts"]
async fn the_function() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let consumer = Consumer::builder()
        .topic("orders", ship)
        .failure_reporting(FailureReporting::Partial)
        .build();
    lambda_msk::run(consumer).await.unwrap();
}

#[tokio::test]
async fn a_panic_fails_its_record_and_leaves_the_process() {
    let function = Function::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_function", "--ignored", "--nocapture"])
        .logs(Logs::Discard);
    let mut function = Environment::new(function);
    let order = |partition, key| Sample::new("orders", partition).key(key);
    let cursed = Event::msk()
        .record(order(0, "cursed"))
        .record(order(0, "behind it"))
        .record(order(1, "fine"));
    let fine = Event::msk().record(order(2, "fine"));

    let mut reports = Vec::new();
    for event in [cursed, fine] {
        let invocation = Invocation::new(event.to_json(), TIMEOUT);
        reports.push(function.invoke(&invocation).await.unwrap());
    }
    function.stop().await;

    let listed = |offset| json!({"itemIdentifier": {"partition": "orders-0", "offset": offset}});
    let answers: Vec<Value> = reports
        .iter()
        .map(|report| match &report.ending {
            Ending::Response(body) => serde_json::from_slice(body).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        answers,
        [
            json!({"batchItemFailures": [listed(0), listed(1)]}),
            json!({"batchItemFailures": []}),
        ]
    );
    assert!(reports[1].init.is_none(), "the process was started anew");
}
