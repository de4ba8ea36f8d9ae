//! Runs of the built command, and the function that it is given: the test binary itself.

#![allow(dead_code, reason = "no test file needs all of it")]
#![allow(unreachable_pub, reason = "each test file is a crate of its own")]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

pub mod consumer;
#[path = "../../../mapping/tests/support/function.rs"]
pub mod function;
pub mod registry;
pub mod said;

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

/// Four records of two partitions, with a gap.
pub const EVENT: &str = r#"{"eventSource":"aws:kafka","records":{
    "orders-0":[{"topic":"orders","partition":0,"offset":10},{"topic":"orders","partition":0,"offset":11},
                {"topic":"orders","partition":0,"offset":15}],
    "orders-1":[{"topic":"orders","partition":1,"offset":7}]}}"#;

/// A run of the command with this standard input.
pub fn msk(args: &[&str], input: &str) -> Output {
    start(args, input).wait_with_output().unwrap()
}

/// A run that is under way, with its input written.
pub fn start(args: &[&str], input: &str) -> Child {
    start_with(&[], args, input)
}

/// The same with variables of its own.
pub fn start_with(env: &[(&str, &str)], args: &[&str], input: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-msk"));
    // What the shell of the one who runs the tests says must not change them.
    command
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("LAMBDA_MSK_IDEMPOTENCY")
        .env_remove("LAMBDA_MSK_NAMESPACE")
        .env_remove("LAMBDA_MSK_CLUSTER")
        .env_remove("LAMBDA_MSK_METRICS")
        .env_remove("LAMBDA_MSK_SCHEMA_REGISTRY")
        .envs(env.iter().copied());
    let mut child = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Those that fail early do not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child
}

/// The command line of the function.
pub fn command() -> String {
    let exe = std::env::current_exe().unwrap();
    format!("'{}' {}", exe.display(), function::ARGS.join(" "))
}

/// The command line of the function of lambda-msk.
pub fn consumer_command() -> String {
    let exe = std::env::current_exe().unwrap();
    format!("'{}' {}", exe.display(), consumer::ARGS.join(" "))
}

/// A file of this test's own that is not there yet.
pub fn file(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("cargo-msk-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Delivers an event to the function.
pub fn invoke_event(behaviour: &str, event: &str, more: &[&str]) -> Output {
    let command = command();
    let behaviour = format!("BEHAVIOUR={behaviour}");
    let args = [
        "invoke",
        "--event",
        "-",
        "--function",
        &command,
        "--env",
        &behaviour,
    ];
    msk(&[&args, more].concat(), event)
}

/// Delivers [`EVENT`] to the function.
pub fn invoke(behaviour: &str, more: &[&str]) -> Output {
    invoke_event(behaviour, EVENT, more)
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
