//! Poison records through the real function to each kind of destination, whose server is killed in the middle and started again: every record
//! is at the destination, or listed in the answer. `make letters` runs it with ten thousand records.
//!
//! ElasticMQ and moto hold everything in memory, so that a kill takes what they had confirmed. What counts is what they confirmed: a proxy between
//! them and the function notes that, before and after the kill, and loses some answers after the server has done what it was asked. So that the
//! proxy is no more than a witness, the servers are asked how much they hold, before the kill and at the end. Kafka has a disk: its topic is read at the end.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use lambda_msk::testing::{Event, Sample};
use msk_kafka::{Cluster, Reader};
use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::support::aws::{Aws, all_of};
use crate::support::broker::{Broker, topic};
use crate::support::build::handler;
use crate::support::proxy::{Confirmed, Proxy};
use crate::support::server::{Kind, Server};

/// What Lambda hands out at most unless the mapping says otherwise.
const BATCH: usize = 100;
const PARTITIONS: usize = 4;
/// Enough for a batch, and not long to wait for where no server is.
const TIME_GIVEN: Duration = Duration::from_secs(4);
/// Answers that are lost after the server has done what it was asked.
const LOST: usize = 3;
/// Between two queues of a topic.
const ROOM_BATCHES: usize = 4;
/// A run of a thousand takes about fifteen seconds; `make letters` waits as long as it needs.
const ENDS_PER_THOUSAND: Duration = Duration::from_secs(120);

/// A record, by its partition and offset.
type Place = (usize, usize);

fn records() -> usize {
    std::env::var("LETTERS").map_or(1_000, |letters| letters.parse().unwrap())
}

fn name((partition, offset): Place) -> String {
    format!("orders-{partition}@{offset}")
}

/// The records that an answer lists.
fn listed(answer: &[u8]) -> BTreeSet<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let items = failures.iter().map(|it| &it["itemIdentifier"]);
    items
        .map(|it| format!("{}@{}", it["partition"].as_str().unwrap(), it["offset"]))
        .collect()
}

/// The function, and the records that are not settled yet.
struct Deliveries {
    environment: Environment,
    open: VecDeque<Place>,
    /// All that an answer did not list.
    settled: BTreeSet<String>,
}

impl Deliveries {
    fn new(on_failure: &str, endpoint: &str) -> Self {
        let mut function = Function::new(handler())
            .env("AWS_LAMBDA_LOG_LEVEL", "FATAL")
            .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
            .env("LAMBDA_MSK_ON_FAILURE", on_failure)
            .logs(Logs::Discard);
        for variable in [
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_SQS",
            "AWS_ENDPOINT_URL_SNS",
            "AWS_ENDPOINT_URL_S3",
        ] {
            function = function.env(variable, endpoint);
        }
        let places = (0..records()).map(|number| (number % PARTITIONS, number / PARTITIONS));
        Self {
            environment: Environment::new(function),
            open: places.collect(),
            settled: BTreeSet::new(),
        }
    }

    /// Delivers the next batch. Answers with how many records the answer lists: they come again.
    async fn deliver(&mut self) -> usize {
        let next = self.open.len().min(BATCH);
        let batch: Vec<Place> = self.open.drain(..next).collect();
        let sample = |(partition, offset): &Place| {
            Sample::new("orders", i32::try_from(*partition).unwrap())
                .offset(i64::try_from(*offset).unwrap())
                .value(format!("no order {offset}"))
        };
        let event = Event::msk().records(batch.iter().map(sample)).to_json();
        let invocation = Invocation::new(event, TIME_GIVEN);
        let report = self.environment.invoke(&invocation).await.unwrap();
        let listed: BTreeSet<String> = match report.ending {
            Ending::Response(answer) => listed(&answer),
            // On a busy machine: then Lambda delivers the whole batch again.
            Ending::TimedOut { .. } => batch.iter().copied().map(name).collect(),
            other => panic!("{other:?}"),
        };
        for place in batch.into_iter().rev() {
            if listed.contains(&name(place)) {
                self.open.push_front(place);
            } else {
                self.settled.insert(name(place));
            }
        }
        listed.len()
    }

    /// Delivers until so many records are settled.
    async fn until(&mut self, settled: usize) {
        while self.settled.len() < settled {
            self.deliver().await;
        }
    }
}

/// A destination in AWS.
#[derive(Clone, Copy, Debug)]
enum To {
    Queue,
    Notification,
    Bucket,
}

impl To {
    /// Makes it, and answers with its address for the function.
    async fn make(self, aws: &Aws) -> String {
        match self {
            Self::Queue => aws.queue("dead", json!({})).await,
            Self::Notification => aws.topic("dead", true).await.0,
            Self::Bucket => {
                aws.bucket("dead").await;
                "s3://dead/letters".to_owned()
            }
        }
    }

    /// How many letters the server holds: that a queue has twice what was sent twice, a bucket once.
    async fn held(self, aws: &Aws) -> usize {
        match self {
            Self::Queue | Self::Notification => {
                let queue = aws.queue("dead", json!({})).await;
                aws.count(&queue).await
            }
            Self::Bucket => aws.keys("dead").await.len(),
        }
    }

    fn held_of(self, confirmed: &[String]) -> usize {
        match self {
            Self::Queue | Self::Notification => confirmed.len(),
            Self::Bucket => confirmed.iter().collect::<BTreeSet<_>>().len(),
        }
    }

    /// Requests of one batch.
    fn requests(self) -> usize {
        match self {
            Self::Queue | Self::Notification => BATCH / 10,
            Self::Bucket => BATCH,
        }
    }

    /// The records whose letters an answer confirms.
    fn names(self, confirmed: &Confirmed<'_>) -> Vec<String> {
        match self {
            Self::Queue => of_queue(confirmed),
            Self::Notification => of_topic(confirmed),
            Self::Bucket => of_bucket(confirmed),
        }
    }
}

/// What a server has taken since it started.
struct Held<'a> {
    to: To,
    aws: &'a Aws,
    /// In queues that are gone.
    before: usize,
    batches: usize,
}

impl<'a> Held<'a> {
    fn new(to: To, aws: &'a Aws) -> Self {
        Self {
            to,
            aws,
            before: 0,
            batches: 0,
        }
    }

    /// As [`Deliveries::until`].
    async fn until(&mut self, deliveries: &mut Deliveries, settled: usize) {
        while deliveries.settled.len() < settled {
            // Where a record was left, a request of its batch may still be under way.
            if deliveries.deliver().await == 0 {
                self.make_room().await;
            }
        }
    }

    /// moto's topics become slower with each message that their queue holds, so it gets a new one now and then.
    async fn make_room(&mut self) {
        self.batches += 1;
        if let To::Notification = self.to
            && self.batches.is_multiple_of(ROOM_BATCHES)
        {
            self.before += self.to.held(self.aws).await;
            let queue = self.aws.queue("dead", json!({})).await;
            self.aws.delete_queue(&queue).await;
            self.to.make(self.aws).await;
        }
    }

    async fn all(&self) -> usize {
        self.before + self.to.held(self.aws).await
    }
}

fn of_queue(confirmed: &Confirmed<'_>) -> Vec<String> {
    let [asked, answer] = [confirmed.asked, confirmed.answer]
        .map(|body| serde_json::from_slice::<Value>(body).unwrap_or_default());
    let entries = asked["Entries"].as_array().into_iter().flatten();
    let successful = answer["Successful"].as_array().into_iter().flatten();
    let ids: BTreeSet<&str> = successful.map(|it| it["Id"].as_str().unwrap()).collect();
    entries
        .filter(|entry| ids.contains(entry["Id"].as_str().unwrap()))
        .filter_map(|entry| entry["MessageBody"].as_str())
        .map(of_envelope)
        .collect()
}

fn of_topic(confirmed: &Confirmed<'_>) -> Vec<String> {
    let answer = String::from_utf8_lossy(confirmed.answer);
    let successful = all_of(&answer, "Successful").join("");
    let ids = all_of(&successful, "Id");
    let asked = String::from_utf8_lossy(confirmed.asked);
    let fields: Vec<(&str, String)> = asked
        .split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name, decoded(value)))
        .collect();
    let messages = fields.iter().filter(|(name, _)| name.ends_with(".Message"));
    let confirmed = messages.filter(|(name, _)| {
        let id = name.replace(".Message", ".Id");
        fields
            .iter()
            .any(|(name, value)| *name == id && ids.contains(value))
    });
    confirmed.map(|(_, message)| of_envelope(message)).collect()
}

/// A value of a form.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

fn of_envelope(envelope: &str) -> String {
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    let records = envelope["payload"]["records"].as_object().unwrap();
    let (partition, records) = records.iter().next().unwrap();
    format!("{partition}@{}", records[0]["offset"])
}

/// `/dead/letters/TOPIC/PARTITION/OFFSET-TIMESTAMP.json`: written, or looked at where an answer was lost, and found.
fn of_bucket(confirmed: &Confirmed<'_>) -> Vec<String> {
    let mut parts = confirmed.path.rsplit('/');
    let (file, partition) = (parts.next().unwrap(), parts.next().unwrap());
    match file.strip_suffix(".json") {
        Some(file) => {
            let offset = file.split('-').next().unwrap();
            vec![format!("orders-{partition}@{offset}")]
        }
        None => Vec::new(),
    }
}

/// Answers with how many letters were sent twice.
async fn lose(kind: Kind, to: To) -> usize {
    let mut server = Server::start(kind).await;
    let aws = Aws::at(&server.address());
    let proxy = Proxy::start(server.address(), move |confirmed| to.names(confirmed)).await;
    // A queue's own address leads to its server.
    let address = to.make(&aws).await.replace(aws.endpoint(), &proxy.url());
    let mut deliveries = Deliveries::new(&address, &proxy.url());
    let confirmed = || proxy.confirmed().into_iter().collect::<BTreeSet<String>>();

    // Answers are lost, and the server is a witness for the proxy.
    proxy.lose(LOST);
    let mut held = Held::new(to, &aws);
    held.until(&mut deliveries, records() / 3).await;
    assert!(proxy.has_lost_all());
    assert!(deliveries.settled.is_subset(&confirmed()));
    assert_eq!(held.all().await, to.held_of(&proxy.confirmed()));

    // It is killed while a batch is on its way, and is away for another one.
    proxy.hold_after(to.requests() / 2);
    let kill = async {
        proxy.holds().await;
        server.kill();
        proxy.release();
    };
    let (listed, ()) = tokio::join!(deliveries.deliver(), kill);
    assert!(listed > 0, "the kill was not felt");
    assert!(deliveries.settled.is_subset(&confirmed()));
    assert_eq!(deliveries.deliver().await, BATCH);

    server.start_again().await;
    to.make(&aws).await;
    let before = proxy.confirmed().len();
    let mut held = Held::new(to, &aws);
    held.until(&mut deliveries, records()).await;
    assert_eq!(deliveries.settled.len(), records());
    assert!(deliveries.settled.is_subset(&confirmed()));
    let after = &proxy.confirmed()[before..];
    assert_eq!(held.all().await, to.held_of(after));
    proxy.confirmed().len() - confirmed().len()
}

/// In time, also on a busy machine.
async fn in_time(run: impl Future<Output = usize>) -> usize {
    // Building it is none of the run's time.
    tokio::task::spawn_blocking(handler).await.unwrap();
    let thousands = u32::try_from(records().div_ceil(1_000)).unwrap();
    let run = timeout(ENDS_PER_THOUSAND * thousands, Box::pin(run));
    run.await.expect("the run does not end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ElasticMQ: make test-services"]
async fn every_letter_is_in_the_queue_or_listed_whose_server_is_killed() {
    let twice = in_time(lose(Kind::ElasticMq, To::Queue)).await;
    println!("{} letters, {twice} of them twice", records());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs moto: make test-services"]
async fn every_letter_is_published_or_listed_whose_server_is_killed() {
    let twice = in_time(lose(Kind::Moto, To::Notification)).await;
    println!("{} letters, {twice} of them twice", records());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs moto: make test-services"]
async fn every_letter_is_in_the_bucket_or_listed_whose_server_is_killed() {
    let twice = in_time(lose(Kind::Moto, To::Bucket)).await;
    println!("{} letters, {twice} of them twice", records());
}

/// The records whose letters a topic has, with repeats.
async fn letters_of(bootstrap: String, topic: String) -> Vec<String> {
    let read = move || {
        let reader = Reader::new(&Cluster::new(bootstrap), "reader").unwrap();
        let mut letters = Vec::new();
        for partition in reader.partitions(&topic).unwrap() {
            let (first, end) = reader.bounds(&partition).unwrap();
            let each = |record: msk_kafka::record::Record| {
                let header = |name: &str| {
                    let name = format!("__lambda_msk.errors.{name}");
                    let header = record.headers.iter().find(|it| it.name == name);
                    let value = header.unwrap().value.as_deref().unwrap();
                    std::str::from_utf8(value).unwrap().to_owned()
                };
                letters.push(format!(
                    "orders-{}@{}",
                    header("partition"),
                    header("offset")
                ));
                true
            };
            reader.read(&partition, first, end, each).unwrap();
        }
        letters
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Kafka's jars: make test-services"]
async fn every_letter_is_in_the_topic_or_listed_whose_broker_is_killed() {
    let twice = in_time(async {
        let mut broker = Broker::start("lost-broker").await;
        let bootstrap = broker.bootstrap();
        let partitions = i32::try_from(PARTITIONS).unwrap();
        let dead = topic(&bootstrap, "dead", partitions).await;
        let to = format!("kafka://{dead}?bootstrap={bootstrap}");
        let mut deliveries = Deliveries::new(&to, "http://127.0.0.1:9");

        deliveries.until(records() / 3).await;
        // A batch takes some ten milliseconds: the kill comes before, within or behind its writes, and the broker is away for the next one.
        let kill = async {
            sleep(Duration::from_millis(5)).await;
            broker.kill();
        };
        tokio::join!(deliveries.deliver(), kill);
        assert_eq!(deliveries.deliver().await, BATCH);
        broker.start_again().await;
        deliveries.until(records()).await;

        let letters = letters_of(bootstrap, dead).await;
        let different: BTreeSet<String> = letters.iter().cloned().collect();
        assert_eq!(different.len(), records());
        assert!(deliveries.settled == different);
        letters.len() - different.len()
    })
    .await;
    println!("{} letters, {twice} of them twice", records());
}
