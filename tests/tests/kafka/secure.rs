//! Clusters that want SASL, TLS or both, read with the command as people run it. What it needs to be let in comes from a
//! variable or a file, and none of it is seen in what the command says.

mod iam;
#[cfg(feature = "share")]
mod share;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use msk_mapping::limits::CONNECT_MS;
use serde_json::Value;
use tokio::time::Instant;

use crate::support::broker::{produce, topic, values};
use crate::support::build::cargo_msk;
use crate::support::function;

const RECORDS: usize = 20;
/// The variable that the command is told to read the password from.
const VARIABLE: &str = "SECURE_TEST_PASSWORD";
/// What a run takes on a busy machine beside what it waits for: far less than the minutes for which librdkafka tries.
const GRACE: Duration = Duration::from_secs(15);

/// One of the addresses that `make test-services` gives: OPEN lets everybody in, and the tests fill topics there.
fn address(listener: &str) -> String {
    let name = format!("LAMBDA_MSK_KAFKA_{listener}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name}: make test-services sets it"))
}

/// A file that lets one in.
fn secret(name: &str) -> PathBuf {
    let folder = std::env::var("LAMBDA_MSK_KAFKA_SECRETS");
    PathBuf::from(folder.expect("LAMBDA_MSK_KAFKA_SECRETS: make test-services sets it")).join(name)
}

fn password() -> String {
    let text = std::fs::read_to_string(secret("password")).unwrap();
    text.trim_end().to_owned()
}

/// `NAME=PATH` of a file that lets one in.
fn at(setting: &str, name: &str) -> String {
    format!("{setting}={}", secret(name).display())
}

/// `NAME=@file:PATH` of a file that lets one in.
fn of_file(setting: &str, name: &str) -> String {
    format!("{setting}=@file:{}", secret(name).display())
}

fn of_variable() -> String {
    format!("sasl.password=@env:{VARIABLE}")
}

/// The settings of SASL with alice's name.
fn sasl(protocol: &str, mechanism: &str, password: String) -> Vec<String> {
    vec![
        format!("security.protocol={protocol}"),
        format!("sasl.mechanism={mechanism}"),
        "sasl.username=alice".to_owned(),
        password,
    ]
}

/// How a run ended, what it said, and how long it took.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    took: Duration,
}

impl Ran {
    /// The line of JSON with this name.
    fn event(&self, name: &str) -> Value {
        let lines = self.stdout.lines().map(serde_json::from_str::<Value>);
        let mut events = lines.map(Result::unwrap);
        let found = events.find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// It ended by itself with a fault, soon, and its text has these words.
    fn assert_fault(&self, within: Duration, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in {self:?}");
        }
        assert!(self.took < within + GRACE, "{self:?}");
    }
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, took, .. } = self;
        writeln!(
            f,
            "{code:?} after {took:?}\n{}\n{}",
            self.stdout, self.stderr
        )
    }
}

/// `cargo msk dev --once --json` with these settings, a function that answers as told, and the password in a variable.
async fn dev(
    bootstrap: &str,
    topic: &str,
    set: Vec<String>,
    behaviour: &str,
    more: &[&str],
    password: String,
) -> Ran {
    let given = [(VARIABLE, &*password)];
    let ran = dev_as(bootstrap, topic, set, behaviour, more, &given).await;
    let key = std::fs::read_to_string(secret("client.key")).unwrap();
    for hidden in [&*password, &*self::password(), key.lines().nth(1).unwrap()] {
        let said = ran.stdout.contains(hidden) || ran.stderr.contains(hidden);
        assert!(!said, "a secret is seen in {ran:?}");
    }
    ran
}

/// The same with these variables.
async fn dev_as(
    bootstrap: &str,
    topic: &str,
    set: Vec<String>,
    behaviour: &str,
    more: &[&str],
    variables: &[(&str, &str)],
) -> Ran {
    let exe = std::env::current_exe().unwrap();
    let (group, named) = (format!("{topic}-group"), !more.contains(&"--group"));
    let mut command = Command::new(cargo_msk());
    command
        .args(["dev", "--once", "--json", "--bootstrap", bootstrap])
        .args(["--topic", topic])
        .args(named.then_some(["--group", &*group]).into_iter().flatten())
        .arg("--function")
        .arg(format!("'{}' {}", exe.display(), function::ARGS.join(" ")))
        .args(["--env", &format!("BEHAVIOUR={behaviour}")])
        .args(set.iter().flat_map(|setting| ["--set", setting]))
        .args(more)
        .envs(variables.iter().copied());
    let began = Instant::now();
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let Output {
        status,
        stdout,
        stderr,
    } = ended.await.unwrap();
    Ran {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
        took: began.elapsed(),
    }
}

/// A topic with records, made where everybody is let in.
async fn filled(stem: &str) -> String {
    let topic = topic(&address("OPEN"), stem, 1).await;
    produce(&address("OPEN"), &topic, 1, RECORDS, 0).await;
    topic
}

/// Reads all of a topic through this listener with these settings.
async fn assert_reads_all(stem: &str, listener: &str, set: Vec<String>) {
    let topic = filled(stem).await;

    let ran = dev(&address(listener), &topic, set, "show", &[], password()).await;

    assert_eq!(ran.code, Some(0), "{ran:?}");
    let end = ran.event("end");
    let mapping = &end["mappings"][0];
    assert_eq!(mapping["committed"], RECORDS, "{ran:?}");
    assert_eq!(mapping["lag"], 0, "{ran:?}");
    // The function sees nothing of how its cluster is spoken to.
    let of_event = |line: &str| line.contains(r#""eventSource":"aws:kafka""#);
    let event = ran.stderr.lines().find(|line| of_event(line)).unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(event["bootstrapServers"], address(listener));
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn plain_in_the_clear_with_the_password_in_a_variable() {
    let set = sasl("SASL_PLAINTEXT", "PLAIN", of_variable());
    assert_reads_all("secure-plain", "SASL", set).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn scram_256_in_the_clear_with_the_password_in_a_file() {
    let password = of_file("sasl.password", "password");
    let set = sasl("SASL_PLAINTEXT", "SCRAM-SHA-256", password);
    assert_reads_all("secure-scram-256", "SASL", set).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn scram_512_in_the_clear_with_the_password_in_a_variable() {
    let set = sasl("SASL_PLAINTEXT", "SCRAM-SHA-512", of_variable());
    assert_reads_all("secure-scram-512", "SASL", set).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn scram_over_tls() {
    let mut set = sasl("SASL_SSL", "SCRAM-SHA-512", of_variable());
    set.push(at("ssl.ca.location", "ca.pem"));
    assert_reads_all("secure-tls", "SASL_SSL", set).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn mutual_tls_with_an_encrypted_key_whose_password_is_in_a_file() {
    let set = vec![
        "security.protocol=SSL".to_owned(),
        at("ssl.ca.location", "ca.pem"),
        at("ssl.certificate.location", "client.pem"),
        at("ssl.key.location", "client.encrypted.key"),
        of_file("ssl.key.password", "password"),
    ];
    assert_reads_all("secure-mutual", "SSL", set).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn mutual_tls_with_certificates_and_key_as_values() {
    let set = vec![
        "security.protocol=SSL".to_owned(),
        of_file("ssl.ca.pem", "ca.pem"),
        of_file("ssl.certificate.pem", "client.pem"),
        of_file("ssl.key.pem", "client.key"),
    ];
    assert_reads_all("secure-values", "SSL", set).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn records_are_produced_and_given_up_over_the_same_connection() {
    let dead = topic(&address("OPEN"), "secure-dead", 1).await;
    let topic = topic(&address("OPEN"), "secure-poison", 1).await;
    let lines = std::env::temp_dir().join(format!("{topic}.ndjson"));
    std::fs::write(&lines, "{\"n\":0}\n{\"n\":1}\n").unwrap();
    let mut set = sasl("SASL_SSL", "SCRAM-SHA-256", of_variable());
    set.push(at("ssl.ca.location", "ca.pem"));
    let to = format!("kafka://{dead}");
    let mut more = vec!["--maximum-retry-attempts", "0", "--on-failure", &to];
    more.extend(["--produce", lines.to_str().unwrap()]);

    let ran = dev(
        &address("SASL_SSL"),
        &topic,
        set,
        "error",
        &more,
        password(),
    )
    .await;

    std::fs::remove_file(&lines).unwrap();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(ran.event("end")["mappings"][0]["delivered"], 2, "{ran:?}");
    let documents = values(&address("OPEN"), &dead).await;
    let offsets: Vec<&Value> = documents
        .iter()
        .map(|document| &document["payload"]["records"][format!("{topic}-0")][0]["offset"])
        .collect();
    assert_eq!(offsets, [0, 1]);
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_wrong_password_ends_at_once_and_says_what_to_check() {
    let topic = filled("secure-wrong").await;
    let lines = std::env::temp_dir().join(format!("{topic}.ndjson"));
    std::fs::write(&lines, "{\"n\":0}\n").unwrap();
    let words = [
        "refuses this client",
        "check sasl.mechanism, sasl.username and sasl.password",
    ];

    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        for more in [&[][..], &["--produce", lines.to_str().unwrap()]] {
            let set = sasl("SASL_PLAINTEXT", mechanism, of_variable());
            let wrong = "this-is-not-it".to_owned();

            let ran = dev(&address("SASL"), &topic, set, "done", more, wrong).await;

            ran.assert_fault(Duration::from_millis(CONNECT_MS), &words);
        }
    }
    std::fs::remove_file(&lines).unwrap();
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_certificate_that_nobody_trusts_ends_it_and_names_the_setting() {
    let topic = filled("secure-untrusted").await;
    // Without ssl.ca.location: those that the system trusts.
    let set = sasl("SASL_SSL", "SCRAM-SHA-512", of_variable());

    let ran = dev(&address("SASL_SSL"), &topic, set, "done", &[], password()).await;

    let words = ["refuses this client", "check ssl.ca.location"];
    ran.assert_fault(Duration::from_millis(CONNECT_MS), &words);
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_missing_certificate_of_the_client_ends_it_and_names_the_setting() {
    let topic = filled("secure-no-client").await;
    let set = vec![
        "security.protocol=SSL".to_owned(),
        at("ssl.ca.location", "ca.pem"),
    ];

    let ran = dev(&address("SSL"), &topic, set, "done", &[], password()).await;

    let words = ["refuses this client", "ssl.certificate.location"];
    ran.assert_fault(Duration::from_millis(CONNECT_MS), &words);
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_port_that_is_spoken_to_in_the_wrong_way_ends_it_and_names_the_setting() {
    let topic = filled("secure-protocol").await;
    let in_the_clear = sasl("SASL_PLAINTEXT", "PLAIN", of_variable());

    for (listener, set) in [
        ("SASL_SSL", in_the_clear),
        ("SSL", Vec::new()),
        ("SASL", Vec::new()),
    ] {
        let ran = dev(&address(listener), &topic, set, "done", &[], password()).await;

        let words = [
            "no broker responds",
            "expects TLS or SASL (security.protocol)",
        ];
        ran.assert_fault(Duration::from_millis(CONNECT_MS), &words);
        // Why it hung up is told, in one way or another, and not only that the question was not answered.
        assert!(!ran.stderr.contains("Meta data fetch error"), "{ran:?}");
    }
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_certificate_file_that_is_missing_ends_it_before_anything_connects() {
    let mut set = sasl("SASL_SSL", "SCRAM-SHA-512", of_variable());
    set.push("ssl.ca.location=/nowhere/ca.pem".to_owned());

    let ran = dev("127.0.0.1:9", "orders", set, "done", &[], password()).await;

    ran.assert_fault(Duration::ZERO, &["ssl.ca.location", "No such file"]);
}
