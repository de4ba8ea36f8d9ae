//! A run of `cargo msk dev`, with all that it said and all that was seen from outside.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::service::{Counts, Service};
use super::topic::{self, InTopic};
use super::{Place, TOPIC};
use crate::support::build::{cargo_msk, counted};

/// The exit code of a run in which records were given up, and no worse has happened to any.
const GIVEN_UP: i32 = 4;
/// How long the destination stays away once it was missed.
const AWAY: Duration = Duration::from_millis(300);

/// What there is after it.
pub(super) struct Run {
    pub(super) lines: Vec<Line>,
    /// The last line of `--json`.
    pub(super) end: Value,
    /// The records of each invocation, by the id of its request.
    pub(super) invoked: BTreeMap<String, Vec<Place>>,
    pub(super) service: Counts,
    pub(super) letters: Vec<(Place, Letter)>,
    /// Lines of records whose letter was not taken.
    pub(super) unsent: u64,
    /// Lines of records that a process misses.
    pub(super) overlooked: u64,
    pub(super) topic: BTreeMap<Place, InTopic>,
}

/// A line of metrics, as the function wrote it.
pub(super) struct Line {
    pub(super) request: String,
    /// Its own time, and when it was read here.
    pub(super) at: i64,
    pub(super) read_at: i64,
    members: Value,
}

pub(super) struct Letter {
    pub(super) at: i64,
    /// By the service.
    pub(super) is_refused: bool,
}

impl Line {
    /// None: it is another line.
    fn of(text: &str) -> Option<Self> {
        let members: Value = serde_json::from_str(text).ok()?;
        let at = members["_aws"]["Timestamp"].as_i64()?;
        assert_eq!(members["Topic"], TOPIC);
        Some(Self {
            request: members["request_id"].as_str().unwrap().to_owned(),
            at,
            read_at: Timestamp::now().as_millisecond(),
            members,
        })
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        self.members[name].as_u64().unwrap()
    }

    /// The number of values of a distribution.
    pub(super) fn values(&self, name: &str) -> u64 {
        let counts = self.members[name]["Counts"].as_array();
        let counts = counts.into_iter().flatten();
        counts.map(|count| count.as_u64().unwrap()).sum()
    }
}

impl Run {
    /// Runs to its end, with a destination that goes away in between.
    pub(super) async fn of(records: usize) -> Self {
        let service = Service::start().await;
        let folder = Folder::new();
        let mut child = folder.dev(&topic::event(records), &service);
        let (begun, missed) = (watch::Sender::new(String::new()), watch::Sender::new(0));
        let said = said(child.stdout.take().unwrap(), begun.clone());
        let logged = logged(child.stderr.take().unwrap(), missed.clone());

        let watching = async {
            let mut begun = begun.subscribe();
            let bootstrap = begun.wait_for(|bootstrap| !bootstrap.is_empty()).await;
            let bootstrap = bootstrap.unwrap().clone();
            let topic = topic::read(&bootstrap, records).await;
            service.open();
            service.accepted(records / 4).await;
            folder.stop();
            let mut missed = missed.subscribe();
            missed.wait_for(|missed| *missed > 0).await.unwrap();
            sleep(AWAY).await;
            folder.start_again();
            topic
        };
        let limit = Duration::from_secs(120 + records as u64 / 100);
        let run = async { tokio::join!(watching, child.wait(), said, logged) };
        let (topic, status, said, logged) = timeout(limit, run).await.expect("it ends");
        let Logged {
            lines,
            unsent,
            overlooked,
        } = logged.unwrap();
        let events = said.unwrap();

        assert_eq!(
            status.unwrap().code(),
            Some(GIVEN_UP),
            "{:?}",
            events.last()
        );
        Self {
            lines,
            invoked: invoked(&events),
            end: events.last().unwrap().clone(),
            service: service.counts(),
            letters: folder.letters(),
            unsent,
            overlooked,
            topic,
        }
    }

    /// A count of the mapping.
    pub(super) fn mapping(&self, name: &str) -> u64 {
        self.end["mappings"][0][name].as_u64().unwrap()
    }
}

/// Standard output: one object a line.
fn said(
    output: impl AsyncRead + Unpin + Send + 'static,
    begun: watch::Sender<String>,
) -> JoinHandle<Vec<Value>> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        let mut events = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == "begun" {
                let bootstrap = event["bootstrapServers"].as_str().unwrap();
                begun.send_replace(bootstrap.to_owned());
            }
            events.push(event);
        }
        events
    })
}

/// What the function wrote.
#[derive(Default)]
struct Logged {
    lines: Vec<Line>,
    unsent: u64,
    overlooked: u64,
}

/// Standard error: the function's lines as it wrote them.
fn logged(
    output: impl AsyncRead + Unpin + Send + 'static,
    missed: watch::Sender<u64>,
) -> JoinHandle<Logged> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        let mut logged = Logged::default();
        while let Some(text) = lines.next_line().await.unwrap() {
            if let Some(line) = Line::of(&text) {
                logged.lines.push(line);
                continue;
            }
            let line: Value = serde_json::from_str(&text).unwrap_or_default();
            let message = line["message"].as_str().unwrap_or_default();
            if message == "record failed" && !line["destination"].is_null() {
                logged.unsent += 1;
                missed.send_replace(logged.unsent);
            }
            let is_missed = message.starts_with("a record that was reported as failed");
            logged.overlooked += u64::from(is_missed);
        }
        logged
    })
}

/// The records of each invocation, by the id of its request.
fn invoked(events: &[Value]) -> BTreeMap<String, Vec<Place>> {
    let mut records: BTreeMap<u64, Vec<Place>> = BTreeMap::new();
    let mut invoked = BTreeMap::new();
    for event in events {
        let Some(invocation) = event["invocation"].as_u64() else {
            continue;
        };
        if event["event"] == "invoking" {
            records.insert(invocation, places(&event["records"]));
        } else if event["event"] == "ended" {
            let request = event["requestId"].as_str().unwrap().to_owned();
            invoked.insert(request, records[&invocation].clone());
        }
    }
    invoked
}

/// Of `{"orders-0": [3, 4]}`.
fn places(records: &Value) -> Vec<Place> {
    let of = |(name, offsets): (&String, &Value)| {
        let (_, partition) = name.rsplit_once('-').unwrap();
        let partition = partition.parse().unwrap();
        let offsets = offsets.as_array().unwrap().iter();
        let places = offsets.map(|offset| (partition, offset.as_i64().unwrap()));
        places.collect::<Vec<Place>>()
    };
    records.as_object().unwrap().iter().flat_map(of).collect()
}

/// The folder of a run, away at its end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new() -> Self {
        let folder =
            Self(std::env::temp_dir().join(format!("lambda-msk-sums-{}", std::process::id())));
        std::fs::create_dir_all(folder.destination()).unwrap();
        folder
    }

    fn destination(&self) -> PathBuf {
        self.0.join("destination")
    }

    /// Nothing can be written there any more.
    fn stop(&self) {
        std::fs::rename(self.destination(), self.0.join("away")).unwrap();
    }

    fn start_again(&self) {
        std::fs::rename(self.0.join("away"), self.destination()).unwrap();
    }

    fn dev(&self, event: &str, service: &Service) -> Child {
        let produced = self.0.join("orders.json");
        std::fs::write(&produced, event).unwrap();
        let letters = self.destination().join("letters.ndjson");
        let env = [
            format!("FULFILMENT_URL={}", service.url()),
            format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display()),
            "LAMBDA_MSK_FAILURE_REPORTING=partial".to_owned(),
            "LAMBDA_MSK_ORDER=key".to_owned(),
        ];
        Command::new(cargo_msk())
            .env_remove("LAMBDA_MSK_METRICS")
            .args(["dev", "--once", "--json", "--logs", "raw"])
            .args(["--topic", TOPIC, "--produce"])
            .arg(produced)
            .args(["--function-response-types", "ReportBatchItemFailures"])
            .args(["--reading", "from-lowest"])
            .args(["--maximum-batching-window-in-seconds", "0"])
            .args(["--maximum-retry-attempts", "2", "--on-failure"])
            .arg(format!("file:{}", self.0.join("given-up.ndjson").display()))
            .arg("--function")
            .arg(counted())
            .args(env.iter().flat_map(|variable| ["--env", variable]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    fn letters(&self) -> Vec<(Place, Letter)> {
        let text = std::fs::read_to_string(self.destination().join("letters.ndjson")).unwrap();
        let mut letters = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let letter: Value = serde_json::from_str(line).unwrap();
            let records = letter["payload"]["records"].as_object().unwrap();
            let record = &records.values().next().unwrap()[0];
            let partition = record["partition"].as_i64().unwrap();
            let place = (
                i32::try_from(partition).unwrap(),
                record["offset"].as_i64().unwrap(),
            );
            let at: Timestamp = letter["timestamp"].as_str().unwrap().parse().unwrap();
            let letter = Letter {
                at: at.as_millisecond(),
                is_refused: letter["failure"]["code"] == "fulfilment.refused",
            };
            letters.push((place, letter));
        }
        letters
    }
}
