//! An S3 store of a test's own, which it may kill.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A store that starts: far longer than it takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A store of the test's own.
pub(crate) struct Store {
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Store {
    pub(crate) async fn start() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = std::env::temp_dir().join(format!("lambda-msk-files-{port}"));
        let process = run(&folder, port);
        let store = Self {
            folder,
            port,
            process,
        };
        store.listens().await;
        store
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// With what it has on disk.
    pub(crate) async fn start_again(&mut self) {
        self.process = run(&self.folder, self.port);
        self.listens().await;
    }

    async fn listens(&self) {
        let until = Instant::now() + LIMIT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < until, "the store does not listen");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn run(folder: &Path, port: u16) -> Child {
    let script = std::env::var("LAMBDA_MSK_VERSITYGW_SERVER").expect("run by tests/services/run");
    Command::new(script)
        .arg(folder)
        .arg(port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
