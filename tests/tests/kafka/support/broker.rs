//! A real broker: that of `make test-services`, or one of the test's own, which it may kill.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use msk_mapping::driver::{Cluster, Outgoing, Producer};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tokio::time::{Instant, sleep};

use super::free_port;

/// How long a broker may take to be there: about 3 s on a quiet machine.
const READY: Duration = Duration::from_secs(60);

/// A broker's own settings, in its folder.
const MORE: &str = "more.properties";

/// The broker that runs beside the tests.
pub(crate) fn bootstrap() -> String {
    std::env::var("LAMBDA_MSK_KAFKA").expect("LAMBDA_MSK_KAFKA: make test-services sets it")
}

/// A new topic of this broker, which may have those of earlier runs. Answers with its name.
pub(crate) async fn topic(bootstrap: &str, stem: &str, partitions: i32) -> String {
    topic_with(bootstrap, stem, partitions, &[]).await
}

/// One with settings of its own.
pub(crate) async fn topic_with(
    bootstrap: &str,
    stem: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> String {
    let name = format!("{stem}-{}", std::process::id());
    topic_as_named(bootstrap, &name, partitions, settings).await;
    name
}

/// One of exactly this name.
pub(crate) async fn topic_as_named(
    bootstrap: &str,
    name: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .create()
        .unwrap();
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    for (setting, value) in settings {
        topic = topic.set(setting, value);
    }
    let made = admin
        .create_topics([&topic], &AdminOptions::new())
        .await
        .unwrap();
    assert_eq!(made, [Ok(name.to_owned())]);
    // Made is not yet known everywhere.
    let until = Instant::now() + READY;
    let cluster = Cluster::new(bootstrap);
    loop {
        let (cluster, asked) = (cluster.clone(), name.to_owned());
        let known = tokio::task::spawn_blocking(move || cluster.partitions(&asked)).await;
        if known.unwrap().is_ok() {
            return;
        }
        assert!(Instant::now() < until);
        sleep(Duration::from_millis(50)).await;
    }
}

/// Deletes a topic.
pub(crate) async fn delete(bootstrap: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .create()
        .unwrap();
    let deleted = admin.delete_topics(&[topic], &AdminOptions::new()).await;
    assert_eq!(deleted.unwrap(), [Ok(topic.to_owned())]);
}

/// An order as the sample function takes it, so long.
pub(crate) fn order(number: usize, bytes: usize) -> String {
    let order = format!(
        r#"{{"order_id":{number},"customer_id":"c-{}","amount_cents":{},"note":"""#,
        number % 97,
        number % 10_000
    );
    let order = order.strip_suffix('"').unwrap().to_owned();
    let padding = bytes.saturating_sub(order.len() + 2);
    format!("{order}{}\"}}", "x".repeat(padding))
}

/// Writes so many orders, spread over the partitions in turn. Answers with how many each has.
pub(crate) async fn produce(
    bootstrap: &str,
    topic: &str,
    partitions: i32,
    records: usize,
    bytes: usize,
) -> Vec<usize> {
    let producer = Producer::new(&Cluster::new(bootstrap)).unwrap();
    let orders: Vec<String> = (0..records).map(|number| order(number, bytes)).collect();
    let mut each = vec![0; usize::try_from(partitions).unwrap()];
    let mut outgoing = Vec::new();
    for (number, order) in orders.iter().enumerate() {
        let partition = number % each.len();
        each[partition] += 1;
        let mut record = Outgoing::to(topic);
        record.partition = Some(i32::try_from(partition).unwrap());
        record.value = Some(order.as_bytes());
        outgoing.push(record);
    }
    assert_eq!(producer.send(&outgoing).await.unwrap(), records);
    each
}

/// The values of a topic's only partition, which are JSON.
pub(crate) async fn values(bootstrap: &str, topic: &str) -> Vec<serde_json::Value> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "reader")
        .set("enable.partition.eof", "true")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut from = TopicPartitionList::new();
    let added = from.add_partition_offset(topic, 0, Offset::Beginning);
    added.unwrap();
    consumer.assign(&from).unwrap();
    let read = move || {
        let mut values = Vec::new();
        loop {
            match consumer.poll(Duration::from_secs(10)) {
                Some(Ok(message)) => {
                    values.push(serde_json::from_slice(message.payload().unwrap()).unwrap());
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return values,
                other => panic!("{other:?} after {} values", values.len()),
            }
        }
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// A broker of the test's own: killed and started again it goes on with what it has.
pub(crate) struct Broker {
    folder: PathBuf,
    ports: [u16; 2],
    process: Child,
}

impl Broker {
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_with(name, "").await
    }

    /// One with more settings, which count over those that all have.
    pub(crate) async fn start_with(name: &str, settings: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lambda-msk-{name}-{}", std::process::id()));
        let ports = [free_port(), free_port()];
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(MORE), settings).unwrap();
        let process = spawn(&folder, ports);
        let mut broker = Self {
            folder,
            ports,
            process,
        };
        broker.ready().await;
        broker
    }

    pub(crate) fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// `kill -9`, and started again.
    pub(crate) async fn kill_and_start_again(&mut self) {
        self.kill();
        self.start_again().await;
    }

    /// On its folder and its ports.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(&self.folder, self.ports);
        self.ready().await;
    }

    async fn ready(&mut self) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[0]));
        let until = Instant::now() + READY;
        while TcpStream::connect(address).is_err() {
            assert_eq!(self.process.try_wait().unwrap(), None, "the broker ended");
            assert!(Instant::now() < until, "the broker does not listen");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &Path, [port, controller]: [u16; 2]) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/kafka/broker");
    Command::new(script)
        .arg(folder)
        .args([port.to_string(), controller.to_string()])
        .arg(folder.join(MORE))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
