//! The example `files-s3` over real Kafka and a real S3 store, killed at seeded points together with its driver: once doubles are left out, each record stands in the files, byte for byte.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use msk_mapping::driver::{Cluster, Outgoing, Producer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::killed::children;
use crate::support::broker::{bootstrap, topic};
use crate::support::bucket::{Bucket, server};
use crate::support::build::{cargo_msk, files_s3};

const RECORDS: usize = 6_000;
const PARTITIONS: usize = 3;
/// 2026-01-01T00:00Z: the records lie on both sides of it.
const MIDNIGHT: i64 = 1_767_225_600_000;
/// About so many files there are: a call has up to 20 records, of two days.
const FILES: usize = 2 * RECORDS / 20;
/// Quiet, it is over in half a minute.
const LIMIT: Duration = Duration::from_secs(300);

/// What was produced: time, key, value.
type Produced = (i64, Option<Vec<u8>>, Option<Vec<u8>>);

/// Bytes of every kind: none, empty, text of all planes, control characters, and what is no UTF-8.
fn bytes(random: &mut fastrand::Rng) -> Option<Vec<u8>> {
    let length = random.usize(0..200);
    match random.u8(0..8) {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some((0..length).map(|_| random.u8(..)).collect()),
        3 => Some(String::from_iter((0..length).map(|_| random.char(..))).into_bytes()),
        _ => Some(format!(r#"{{"order_id":{},"note":"a\nb"}}"#, random.u64(..)).into_bytes()),
    }
}

/// Produces the records of a seed. Answers with them by partition and offset.
async fn produce(topic: &str, random: &mut fastrand::Rng) -> BTreeMap<(i64, i64), Produced> {
    let mut produced = BTreeMap::new();
    let mut next = [0; PARTITIONS];
    for _ in 0..RECORDS {
        let partition = random.usize(0..PARTITIONS);
        // Not in the order of time.
        let time = MIDNIGHT + random.i64(-3_600_000..3_600_000);
        let place = (i64::try_from(partition).unwrap(), next[partition]);
        next[partition] += 1;
        produced.insert(place, (time, bytes(random), bytes(random)));
    }
    let outgoing = produced.iter().map(|((partition, _), (time, key, value))| {
        let mut record = Outgoing::to(topic);
        record.partition = Some(i32::try_from(*partition).unwrap());
        record.timestamp = Some(*time);
        record.key = key.as_deref();
        record.value = value.as_deref();
        record
    });
    let outgoing: Vec<_> = outgoing.collect();
    let producer = Producer::new(&Cluster::new(bootstrap())).unwrap();
    assert_eq!(producer.send(&outgoing).await.unwrap(), RECORDS);
    produced
}

fn drive(topic: &str, bucket: &Bucket, batch_size: usize) -> Child {
    let env = |name: &str, value: &str| ["--env".to_owned(), format!("{name}={value}")];
    Command::new(cargo_msk())
        .args(["dev", "--bootstrap", &bootstrap(), "--topic", topic])
        .args(["--group", topic, "--once", "--json"])
        .args(["--batch-size", &batch_size.to_string()])
        .args(["--maximum-batching-window-in-seconds", "0"])
        .args(["--function-response-types", "ReportBatchItemFailures"])
        .arg("--function")
        .arg(files_s3())
        .args(env("TOPIC", topic))
        .args(env("FILES_S3", &format!("s3://{}/files", bucket.name())))
        .args(env("BULK_RECORDS", "20"))
        .args(env("AWS_ENDPOINT_URL_S3", &server()))
        .args(env("LAMBDA_MSK_FAILURE_REPORTING", "partial"))
        .args(env("AWS_LAMBDA_LOG_LEVEL", "ERROR"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Key or value of a line, as bytes.
fn of_line(line: &Value, field: &str) -> Option<Vec<u8>> {
    let text = line[field].as_str()?;
    Some(match line[format!("{field}_encoding")].as_str() {
        None => text.as_bytes().to_vec(),
        Some("base64") => STANDARD.decode(text).unwrap(),
        Some(other) => panic!("{other}"),
    })
}

/// What was seen, in words.
async fn nothing_is_lost(seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let topic = topic(&bootstrap(), &format!("files-{seed}"), 3).await;
    let produced = produce(&topic, &mut random).await;
    let bucket = Bucket::at(&server()).await;
    let mut points: Vec<usize> = (0..6).map(|_| random.usize(10..FILES - 100)).collect();
    points.sort_unstable();

    let started = Instant::now();
    let mut driver = drive(&topic, &bucket, 100);
    let mut killed = 0;
    for (number, point) in points.iter().enumerate() {
        while bucket.keys().await.len() < *point {
            assert!(started.elapsed() < LIMIT, "seed {seed}: no more files");
            assert_eq!(driver.try_wait().unwrap(), None, "seed {seed}: it ended");
            sleep(Duration::from_millis(5)).await;
        }
        if number % 3 == 2 {
            // Batches of another size: files of the records that come again have other borders.
            driver.kill().unwrap();
            driver.wait().unwrap();
            driver = drive(&topic, &bucket, random.usize(30..300));
            killed += 1;
        } else if let Some(id) = children(driver.id()).first() {
            let gone = kill_process(Pid::from_raw(*id).unwrap(), Signal::KILL);
            killed += usize::from(gone.is_ok());
        }
    }
    let ended = loop {
        if let Some(ended) = driver.try_wait().unwrap() {
            break ended;
        }
        if started.elapsed() > LIMIT {
            driver.kill().unwrap();
            panic!("seed {seed}: not through after {LIMIT:?}");
        }
        sleep(Duration::from_millis(50)).await;
    };

    assert_eq!(ended.code(), Some(0), "seed {seed}");
    let (records, doubles) = bucket.records("files", &topic).await;
    let files = bucket.keys().await.len();
    assert!(killed > 2, "seed {seed}: {killed} kills");
    assert_eq!(records.len(), RECORDS, "seed {seed}");
    for (place, (time, key, value)) in &produced {
        let line = &records[place];
        assert_eq!(line["timestamp"], *time, "seed {seed}: {place:?}");
        assert!(of_line(line, "key") == *key, "seed {seed}: {place:?}");
        assert!(of_line(line, "value") == *value, "seed {seed}: {place:?}");
    }
    format!("seed {seed}: {killed} kills at {points:?}, {doubles} doubles in {files} files")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a bucket: make test-services"]
async fn each_record_is_in_the_files_byte_for_byte_whatever_is_killed() {
    let seed = std::env::var("SEED").map(|seed| seed.parse().unwrap());
    for seed in seed.map_or(vec![1, 2], |seed| vec![seed]) {
        println!("{}", nothing_is_lost(seed).await);
    }
}
