//! What the tests of the function share: a fulfilment service, the events that Lambda sends, the function's environment.

#![allow(dead_code, unused_imports, reason = "no test file needs all of it")]
#![allow(unreachable_pub, reason = "each test file is a crate of its own")]

mod service;

use std::path::{Path, PathBuf};
use std::time::Duration;

use msk_mapping::{Ending, Environment, Function, Invocation, Logs, Report};
use serde_json::Value;

pub use self::service::Service;

/// Bounds whatever a test waits for. Reached, the test has failed.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A whole event of `events/`.
pub fn event(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../events")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The real binary with these variables.
pub fn function(variables: &[(&str, &str)]) -> Environment {
    let function = Function::new(env!("CARGO_BIN_EXE_handler")).logs(Logs::Discard);
    let set = |function: Function, (name, value): &(&str, &str)| function.env(*name, *value);
    Environment::new(variables.iter().fold(function, set))
}

/// Delivers one event.
pub async fn deliver(function: &mut Environment, body: impl Into<Vec<u8>>) -> Report {
    function
        .invoke(&Invocation::new(body.into(), TIMEOUT))
        .await
        .unwrap()
}

/// The response.
pub fn answer(report: &Report) -> Value {
    match &report.ending {
        Ending::Response(body) => serde_json::from_slice(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The response to a batch of which all is settled.
pub fn all_done() -> Value {
    serde_json::json!({"batchItemFailures": []})
}

/// Error type and message.
pub fn refusal(report: &Report) -> (String, String) {
    match &report.ending {
        Ending::FunctionError(error) | Ending::InitError(error) => {
            (error.error_type.clone(), error.message.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// A file that is not there yet, of that name and this process.
pub fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lambda-msk-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}
