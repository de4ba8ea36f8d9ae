//! Typed payloads from end to end: Confluent's and Glue's own serializers write with a real registry, the mapping reads the real topic, and the functions post what they have read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::broker::{bootstrap, delete, topic, topic_as_named};
use crate::support::build::{cargo_msk, payloads, typed};
use crate::support::ends;
use crate::support::posts::{Place, Posts};
use crate::support::registry::Registry;

/// Topics whose names `examples/typed` has.
const PROTOBUF: &str = "orders-protobuf";
const JSON: &str = "orders-json-schema";

/// The exit code of a run in which records were rejected, and no worse has happened to any.
const REJECTED: i32 = 3;

/// What has to come of the records that the serializers have written.
struct Produced {
    posted: BTreeMap<Place, Value>,
    /// The codes of the others.
    rejected: BTreeMap<Place, String>,
}

async fn produced(arguments: &[&str]) -> Produced {
    let python = std::env::var("SERIALIZERS_PYTHON")
        .expect("SERIALIZERS_PYTHON: make test-services sets it");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/services/serializers/produce.py"
    );
    let run = Command::new(python)
        .args([script, &bootstrap()])
        .args(arguments)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = ends(run).await.unwrap();
    assert!(output.status.success(), "{arguments:?}");
    let mut produced = Produced {
        posted: BTreeMap::new(),
        rejected: BTreeMap::new(),
    };
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        match line["code"].as_str() {
            None => {
                let value = line["posted"].clone();
                produced.posted.insert(place(&line), value);
            }
            Some(code) => {
                produced.rejected.insert(place(&line), code.to_owned());
            }
        }
    }
    produced
}

fn place(record: &Value) -> Place {
    let topic = record["topic"].as_str().unwrap().to_owned();
    let number = |name: &str| record[name].as_i64().unwrap();
    (topic, number("partition"), number("offset"))
}

/// `cargo msk dev` over topics; the first one's name is the group's.
struct Dev {
    command: Command,
    dead_letters: PathBuf,
}

impl Dev {
    fn new(function: &Path, topics: &[&str], posts: &Posts, batch_size: usize) -> Self {
        let file = format!("lambda-msk-{}.ndjson", topics[0]);
        let dead_letters = std::env::temp_dir().join(file);
        let mut command = Command::new(cargo_msk());
        command
            .args(["dev", "--bootstrap", &bootstrap(), "--group", topics[0]])
            .args(["--json", "--batch-size", &batch_size.to_string()])
            // A batch that is full does not wait so long.
            .args(["--maximum-batching-window-in-seconds", "1"])
            .args(["--function-response-types", "ReportBatchItemFailures"])
            .args(topics.iter().flat_map(|topic| ["--topic", topic]))
            .arg("--function")
            .arg(function)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let destination = format!("file:{}", dead_letters.display());
        Self {
            command,
            dead_letters,
        }
        .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
        .env("LAMBDA_MSK_ON_FAILURE", &destination)
        .env("FULFILMENT_URL", posts.url())
    }

    /// `examples/typed`. The first topic is the one with Avro.
    fn typed(topics: &[&str], posts: &Posts, registry: &str, batch_size: usize) -> Self {
        Self::new(&typed(), topics, posts, batch_size)
            .env("TOPIC", topics[0])
            .env("LAMBDA_MSK_SCHEMA_REGISTRY", registry)
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.command.args(["--env", &format!("{name}={value}")]);
        self
    }

    fn start(mut self) -> Running {
        let mut process = self.command.spawn().unwrap();
        let stdout = process.stdout.take().unwrap();
        Running {
            process,
            lines: BufReader::new(stdout).lines(),
            dead_letters: self.dead_letters,
        }
    }

    /// Runs until all is settled.
    async fn once(mut self) -> Ended {
        self.command.arg("--once");
        ends(self.start().ended()).await
    }
}

struct Running {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    dead_letters: PathBuf,
}

struct Ended {
    code: Option<i32>,
    /// How many invocations were answered.
    answered: usize,
    /// The codes of the records that were rejected.
    rejected: BTreeMap<Place, String>,
}

impl Running {
    async fn next(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Waits for an invocation of which some records come again.
    async fn some_again(&mut self) {
        while let Some(line) = self.next().await {
            if line["event"] == "answered" && line["verdict"] == "some-again" {
                return;
            }
        }
        panic!("no record comes again");
    }

    /// Ends it as Ctrl-C does.
    async fn stop(self) -> Ended {
        let id = i32::try_from(self.process.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
        ends(self.ended()).await
    }

    async fn ended(mut self) -> Ended {
        let mut answered = 0;
        while let Some(line) = self.next().await {
            answered += usize::from(line["event"] == "answered");
        }
        let status = self.process.wait().await.unwrap();
        let letters = std::fs::read_to_string(&self.dead_letters).unwrap_or_default();
        let _ = std::fs::remove_file(&self.dead_letters);
        let letters = letters.lines().map(|letter| {
            let letter: Value = serde_json::from_str(letter).unwrap();
            let records = letter["payload"]["records"].as_object().unwrap();
            let record = &records.values().next().unwrap()[0];
            let code = letter["failure"]["code"].as_str().unwrap();
            (place(record), code.to_owned())
        });
        Ended {
            code: status.code(),
            answered,
            rejected: letters.collect(),
        }
    }
}

/// Fails unless every schema was asked for once: so many.
fn assert_once_each(registry: &Registry, schemas: usize) {
    let answered = registry.answered();
    assert_eq!(answered.len(), schemas, "{answered:?}");
    assert!(answered.values().all(|times| *times == 1), "{answered:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a registry: make test-services"]
async fn every_order_of_the_serializers_reaches_the_service_as_it_was_or_is_rejected() {
    let avro = topic(&bootstrap(), "orders-avro", 1).await;
    for name in [PROTOBUF, JSON] {
        topic_as_named(&bootstrap(), name, 1, &[]).await;
    }
    let produced = produced(&["orders", &avro, PROTOBUF, JSON]).await;
    let (registry, posts) = (Registry::start().await, Posts::start().await);

    let dev = Dev::typed(&[&avro, PROTOBUF, JSON], &posts, &registry.url(), 100);
    let ended = dev.once().await;

    // Another run on this broker makes them again.
    for name in [PROTOBUF, JSON] {
        delete(&bootstrap(), name).await;
    }
    assert_eq!(posts.each_once(), produced.posted);
    assert_eq!(ended.rejected, produced.rejected);
    assert_eq!(ended.code, Some(REJECTED));
    // Ten ids, four GUIDs, and three schemas that others refer to.
    assert_once_each(&registry, 17);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a registry: make test-services"]
async fn keys_and_values_with_schemas_are_read_and_a_tombstone_is_none() {
    let avro = topic(&bootstrap(), "keys-avro", 1).await;
    let protobuf = topic(&bootstrap(), "keys-protobuf", 1).await;
    let produced = produced(&["keys", &avro, &protobuf]).await;
    let (registry, posts) = (Registry::start().await, Posts::start().await);

    for (topic, format) in [(&avro, "avro"), (&protobuf, "protobuf")] {
        let dev = Dev::new(&payloads(), &[topic], &posts, 100)
            .env("PAYLOADS", format)
            .env("LAMBDA_MSK_SCHEMA_REGISTRY", &registry.url());
        assert_eq!(dev.once().await.code, Some(0));
    }

    assert_eq!(posts.each_once(), produced.posted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and Glue: make test-services"]
async fn every_order_behind_glues_frame_reaches_the_service_compressed_or_not() {
    let topic = topic(&bootstrap(), "glue", 1).await;
    let registry = format!("registry-of-{topic}");
    let produced = produced(&["glue", &topic, &registry]).await;
    let posts = Posts::start().await;

    let arn = format!("arn:aws:glue:eu-central-1:123456789012:registry/{registry}");
    let ended = Dev::typed(&[&topic], &posts, &arn, 100).once().await;

    assert_eq!(posts.each_once(), produced.posted);
    assert_eq!(ended.rejected, produced.rejected);
    assert_eq!(ended.code, Some(REJECTED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a registry: make test-services"]
async fn a_process_asks_for_each_schema_once_in_all_its_batches() {
    let topic = topic(&bootstrap(), "writers", 1).await;
    let produced = produced(&["writers", &topic, "5", "200", "1"]).await;
    let (registry, posts) = (Registry::start().await, Posts::start().await);

    let dev = Dev::typed(&[&topic], &posts, &registry.url(), 20);
    let ended = dev.once().await;

    assert_eq!(posts.each_once(), produced.posted);
    // A partition has one batch under way: one process has them all.
    assert!(ended.answered >= 10, "{}", ended.answered);
    assert_once_each(&registry, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a registry: make test-services"]
async fn a_registry_that_is_killed_within_a_batch_costs_a_redelivery_and_no_record() {
    let topic = topic(&bootstrap(), "registry-killed", 6).await;
    let mut expected = produced(&["writers", &topic, "3", "60", "3"]).await.posted;
    let (mut registry, posts) = (Registry::stuck_after(3).await, Posts::start().await);
    let dev = Dev::typed(&[&topic], &posts, &registry.url(), 120);

    let mut running = dev.start();
    ends(posts.taken(60)).await;
    // Three partitions whose schemas are known, and three of new writers.
    expected.extend(produced(&["writers", &topic, "6", "120", "6"]).await.posted);
    ends(registry.holds(3)).await;
    // Those of the known ones, while the others wait for the registry.
    ends(posts.taken(120)).await;
    registry.kill().await;
    ends(running.some_again()).await;
    let before = posts.each_once().len();
    registry.start_again().await;
    ends(posts.taken(180)).await;
    let ended = running.stop().await;

    assert_eq!(before, 120);
    assert_eq!(posts.each_once(), expected);
    // Rejected and not done have codes of their own.
    assert_eq!(ended.code, Some(0));
    assert_once_each(&registry, 6);
}
