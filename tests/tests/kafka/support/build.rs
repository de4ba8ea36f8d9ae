//! The programs under test, built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use msk_mapping::{Function, Logs};

/// What they are built with: as `make test-services` builds the tests, so that all they stand on is there.
const FEATURES: &str = match (cfg!(feature = "tls"), cfg!(feature = "share")) {
    (true, true) => {
        "tests/tls,tests/share,cargo-msk/iam,cargo-msk/share,cargo-msk/aws,cargo-msk/schemas,handler/sns,handler/s3,handler/kafka"
    }
    (true, false) => {
        "tests/tls,cargo-msk/iam,cargo-msk/aws,cargo-msk/schemas,handler/sns,handler/s3,handler/kafka"
    }
    (false, true) => {
        "tests/share,cargo-msk/share,cargo-msk/aws,cargo-msk/schemas,handler/sns,handler/s3,handler/kafka"
    }
    (false, false) => {
        "tests/kafka,cargo-msk/aws,cargo-msk/schemas,handler/sns,handler/s3,handler/kafka"
    }
};

struct Programs {
    counted: PathBuf,
    forward: PathBuf,
    payloads: PathBuf,
    cargo_msk: PathBuf,
    typed: PathBuf,
    handler: PathBuf,
    files_s3: PathBuf,
    bulk_postgres: PathBuf,
}

fn programs() -> &'static Programs {
    static BUILT: OnceLock<Programs> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        as_in_a_shell(&mut cargo);
        let output = cargo
            .args(["build", "--locked", "--quiet", "--message-format=json"])
            .args(["--package", "tests", "--package", "cargo-msk"])
            .args(["--package", "typed", "--package", "handler"])
            .args(["--package", "bulk-postgres"])
            .args(["--package", "files-s3", "--features", FEATURES])
            .args(["--example", "counted", "--example", "forward"])
            .args(["--example", "payloads"])
            .args(["--bin", "cargo-msk", "--bin", "typed", "--bin", "handler"])
            .args(["--bin", "files-s3", "--bin", "bulk-postgres"])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        // Others build it with other features, to the same place.
        let handler = Path::new(env!("CARGO_TARGET_TMPDIR")).join("handler-with-all");
        // Renamed: a process of another run may have the old one open.
        let beside = handler.with_extension(std::process::id().to_string());
        std::fs::copy(executable(&output.stdout, "handler"), &beside).unwrap();
        std::fs::rename(&beside, &handler).unwrap();
        Programs {
            handler,
            counted: executable(&output.stdout, "counted"),
            forward: executable(&output.stdout, "forward"),
            payloads: executable(&output.stdout, "payloads"),
            cargo_msk: executable(&output.stdout, "cargo-msk"),
            typed: executable(&output.stdout, "typed"),
            files_s3: executable(&output.stdout, "files-s3"),
            bulk_postgres: executable(&output.stdout, "bulk-postgres"),
        }
    })
}

/// Takes away what cargo tells a test of its package, which is no concern of what it starts: ring's build script would run for each change of it,
/// and half of the AWS SDK be built anew.
pub(crate) fn as_in_a_shell(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if of_package
            .iter()
            .any(|own| name.to_string_lossy().starts_with(own))
        {
            command.env_remove(name);
        }
    }
}

/// The repository's folder.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Builds the handler as `bin:handler` does, so that no run of it waits for the compiler.
pub(crate) fn build_handler() {
    let mut cargo = Command::new(env!("CARGO"));
    as_in_a_shell(&mut cargo);
    let built = cargo
        .current_dir(repository())
        .args(["build", "--quiet", "--package", "handler", "--bin"])
        .arg("handler");
    assert!(built.status().unwrap().success());
}

/// The executable of that target in cargo's messages.
fn executable(messages: &[u8], name: &str) -> PathBuf {
    let executable = |line: &[u8]| {
        let message: serde_json::Value = serde_json::from_slice(line).ok()?;
        if message["target"]["name"] != name {
            return None;
        }
        message["executable"].as_str().map(PathBuf::from)
    };
    let lines = messages.split(|byte| *byte == b'\n');
    lines.filter_map(executable).next_back().unwrap()
}

/// The sample function, for any topic.
pub(crate) fn forward() -> PathBuf {
    programs().forward.clone()
}

/// The function that people copy, with every destination.
pub(crate) fn handler() -> PathBuf {
    programs().handler.clone()
}

/// The sample function for any topic, whose posts name their invocation.
pub(crate) fn counted() -> PathBuf {
    programs().counted.clone()
}

/// The command line tool, with all that the tests ask of it.
pub(crate) fn cargo_msk() -> PathBuf {
    programs().cargo_msk.clone()
}

/// The example that reads Avro, Protobuf and JSON by schemas, with every registry.
pub(crate) fn typed() -> PathBuf {
    programs().typed.clone()
}

/// The example that writes files to S3.
pub(crate) fn files_s3() -> PathBuf {
    programs().files_s3.clone()
}

/// The example that writes to Postgres.
pub(crate) fn bulk_postgres() -> PathBuf {
    programs().bulk_postgres.clone()
}

/// A function that posts keys and values.
pub(crate) fn payloads() -> PathBuf {
    programs().payloads.clone()
}

/// The sample function, which posts its orders to this address.
pub(crate) fn function(fulfilment: &str) -> Function {
    Function::new(forward())
        .env("FULFILMENT_URL", fulfilment)
        .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
        .env("AWS_LAMBDA_LOG_LEVEL", "ERROR")
        .logs(Logs::Inherit)
}
