//! What these tests share: the sample function's binary, a table, a receiver outside of both, a batch.

mod batch;
pub(crate) mod bucket;
mod powertools;
mod receiver;
pub(crate) mod store;
mod table;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use msk_mapping::{Environment, Function, Logs};

pub(crate) use self::batch::{Batch, NAMESPACE, PARTITIONS};
pub(crate) use self::powertools::Powertools;
pub(crate) use self::receiver::{Effect, Receiver};
pub(crate) use self::table::Table;

/// The sample function as people copy it, in an environment of its own: it has no process yet, and what it will know is in the table. Its log is shown if
/// the test fails.
pub(crate) fn environment(table: &Table, url: &str, progress_ms: &str) -> Environment {
    let function = Function::new(binary())
        .env("AWS_LAMBDA_LOG_LEVEL", "info")
        .env("FULFILMENT_URL", url)
        .env("LAMBDA_MSK_IDEMPOTENCY", table.url())
        .env("LAMBDA_MSK_NAMESPACE", NAMESPACE)
        .env("LAMBDA_MSK_PROGRESS_MS", progress_ms)
        .logs(Logs::lines(|line| eprintln!("{}", line.text)));
    Environment::new(function)
}

/// The sample function, with dead letters to S3 too.
pub(crate) fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    built(&BINARY, "handler", &["--features", "s3"])
}

/// The example that writes files to S3.
pub(crate) fn files_s3() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    built(&BINARY, "files-s3", &[])
}

/// Built once, with the profile of the test itself.
fn built(once: &OnceLock<PathBuf>, name: &str, more: &[&str]) -> PathBuf {
    let build = || {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "-p", name, "--bin", name]);
        cargo.args(more);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "{cargo:?}");
        // target/debug/deps/services-…
        let own = std::env::current_exe().unwrap();
        own.ancestors().nth(2).unwrap().join(name)
    };
    once.get_or_init(build).clone()
}
