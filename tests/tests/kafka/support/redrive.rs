//! `cargo msk dlq`, as people run it in the repository.

use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tokio::task::spawn_blocking;

use super::broker::bootstrap;
use super::build::{as_in_a_shell, cargo_msk, repository};

/// A run of `cargo msk dlq`, not yet started. It reads queues of this server of AWS's.
fn dlq(args: &[&str], queues: &str) -> Command {
    let mut command = Command::new(cargo_msk());
    as_in_a_shell(&mut command);
    command
        .arg("dlq")
        .args(args)
        .args(["--bootstrap", &bootstrap()])
        .env("AWS_ENDPOINT_URL_SQS", queues)
        .current_dir(repository())
        .stdin(Stdio::null());
    command
}

/// The document of `list --json`.
pub(crate) async fn list(from: &str, queues: &str) -> Value {
    let mut command = dlq(&["list", "--from", from, "--json"], queues);
    let output = spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A redrive to this target, to its end.
pub(crate) async fn redrive(from: &str, queues: &str, to: &str, env: &[String]) -> Output {
    let child = start(from, queues, to, env, Stdio::piped());
    let ended = spawn_blocking(move || child.wait_with_output().unwrap());
    ended.await.unwrap()
}

/// A redrive that goes on.
pub(crate) fn start(from: &str, queues: &str, to: &str, env: &[String], output: Stdio) -> Child {
    let mut command = dlq(&["redrive", "--from", from, "--to", to], queues);
    command
        .args(env.iter().flat_map(|variable| ["--env", variable]))
        .stdout(output)
        .stderr(Stdio::inherit());
    command.spawn().unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr];
    texts.map(|text| String::from_utf8_lossy(text)).join("\n")
}
