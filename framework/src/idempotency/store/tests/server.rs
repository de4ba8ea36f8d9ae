//! A server of a test's own, which is killed and started again. For tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::net::TcpListener;

/// How a server with that folder is started at that port.
type Starts = fn(&Path, u16) -> Command;

pub(in crate::idempotency::store) struct Server {
    pub(in crate::idempotency::store) folder: PathBuf,
    pub(in crate::idempotency::store) port: u16,
    starts: Starts,
    process: Child,
}

impl Server {
    /// The folder, which may not exist, is the server's, and is deleted with it.
    pub(in crate::idempotency::store) async fn start(name: &str, starts: Starts) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = std::env::temp_dir().join(format!("{name}-{}-{port}", std::process::id()));
        let process = run(starts(&folder, port));
        Self {
            folder,
            port,
            starts,
            process,
        }
    }

    /// With -9, as its children end by themselves.
    pub(in crate::idempotency::store) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(in crate::idempotency::store) fn restart(&mut self) {
        self.process = run((self.starts)(&self.folder, self.port));
    }
}

fn run(mut command: Command) -> Child {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
