//! The house's rules on the shape of the code: what a reader relies on, and no compiler checks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a file before its tests, comments and blank lines left out.
const CODE_LINES_MAX: usize = 400;

/// Lines of the file in the middle, by length.
const MEDIAN_LINES_MAX: usize = 160;

/// Characters of a function's name, tests among them: what fits a line of a report.
const NAME_CHARS_MAX: usize = 80;

const CRATES: [&str; 17] = [
    "kafka",
    "destinations",
    "schemas",
    "framework",
    "handler",
    "mapping",
    "simulation",
    "cli",
    "examples/orders",
    "examples/two-sources",
    "examples/cdc",
    "examples/typed",
    "examples/traced",
    "examples/files-s3",
    "examples/bulk-opensearch",
    "examples/bulk-postgres",
    "tests",
];

/// What runs in a simulation, and so has to do the same each time.
const SIMULATED: [&str; 3] = ["framework/src", "mapping/src/machine", "simulation/src"];

/// Of these, what meets the world outside: a simulation puts something else in its place.
const NOT_SIMULATED: [&str; 9] = [
    "framework/src/idempotency/store/dynamodb",
    "framework/src/idempotency/store/postgres",
    "framework/src/idempotency/store/redis",
    "framework/src/lambda.rs",
    "framework/src/logging.rs",
    "framework/src/postgres/database.rs",
    "framework/src/postgres/iam.rs",
    "framework/src/testing/invoke.rs",
    "framework/src/testing/event.rs",
];

/// Whose maps are looked up, and never gone through: the order of a `HashMap` is another one each time.
const LOOKED_UP: [&str; 6] = [
    "framework/src/builder.rs",
    "framework/src/event/read.rs",
    "framework/src/extract/names.rs",
    "framework/src/idempotency/store/memory.rs",
    "framework/src/lane.rs",
    "framework/src/process/processor.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

struct Source {
    /// From the workspace's root.
    path: String,
    text: String,
}

impl Source {
    /// The lines before the tests, without comments and what stands in doc comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
    }
}

/// Every Rust file below a folder of the workspace. If the folder is a module's, its own file beside the folder too.
fn sources(folder: &str) -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    let own = root.join(format!("{folder}.rs"));
    if let Ok(text) = fs::read_to_string(own) {
        let path = format!("{folder}.rs");
        sources.push(Source { path, text });
    }
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source { path: name, text });
            }
        }
    }
    assert!(!sources.is_empty(), "no Rust file below {folder}");
    sources
}

fn all_sources() -> impl Iterator<Item = Source> {
    CRATES.into_iter().flat_map(sources)
}

/// The sources of what runs in a simulation.
fn simulated() -> impl Iterator<Item = Source> {
    let met = |source: &Source| {
        NOT_SIMULATED
            .iter()
            .any(|path| source.path.starts_with(path))
    };
    let tests =
        |source: &Source| source.path.ends_with("tests.rs") || source.path.contains("/tests/");
    let all = SIMULATED.into_iter().flat_map(sources);
    all.filter(move |source| !met(source) && !tests(source))
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_file_has_more_than_400_lines_of_code() {
    let faults: Vec<_> = all_sources()
        .filter(|source| !source.path.contains("/tests/"))
        .map(|source| (source.code().count(), source.path))
        .filter(|(lines, _)| *lines > CODE_LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines of code"))
        .collect();
    none(&faults);
}

#[test]
fn half_of_all_files_have_at_most_160_lines() {
    let of_tests = |path: &str| path.contains("/tests") || path.starts_with("tests/");
    let mut lines: Vec<_> = all_sources()
        .filter(|source| !of_tests(&source.path))
        .map(|source| source.text.lines().count())
        .collect();
    lines.sort_unstable();
    assert!(lines[lines.len() / 2] <= MEDIAN_LINES_MAX, "{lines:?}");
}

#[test]
fn no_name_of_a_test_is_longer_than_80_characters() {
    let mut faults = Vec::new();
    for source in all_sources() {
        let names = source.text.split("fn ").skip(1);
        let names = names.filter_map(|rest| rest.split(['(', '<']).next());
        let long = names.filter(|name| name.len() > NAME_CHARS_MAX && !name.contains(' '));
        faults.extend(long.map(|name| format!("{}: {name} has {}", source.path, name.len())));
    }
    none(&faults);
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    let faults: Vec<_> = all_sources()
        .filter(|source| !source.text.starts_with("//! ") && !source.text.starts_with("#!["))
        .map(|source| format!("{}: the first line is not `//! …`", source.path))
        .collect();
    none(&faults);
}

#[test]
fn nothing_is_imported_by_a_glob() {
    let mut faults = Vec::new();
    for source in all_sources() {
        for (number, line) in source.code() {
            let import = line.starts_with("use ") || line.starts_with("pub use ");
            if import && line.contains("::*") {
                faults.push(format!("{}:{number}: {line}", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_rule_of_behaviour_has_a_module_of_tests() {
    let found: BTreeSet<String> = sources("framework/tests/rules")
        .into_iter()
        .filter_map(|source| {
            let name = Path::new(&source.path)
                .file_name()?
                .to_string_lossy()
                .into_owned();
            Some(name.strip_prefix("rule_")?.get(..2)?.to_owned())
        })
        .collect();
    let expected: BTreeSet<String> = (1..=10).map(|rule| format!("{rule:02}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_runs_in_a_simulation_takes_nothing_from_outside_it() {
    // Each with who may: the seam that a simulation replaces.
    let outside = [
        // Named there as the cure for a handler that holds the thread.
        ("spawn_blocking", "framework/src/report.rs"),
        ("std::thread::sleep", ""),
        ("std::time::Instant", ""),
        ("SystemTime::now", "framework/src/clock.rs"),
        ("getrandom::", "framework/src/clock.rs"),
        ("RandomState", ""),
        ("Rng::new()", ""),
        ("tokio::spawn", ""),
    ];
    let mut faults = Vec::new();
    for source in simulated() {
        for (number, line) in source.code() {
            for (word, may) in outside {
                if line.contains(word) && source.path != may {
                    faults.push(format!("{}:{number}: {word}", source.path));
                }
            }
            let hashed = line.contains("HashMap") || line.contains("HashSet");
            if hashed && !LOOKED_UP.contains(&&*source.path) {
                faults.push(format!(
                    "{}:{number}: hashed: take a BTreeMap or BTreeSet, or say in this test that it is only looked up",
                    source.path
                ));
            }
        }
    }
    none(&faults);
}

#[test]
fn each_select_of_what_runs_in_a_simulation_is_biased() {
    let mut faults = Vec::new();
    let mut selects = 0;
    for source in simulated() {
        let lines: Vec<(usize, &str)> = source.code().collect();
        for pair in lines.windows(2) {
            let [(number, select), (_, next)] = pair else {
                continue;
            };
            if select.contains("select!") {
                selects += 1;
                if !next.starts_with("biased;") {
                    faults.push(format!(
                        "{}:{number}: `select!` without `biased;`",
                        source.path
                    ));
                }
            }
        }
    }
    none(&faults);
    assert!(selects > 0);
}

#[test]
fn the_oracle_shares_no_code_with_what_it_judges() {
    let mut faults = Vec::new();
    for source in sources("simulation/src/oracle") {
        for (number, line) in source.code() {
            let shared = line.contains("lambda_msk") || line.contains("msk_mapping");
            let beyond = line.starts_with("use crate::")
                && !["use crate::fact::", "use crate::oracle::"]
                    .iter()
                    .any(|own| line.starts_with(own));
            if shared || beyond {
                faults.push(format!("{}:{number}: {line}", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn the_sample_functions_binary_is_thin() {
    let main = fs::read_to_string(root().join("handler/src/main.rs")).unwrap();
    assert!(main.lines().count() <= 40);
}

#[test]
fn a_test_that_is_ignored_says_what_it_needs() {
    let mut faults = Vec::new();
    for source in all_sources() {
        for (number, line) in source.text.lines().enumerate() {
            if line.trim() == "#[ignore]" {
                faults.push(format!(
                    "{}:{}: ignored without a reason",
                    source.path,
                    number + 1
                ));
            }
        }
    }
    none(&faults);
}

/// What builds librdkafka or is for what does alone, what needs a newer compiler than the rest, and what needs OpenSSL's headers.
const NOT_IN_MAKE_TEST: [&str; 16] = [
    "msk-destinations/kafka",
    "msk-kafka/client",
    "msk-kafka/iam",
    "msk-kafka/share",
    "msk-kafka/tls",
    "msk-mapping/kafka",
    "msk-mapping/share",
    "msk-mapping/tls",
    "cargo-msk/dev",
    "cargo-msk/iam",
    "cargo-msk/share",
    "cargo-msk/aws",
    "cargo-msk/tls",
    "tests/kafka",
    "tests/share",
    "tests/tls",
];

#[test]
fn make_test_leaves_out_no_feature_but_those_that_build_librdkafka() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let line = makefile.lines().find(|line| line.starts_with("quick :="));
    let mut given: BTreeSet<String> = line
        .unwrap()
        .split_whitespace()
        .flat_map(|word| word.split(','))
        .map(str::to_owned)
        .collect();
    // Those that others turn on: a default, and what proptest's and the samples' ask for.
    for implied in [
        "lambda-msk/lambda",
        "lambda-msk/logging",
        "lambda-msk/testing",
        "msk-destinations/sqs",
        "msk-destinations/aws",
        "msk-destinations/krafka",
        "msk-destinations/s3",
        "msk-destinations/sns",
        "lambda-msk/inflate",
        "msk-schemas/avro",
        "msk-schemas/aws",
        "msk-schemas/secrets",
        "msk-schemas/confluent",
        "msk-schemas/glue",
        "msk-schemas/inflate",
        "msk-schemas/json-schema",
        "msk-schemas/made-up",
        "msk-schemas/protobuf",
        "msk-schemas/protobuf-json",
        "handler/sqs",
        "handler/dynamodb",
        "handler/kafka",
        "handler/s3",
        "handler/sns",
    ] {
        given.insert(implied.to_owned());
    }
    let mut faults = Vec::new();
    let packages = [
        ("kafka", "msk-kafka"),
        ("destinations", "msk-destinations"),
        ("schemas", "msk-schemas"),
        ("framework", "lambda-msk"),
        ("handler", "handler"),
        ("mapping", "msk-mapping"),
        ("cli", "cargo-msk"),
        ("tests", "tests"),
    ];
    for (folder, package) in packages {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let features = manifest.split("[features]").nth(1).unwrap_or_default();
        let features = features.split("\n[").next().unwrap();
        let names = features
            .lines()
            .filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
        for name in names {
            let name = format!("{package}/{name}");
            let left_out = name.ends_with("/default") || NOT_IN_MAKE_TEST.contains(&&*name);
            if !left_out && !given.contains(&name) {
                faults.push(format!("Makefile: `quick` lacks {name}"));
            }
        }
    }
    none(&faults);
}

/// The names of all packages that a build of the framework with these flags brings.
fn brought(flags: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "-p", "lambda-msk"])
        .args(["-e", "normal", "--prefix", "none", "--format", "{lib}"])
        .args(flags)
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{said}");
    let names = String::from_utf8(tree.stdout).unwrap();
    names
        .split_whitespace()
        .map(|name| name.replace('_', "-"))
        .collect()
}

/// HTTP and TLS, the SDK, and what has them below it.
fn speaks_http(name: &&String) -> bool {
    let families = ["aws-", "h2", "h3", "hyper", "lambda-", "reqwest", "rustls"];
    *name != "lambda-msk" && families.iter().any(|family| name.starts_with(family))
}

#[test]
fn without_its_feature_lambda_the_framework_brings_no_http_client_and_no_sdk() {
    let without = brought(&["--no-default-features"]);
    let with = brought(&[]);

    let found: Vec<_> = without.iter().filter(speaks_http).collect();
    assert!(found.is_empty(), "{found:?}");
    // So both lists are what they seem to be.
    let found: Vec<_> = with.iter().filter(speaks_http).collect();
    for client in ["hyper", "lambda-runtime"] {
        assert!(found.iter().any(|name| *name == client), "{found:?}");
    }
    assert!(without.contains("tokio"), "{without:?}");
}
