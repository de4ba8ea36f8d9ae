//! Letters to a real S3 server that is killed and started again while they are sent: each confirmed letter is there.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::real::Bucket;
use crate::destination::fixture::{Folder, letters};
use crate::destination::http_stub::outcomes;
use crate::destination::{DeadLetter, Destination};

const LETTERS: usize = 2_000;
/// A server that is down or starts: far longer than either takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A server of the test's own.
struct Server {
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Server {
    async fn start(folder: PathBuf) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = run(&folder, port);
        let server = Self {
            folder,
            port,
            process,
        };
        server.listens().await;
        server
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// As `kill -9`, and started again.
    async fn crash(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // Long enough that requests are refused meanwhile.
        sleep(Duration::from_millis(500)).await;
        self.process = run(&self.folder, self.port);
        self.listens().await;
    }

    async fn listens(&self) {
        let until = Instant::now() + LIMIT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < until, "the server does not listen");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &std::path::Path, port: u16) -> Child {
    let script = std::env::var("LAMBDA_MSK_VERSITYGW_SERVER").expect("run by tests/services/run");
    Command::new(script)
        .arg(folder)
        .arg(port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn each_letter_is_in_the_bucket_though_the_server_was_killed_twice() {
    let folder = Folder::new();
    let mut server = Server::start(folder.path().to_owned()).await;
    let bucket = Bucket::at(&server.address()).await;
    let (destination, letters) = (bucket.destination("desk"), letters(LETTERS));
    let expected: Vec<_> = letters.iter().map(DeadLetter::envelope).collect();

    let kills = async {
        for kill in 1..=2 {
            let mut there = 0;
            while there < kill * LETTERS / 3 {
                sleep(Duration::from_millis(20)).await;
                there = bucket.keys().await.len();
            }
            assert!(there < LETTERS, "all were sent before the kill");
            server.crash().await;
        }
    };
    let (results, ()) = tokio::join!(destination.send(&letters), kills);

    assert_eq!(outcomes(results), vec!["confirmed"; LETTERS]);
    let mut texts = BTreeSet::new();
    for key in bucket.keys().await {
        texts.insert(bucket.text(&key).await);
    }
    // Not `assert_eq`: what differs would be megabytes of text.
    assert!(texts == BTreeSet::from_iter(expected), "{}", texts.len());
}
