//! Letters to a topic that the function may not write: a real broker's ACLs refuse it, and the log names the permission that is missing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use krafka::Kafka;
use krafka::admin::{AclBinding, AclOperation, AclPatternType, AclPermissionType, AclResourceType};
use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::support::broker::{Broker, topic};
use crate::support::build::handler;
use crate::support::ends;

/// All may do what no rule is about.
const AUTHORIZER: &str = "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nallow.everyone.if.no.acl.found=true\n";

/// Takes a right on this topic away from all whom the broker does not know by name, as the function is.
async fn deny(bootstrap: &str, topic: &str, operation: AclOperation) {
    let rule = AclBinding::new(
        AclResourceType::Topic,
        topic,
        "User:ANONYMOUS",
        "*",
        operation,
        AclPermissionType::Deny,
    )
    // As in `secure::share`: what this client calls the literal pattern is another one.
    .with_pattern_type(AclPatternType::Prefixed);
    let client = Kafka::builder(bootstrap).connect().await.unwrap();
    let admin = client.admin();
    let made = admin.create_acls(vec![rule], Default::default()).await;
    let made = made.unwrap();
    assert!(made.iter().all(|(_, made)| made.is_ok()), "{made:?}");
}

/// The answer to a poison record whose letter goes to this topic, and what the function logged.
async fn rejected(bootstrap: &str, topic: &str) -> (Value, String) {
    let log: Arc<Mutex<String>> = Arc::default();
    let lines = Arc::clone(&log);
    let to = format!("kafka://{topic}?bootstrap={bootstrap}");
    let function = Function::new(handler())
        .env("LAMBDA_MSK_ON_FAILURE", to)
        .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
        .logs(Logs::lines(move |line| {
            *lines.lock().unwrap() += &line.text;
        }));
    let mut environment = Environment::new(function);
    let poison = Sample::new("orders", 0).value("no order");
    let event = Event::msk().record(poison).to_json();
    let invocation = Invocation::new(event, Duration::from_secs(20));
    let report = ends(environment.invoke(&invocation)).await.unwrap();
    environment.stop().await;
    let Ending::Response(answer) = report.ending else {
        panic!("{:?}", report.ending);
    };
    let log = log.lock().unwrap().clone();
    (serde_json::from_slice(&answer).unwrap(), log)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Kafka's jars: make test-services"]
async fn a_topic_that_refuses_letters_is_named_with_the_permission_that_is_missing() {
    spawn_blocking(handler).await.unwrap();
    let broker = Broker::start_with("denied", AUTHORIZER).await;
    let bootstrap = broker.bootstrap();

    for (stem, operation) in [
        ("no-write", AclOperation::Write),
        ("no-describe", AclOperation::Describe),
    ] {
        let topic = topic(&bootstrap, stem, 1).await;
        deny(&bootstrap, &topic, operation).await;

        let (answer, log) = rejected(&bootstrap, &topic).await;

        let listed = answer["batchItemFailures"].as_array().unwrap().len();
        assert_eq!(listed, 1, "{answer}");
        for word in [
            &*topic,
            "kafka-cluster:WriteData",
            "ACLs Write and Describe",
        ] {
            assert!(log.contains(word), "{stem}: no `{word}` in {log}");
        }
        assert!(!log.contains("no order"), "the record's bytes are in {log}");
    }
}
