//! Letters of each shape are fed back to the sample function by a redriver that is killed at three points: the service outside gets each order once,
//! those of a partition in order. The function's ledger is a table, which outlives its processes. `make letters` runs it with a thousand letters of each shape.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use msk_kafka::record::{Header, Record};
use msk_kafka::{Cluster, Outgoing, Producer, Reader};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::support::broker::{bootstrap, produce, topic};
use crate::support::build::handler;
use crate::support::ends;
use crate::support::redrive::{list, redrive, start, text};
use crate::support::service::Service;
use crate::support::table::Table;

/// Each shape has the records of so many partitions.
const PARTITIONS: usize = 2;
/// Runs after the kills: one does it, unless the machine is so busy that an orphan still works.
const RUNS_MAX: usize = 5;
const SEED: u64 = 19;
/// Nobody listens there.
const NO_AWS: &str = "http://127.0.0.1:9";
/// Sixty letters of a shape take some ten seconds.
const ENDS_PER_HUNDRED: Duration = Duration::from_secs(240);
/// The function that gave these records up.
const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:shop";

/// Letters of one shape.
fn letters() -> usize {
    std::env::var("LETTERS").map_or(60, |letters| letters.parse::<usize>().unwrap() / 10)
}

/// A topic with the orders of so many shapes, and what stands in it.
async fn orders(stem: &str, shapes: usize) -> (String, Vec<usize>, Vec<Record>) {
    let partitions = i32::try_from(shapes * PARTITIONS).unwrap();
    let topic = topic(&bootstrap(), stem, partitions).await;
    let each = produce(&bootstrap(), &topic, partitions, letters() * shapes, 0).await;
    let all = async {
        loop {
            let asked = topic.clone();
            match spawn_blocking(move || records(&asked)).await.unwrap() {
                Ok(records) => return records,
                // A broker that has just made a topic may not lead each of its partitions yet.
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    };
    let records = ends(all).await;
    (topic, each, records)
}

/// All records of a topic.
fn records(topic: &str) -> Result<Vec<Record>, msk_kafka::Error> {
    let reader = Reader::new(&Cluster::new(bootstrap()), "reader")?;
    let mut records = Vec::new();
    for partition in reader.partitions(topic)? {
        let (first, end) = reader.bounds(&partition)?;
        let each = |record| {
            records.push(record);
            true
        };
        reader.read(&partition, first, end, each)?;
    }
    Ok(records)
}

/// The place of a record's shape among those of its topic.
fn shape(record: &Record) -> usize {
    usize::try_from(record.partition.partition()).unwrap() / PARTITIONS
}

fn event(topic: &str, record: &Record) -> Value {
    let (partition, offset) = (record.partition.partition(), record.offset);
    let value = STANDARD.encode(record.value.as_deref().unwrap());
    json!({
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": bootstrap(),
        "records": {(format!("{topic}-{partition}")): [{
            "topic": topic, "partition": partition, "offset": offset,
            "timestamp": record.timestamp, "timestampType": "CREATE_TIME", "value": value, "headers": [],
        }]},
    })
}

/// A document with this beside what all have.
fn document(more: &Value) -> Value {
    let mut document = json!({
        "requestContext": {"requestId": "r", "functionArn": ARN, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
        "responseContext": null, "version": "1.0", "timestamp": "2026-11-22T08:00:00.123Z",
        "KafkaBatchInfo": {"batchSize": 1, "bootstrapServers": bootstrap(), "payloadSize": 1},
    });
    let more = more.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(more);
    document
}

/// The envelope of lambda-msk.
fn envelope(topic: &str, record: &Record) -> Value {
    let failure = json!({"code": "order.refused", "message": "no", "attempts": 1, "redrives": 0, "idempotencyKey": "k"});
    document(&json!({"failure": failure, "payload": event(topic, record)}))
}

/// Lambda's document for SQS and SNS.
fn coordinates(topic: &str, record: &Record) -> Value {
    let millis = jiff::Timestamp::from_millisecond(record.timestamp).unwrap();
    let (offset, at) = (record.offset.to_string(), format!("{millis:.3}"));
    let span = json!({
        "firstRecordOffset": offset, "lastRecordOffset": offset, "firstRecordTimestamp": at, "lastRecordTimestamp": at,
    });
    let records = json!({(format!("{topic}-{}", record.partition.partition())): span});
    let batch = json!({"batchSize": 1, "bootstrapServers": bootstrap(), "payloadSize": 1, "recordsInfo": records});
    document(&json!({"KafkaBatchInfo": batch}))
}

/// Lambda's document for S3.
fn batch(topic: &str, record: &Record) -> Value {
    document(&json!({"payload": event(topic, record).to_string()}))
}

fn header(name: &str, value: impl Into<Vec<u8>>) -> Header {
    Header {
        name: name.to_owned(),
        value: Some(value.into().into()),
    }
}

/// The headers of a family whose numbers are text.
fn headers(start: &str, topic: &str, record: &Record) -> Vec<Header> {
    let fields = [
        ("topic", topic.to_owned()),
        ("partition", record.partition.partition().to_string()),
        ("offset", record.offset.to_string()),
    ];
    let header = |(name, value)| header(&format!("{start}{name}"), value);
    fields.map(header).into()
}

fn spring(topic: &str, record: &Record) -> Vec<Header> {
    vec![
        header("kafka_dlt-original-topic", topic),
        header(
            "kafka_dlt-original-partition",
            record.partition.partition().to_be_bytes(),
        ),
        header("kafka_dlt-original-offset", record.offset.to_be_bytes()),
        header(
            "kafka_dlt-original-timestamp",
            record.timestamp.to_be_bytes(),
        ),
    ]
}

/// Lambda-msk's own.
fn ours(topic: &str, record: &Record) -> Vec<Header> {
    let mut all = headers("__lambda_msk.errors.", topic, record);
    all.push(header(
        "__lambda_msk.errors.timestamp",
        record.timestamp.to_string(),
    ));
    all.push(header("__lambda_msk.errors.cluster", bootstrap()));
    all.push(header("__lambda_msk.errors.group", "shop"));
    all
}

/// Feeds all letters of a source back, with three kills on the way, and asserts that each order came once and in order.
async fn assert_each_once(from: &str, topic: &str, each: &[usize]) {
    let hundreds = u32::try_from(letters().div_ceil(100)).unwrap();
    let run = timeout(
        ENDS_PER_HUNDRED * hundreds,
        Box::pin(each_once(from, topic, each)),
    );
    run.await.expect("the redrive does not end");
}

async fn each_once(from: &str, topic: &str, each: &[usize]) {
    let (service, table) = (Service::start().await, Table::create().await);
    let to = format!("command:{}", handler().display());
    let env = [
        format!("ORDERS_TOPIC={topic}"),
        format!("FULFILMENT_URL={}", service.url()),
        format!("LAMBDA_MSK_IDEMPOTENCY={}", table.url()),
        "AWS_LAMBDA_LOG_LEVEL=FATAL".to_owned(),
    ];
    let all: usize = each.iter().sum();
    let mut random = fastrand::Rng::with_seed(SEED);

    for kill in 0..3 {
        let point = all * (3 * kill + 1) / 10 + random.usize(..all / 10);
        // It ends by itself where an orphan still has what it asks for.
        while service.log().len() < point {
            let mut run = start(from, NO_AWS, &to, &env, Stdio::null());
            while service.log().len() < point && run.try_wait().unwrap().is_none() {
                sleep(Duration::from_millis(5)).await;
            }
            run.kill().unwrap();
            run.wait().unwrap();
        }
    }
    assert!(
        service.log().len() < all,
        "nothing was left to redrive after the kills"
    );
    let mut ended = redrive(from, NO_AWS, &to, &env).await;
    for _ in 1..RUNS_MAX {
        if ended.status.code() != Some(1) {
            break;
        }
        ended = redrive(from, NO_AWS, &to, &env).await;
    }

    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended));
    assert_eq!(service.assert_all_in_order(each), 0, "some came twice");
    let left = list(from, NO_AWS).await;
    assert_eq!(left["count"], 0, "{left:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a table: make test-services"]
async fn documents_are_redriven_once_and_in_order_by_a_redriver_that_is_killed() {
    spawn_blocking(handler).await.unwrap();
    let shapes = [envelope, coordinates, batch];
    let (topic, each, records) = orders("redriven-documents", shapes.len()).await;
    let line = |record: &Record| shapes[shape(record)](&topic, record).to_string() + "\n";
    let lines: String = records.iter().map(line).collect();
    let path = std::env::temp_dir().join(format!("{topic}.ndjson"));
    std::fs::write(&path, lines).unwrap();

    assert_each_once(&format!("file:{}", path.display()), &topic, &each).await;

    std::fs::remove_file(&path).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a table: make test-services"]
async fn records_are_redriven_once_and_in_order_by_a_redriver_that_is_killed() {
    spawn_blocking(handler).await.unwrap();
    type Of = dyn Fn(&str, &Record) -> Vec<Header>;
    let family =
        |start: &'static str| move |topic: &str, record: &Record| headers(start, topic, record);
    // Lambda's document has no headers.
    let shapes: [&Of; 6] = [
        &|_, _| Vec::new(),
        &ours,
        &spring,
        &family("__connect.errors."),
        &family("__streams.errors."),
        &family("__dlq.errors."),
    ];
    let (topic, each, records) = orders("redriven-records", shapes.len()).await;
    let partitions = i32::try_from(each.len()).unwrap();
    let dead = crate::support::broker::topic(&bootstrap(), "redriven-dead", partitions).await;
    let letter = |record: &Record| {
        let headers = shapes[shape(record)](&topic, record);
        let is_document = headers.is_empty();
        // Lambda's document for Kafka.
        let lambda = || document(&json!({"payload": event(&topic, record)})).to_string();
        let value = match is_document {
            true => lambda().into(),
            false => record.value.clone().unwrap(),
        };
        (headers, value)
    };
    let letters: Vec<_> = records.iter().map(letter).collect();
    let outgoing: Vec<Outgoing<'_>> = records
        .iter()
        .zip(&letters)
        .map(|(record, (headers, value))| {
            let mut outgoing = Outgoing::to(&dead);
            outgoing.partition = Some(record.partition.partition());
            outgoing.value = Some(value);
            outgoing.headers = headers;
            outgoing.timestamp = Some(record.timestamp);
            outgoing
        })
        .collect();
    let producer = Producer::new(&Cluster::new(bootstrap())).unwrap();
    assert_eq!(producer.send(&outgoing).await.unwrap(), letters.len());

    let from = format!("kafka://{dead}?bootstrap={}", bootstrap());
    assert_each_once(&from, &topic, &each).await;
}
