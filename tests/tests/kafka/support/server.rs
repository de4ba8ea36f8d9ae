//! A server of AWS's APIs of the test's own, which it may kill. It holds everything in memory: after a kill it begins with nothing.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::build::repository;
use super::free_port;

/// How long a server may take to listen: about 5 s on a quiet machine.
const READY: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Queues alone, and the only one that refuses single messages.
    ElasticMq,
    /// Topics, queues and buckets.
    Moto,
}

pub(crate) struct Server {
    kind: Kind,
    port: u16,
    process: Child,
}

impl Server {
    pub(crate) async fn start(kind: Kind) -> Self {
        let port = free_port();
        let process = spawn(kind, port);
        let mut server = Self {
            kind,
            port,
            process,
        };
        server.ready().await;
        server
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// At the same address, with nothing in it.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(self.kind, self.port);
        self.ready().await;
    }

    async fn ready(&mut self) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let until = Instant::now() + READY;
        while TcpStream::connect(address).is_err() {
            assert_eq!(self.process.try_wait().unwrap(), None, "the server ended");
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

/// As tests/services/run starts it, which has fetched it.
fn spawn(kind: Kind, port: u16) -> Child {
    let services: PathBuf = repository().join(".services");
    let mut command = match kind {
        Kind::ElasticMq => {
            let mut java = Command::new("java");
            java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
                .args(["-cp".into(), services.join("elasticmq/lib/*")])
                .args(["rest-sqs.bind-", "node-address."].map(|of| {
                    let name = if of.starts_with("rest") {
                        "hostname"
                    } else {
                        "host"
                    };
                    format!("-D{of}{name}=127.0.0.1")
                }))
                .args(
                    ["rest-sqs.bind-port", "node-address.port"].map(|it| format!("-D{it}={port}")),
                )
                .arg("-Drest-stats.enabled=false")
                .arg("org.elasticmq.server.Main");
            java
        }
        Kind::Moto => {
            let mut moto = Command::new(services.join("moto/bin/moto_server"));
            moto.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            moto
        }
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
