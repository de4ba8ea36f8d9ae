//! Many senders, and a broker that is killed twice: each confirmed record is there once, in its place.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use krafka::Kafka;
use tokio::sync::Notify;

use super::RecordTopic;
use super::real::{create, read, record};
use crate::address::Security;
use crate::send::{Patience, Progress};

const SENDERS: usize = 64;
const PARTITIONS: i32 = 4;
/// Records of each sender: a few seconds' worth. `LAMBDA_MSK_SOAK_RECORDS=10000` is about a minute's.
const RECORDS: usize = 300;

/// A broker of this test's own, with the jars that `tests/services/run` has fetched.
struct Broker {
    folder: PathBuf,
    port: u16,
    controller: u16,
    process: Child,
}

impl Broker {
    fn start() -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, controller) = (free(), free());
        let port_of = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let (port, controller) = (port_of(&port), port_of(&controller));
        let folder = std::env::temp_dir().join(format!("lambda-msk-soak-{port}"));
        let process = Self::run(&folder, port, controller);
        Self {
            folder,
            port,
            controller,
            process,
        }
    }

    fn run(folder: &Path, port: u16, controller: u16) -> Child {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Command::new(root.join("tests/services/kafka/broker"))
            .arg(folder)
            .args([port.to_string(), controller.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// As `kill -9`, and started again at once.
    fn crash(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = Self::run(&self.folder, self.port, self.controller);
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn connected(address: &str) -> Kafka {
    loop {
        let kafka = Kafka::builder(address).connect().await;
        if let Ok(kafka) = kafka {
            return kafka;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
#[ignore = "needs a broker: make services"]
async fn each_confirmed_record_is_there_once_though_the_broker_was_killed_twice() {
    let records = std::env::var("LAMBDA_MSK_SOAK_RECORDS");
    let records: usize = records.map_or(RECORDS, |text| text.parse().unwrap());
    let mut broker = Broker::start();
    let kafka = connected(&broker.address()).await;
    create(&kafka, "soak", PARTITIONS).await;
    let topic = RecordTopic::new("soak", broker.address(), Security::Plaintext);
    let (topic, confirmed) = (Arc::new(topic), Arc::new(AtomicUsize::new(0)));
    let third = Arc::new(Notify::new());
    let all = SENDERS * records;

    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (topic, confirmed) = (Arc::clone(&topic), Arc::clone(&confirmed));
            let third = Arc::clone(&third);
            tokio::spawn(async move {
                let patience = Patience {
                    without_success: Duration::from_secs(60),
                    end: None,
                };
                for at in 0..records {
                    let partition = i32::try_from(sender).unwrap() % PARTITIONS;
                    let sent = record(partition, &format!("{sender} {at}"));
                    topic.send(&sent, &Progress::begin(patience)).await.unwrap();
                    let count = confirmed.fetch_add(1, Ordering::Relaxed) + 1;
                    if count == all / 3 || count == all * 2 / 3 {
                        third.notify_one();
                    }
                }
            })
        })
        .collect();
    for _ in 0..2 {
        third.notified().await;
        broker.crash();
    }
    for sender in senders {
        sender.await.unwrap();
    }

    let read = read(&broker.address(), "soak", all).await;
    let mut next = vec![0; SENDERS];
    for record in &read {
        let text = std::str::from_utf8(record.value.as_deref().unwrap()).unwrap();
        let (sender, at) = text.split_once(' ').unwrap();
        let (sender, at): (usize, usize) = (sender.parse().unwrap(), at.parse().unwrap());
        assert_eq!(
            record.partition,
            i32::try_from(sender).unwrap() % PARTITIONS
        );
        assert_eq!(
            at, next[sender],
            "twice, missing, or out of its place: {text}"
        );
        next[sender] += 1;
    }
    assert_eq!(read.len(), all);
}
