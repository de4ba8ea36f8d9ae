//! The programs under test, built once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use msk_mapping::{Function, Logs};

/// As the tests themselves are built, or librdkafka would be built again for each.
const FORWARD: &str = if cfg!(feature = "tls") {
    "tls"
} else {
    "kafka"
};
const CARGO_MSK: &str = match (cfg!(feature = "tls"), cfg!(feature = "share")) {
    (true, true) => "tls,share",
    (true, false) => "tls",
    (false, true) => "share",
    (false, false) => "dev",
};

fn build(package: &str, features: &str, kind: &str, name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--message-format=json"])
        .args(["--package", package, "--features", features, kind, name])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let executable = |line: &[u8]| {
        let message: serde_json::Value = serde_json::from_slice(line).ok()?;
        if message["target"]["name"] != name {
            return None;
        }
        message["executable"].as_str().map(PathBuf::from)
    };
    let lines = output.stdout.split(|byte| *byte == b'\n');
    lines.filter_map(executable).next_back().unwrap()
}

/// The sample function, for any topic.
pub(crate) fn forward() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || build("tests", FORWARD, "--example", "forward");
    BUILT.get_or_init(build).clone()
}

/// The command line tool, with `dev`.
pub(crate) fn cargo_msk() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || build("cargo-msk", CARGO_MSK, "--bin", "cargo-msk");
    BUILT.get_or_init(build).clone()
}

/// The sample function, which posts its orders to this address.
pub(crate) fn function(fulfilment: &str) -> Function {
    Function::new(forward())
        .env("FULFILMENT_URL", fulfilment)
        .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
        .env("AWS_LAMBDA_LOG_LEVEL", "ERROR")
        .logs(Logs::Inherit)
}
