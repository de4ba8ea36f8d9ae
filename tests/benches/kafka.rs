//! How quickly records go from a broker to the sample function and their offsets back, beside a plain rdkafka consumer
//! that does nothing with them. Needs a broker: `make bench-kafka`.

#![allow(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::process::{Command, Stdio};
use std::time::Duration;

use msk_mapping::driver::{Cluster, Outgoing, Producer};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use tests::build_release;
use tokio::time::Instant;

const TOPIC: &str = "orders";
const RECORDS: usize = 100_000;
const BYTES: usize = 500;
const PARTITIONS: i32 = 6;
/// How many records the plain consumer reads between two commits: as many as are in a batch there.
const BATCH: usize = 1_000;
/// What no run takes.
const LIMIT: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() {
    let bootstrap = std::env::var("LAMBDA_MSK_KAFKA").expect("make bench-kafka sets it");
    let _ = build_release(&["-p", "cargo-msk", "--features", "dev"]);
    let _ = build_release(&["-p", "handler", "--no-default-features"]);
    fill(&bootstrap).await;
    // In turns, so that what the machine does beside hits both.
    let mut ratios = Vec::new();
    for round in 0..3 {
        let plain = rate(plain(&bootstrap, round));
        let through = rate(through(&bootstrap, round));
        println!("plain consumer {plain:.0} records/s, cargo msk dev {through:.0} records/s");
        ratios.push(through / plain);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "{RECORDS} records of {BYTES} bytes: the middle ratio is {:.2}",
        ratios[1]
    );
}

#[expect(clippy::cast_precision_loss, reason = "a hundred thousand is exact")]
fn rate(took: Duration) -> f64 {
    RECORDS as f64 / took.as_secs_f64()
}

async fn fill(bootstrap: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .create()
        .unwrap();
    let topic = NewTopic::new(TOPIC, PARTITIONS, TopicReplication::Fixed(1));
    let made = admin.create_topics([&topic], &AdminOptions::new()).await;
    assert_eq!(made.unwrap(), [Ok(TOPIC.to_owned())], "a broker of its own");
    let value = |number: usize| {
        let start = format!(
            r#"{{"order_id":{number},"customer_id":"c-{}","amount_cents":{},"note":"#,
            number % 97,
            number % 10_000
        );
        let padding = BYTES - start.len() - 3;
        format!("{start}\"{}\"}}", "x".repeat(padding))
    };
    let values: Vec<String> = (0..RECORDS).map(value).collect();
    let outgoing = |(number, value): (usize, &'_ String)| {
        assert_eq!(value.len(), BYTES);
        i32::try_from(number).unwrap() % PARTITIONS
    };
    let records: Vec<Outgoing<'_>> = values
        .iter()
        .enumerate()
        .map(|(number, value)| {
            let mut record = Outgoing::to(TOPIC);
            record.partition = Some(outgoing((number, value)));
            record.value = Some(value.as_bytes());
            record
        })
        .collect();
    let producer = Producer::new(&Cluster::new(bootstrap)).unwrap();
    assert_eq!(producer.send(&records).await.unwrap(), RECORDS);
}

/// From the first record to the last, and their offsets committed. The group's start is in it, as it is in the other.
fn plain(bootstrap: &str, round: usize) -> Duration {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", format!("plain-{round}"))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let started = Instant::now();
    consumer.subscribe(&[TOPIC]).unwrap();
    let mut read = 0;
    while read < RECORDS {
        // None: a rebalance was served, or nothing came.
        let Some(message) = consumer.poll(Duration::from_secs(1)) else {
            assert!(started.elapsed() < LIMIT, "only {read} records came");
            continue;
        };
        let message = message.unwrap();
        read += 1;
        if read % BATCH == 0 {
            consumer
                .commit_message(&message, CommitMode::Async)
                .unwrap();
        }
    }
    consumer.commit_consumer_state(CommitMode::Sync).unwrap();
    started.elapsed()
}

/// The command's whole run, from its start to its end.
fn through(bootstrap: &str, round: usize) -> Duration {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "../target".to_owned());
    let started = Instant::now();
    let ended = Command::new(format!("{target}/release/cargo-msk"))
        .args([
            "dev",
            "--bootstrap",
            bootstrap,
            "--topic",
            TOPIC,
            "--once",
            "--json",
        ])
        .args(["--group", &format!("through-{round}")])
        .args(["--batch-size", &BATCH.to_string()])
        .args(["--maximum-batching-window-in-seconds", "0"])
        .args(["--function-response-types", "ReportBatchItemFailures"])
        .args(["--function", &format!("{target}/release/handler")])
        .args(["--env", "LAMBDA_MSK_FAILURE_REPORTING=partial"])
        .args(["--env", "AWS_LAMBDA_LOG_LEVEL=ERROR"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(ended.code(), Some(0));
    started.elapsed()
}
