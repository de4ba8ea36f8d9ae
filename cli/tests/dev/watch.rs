//! `--watch`, with a function that cargo builds in a second: what is written is built, and has the next invocation.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use msk_mapping::driver::{Cluster, Outgoing, Producer};
use serde_json::Value;
use tokio::time::Instant;

/// Longest wait for what is to come: a build on a busy machine takes a few seconds.
const COMES: Duration = Duration::from_secs(60);

/// A function without dependencies that fails each event, and says in which words.
const FUNCTION: &str = r#"
use std::io::{Read, Write};

fn request(api: &str, method: &str, path: &str, body: &str) -> Option<String> {
    let mut stream = std::net::TcpStream::connect(api).ok()?;
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    Some(reply)
}

fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    while let Some(event) = request(&api, "GET", "/2018-06-01/runtime/invocation/next", "") {
        let name = "lambda-runtime-aws-request-id: ";
        let id = event.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap();
        let path = format!("/2018-06-01/runtime/invocation/{}/error", &id[name.len()..]);
        request(&api, "POST", &path, "{\"errorType\":\"Tried\",\"errorMessage\":\"WORDS\"}");
    }
}
"#;

/// A package in a folder of its own, which goes with it.
struct Package(PathBuf);

impl Package {
    fn new(name: &str, words: &str) -> Self {
        let folder = format!("cargo-msk-watch-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = "[package]\nname = \"watched\"\nedition = \"2021\"\n\n[workspace]\n";
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        let package = Self(folder);
        package.write(&function(words));
        package
    }

    fn write(&self, source: &str) {
        fs::write(self.0.join("src/main.rs"), source).unwrap();
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn function(words: &str) -> String {
    FUNCTION.replace("WORDS", words)
}

/// The command at work, and the lines that it has written since.
struct Dev {
    process: Child,
    lines: Receiver<Value>,
}

impl Dev {
    fn start(folder: &Path, retries: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cargo-msk"))
            .args(["dev", "--watch", "--json", "--topic", "orders"])
            .args(["--partitions", "1", "--maximum-retry-attempts", retries])
            .args(["--maximum-batching-window-in-seconds", "0"])
            .current_dir(folder)
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str(&line) {
                    let _ = sender.send(line);
                }
            }
        });
        Self { process, lines }
    }

    /// The next line of that event that has such a field.
    fn line(&self, event: &str, field: &str, holds: &str) -> Value {
        let mut others = Vec::new();
        let until = Instant::now() + COMES;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no {event} with {field} {holds:?} after {others:?}");
            };
            let text = line[field].as_str().unwrap_or_default();
            if line["event"] == event && text.contains(holds) {
                return line;
            }
            if line["event"] != "status" {
                others.push(line);
            }
        }
    }

    /// What the function says of one more record.
    fn says(&self, broker: &str) -> String {
        produce(broker);
        let ended = self.line("ended", "errorType", "Tried");
        ended["errorMessage"].as_str().unwrap().to_owned()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn produce(broker: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let producing = async {
        let producer = Producer::new(&Cluster::new(broker)).unwrap();
        producer.send(&[Outgoing::to("orders")]).await.unwrap();
    };
    runtime.block_on(producing);
}

#[test]
fn what_is_written_has_the_next_invocation_unless_it_does_not_compile() {
    let package = Package::new("swap", "the first");
    let dev = Dev::start(&package.0, "0");
    let begun = dev.line("begun", "bootstrapServers", ":");
    let broker = begun["bootstrapServers"].as_str().unwrap();
    let swapped = || {
        dev.line(
            "remark",
            "text",
            "the next invocations run the new function",
        )
    };
    assert_eq!(dev.says(broker), "the first");

    package.write(&function("the second"));
    swapped();
    assert_eq!(dev.says(broker), "the second");

    package.write("fn main() { this is no Rust }");
    dev.line("remark", "text", "cargo could not build `watched`");
    assert_eq!(dev.says(broker), "the second");

    package.write(&function("the third"));
    swapped();
    assert_eq!(dev.says(broker), "the third");
}

#[test]
fn a_batch_that_is_tried_again_goes_to_the_new_function() {
    let package = Package::new("again", "the first");
    let dev = Dev::start(&package.0, "-1");
    let begun = dev.line("begun", "bootstrapServers", ":");
    assert_eq!(
        dev.says(begun["bootstrapServers"].as_str().unwrap()),
        "the first"
    );

    package.write(&function("the second"));

    dev.line("ended", "errorMessage", "the second");
}
