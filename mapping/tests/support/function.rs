//! A function without a framework, for tests: it speaks the Runtime API over plain TCP and behaves as the variable
//! `BEHAVIOUR` says, one word an event, the last one for all that follow.
//!
//! A test binary starts itself as this function, so that no other binary has to be built: see [`run`].

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::zombie_processes,
    reason = "a function writes logs, and this one fails in every way"
)]

use std::collections::BTreeMap;
use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// What came back for one request.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// The arguments which make a test binary run one ignored test, `the_function`, that calls [`run`].
pub(crate) const ARGS: [&str; 4] = ["--exact", "the_function", "--ignored", "--nocapture"];

/// Runs until the API goes away. Does nothing if nobody serves it one.
pub(crate) fn run() {
    let Ok(api) = env::var("AWS_LAMBDA_RUNTIME_API") else {
        return;
    };
    let behaviour = env::var("BEHAVIOUR").unwrap_or_default();
    let words: Vec<&str> = behaviour.split(' ').collect();
    init(&api, words[0]);
    let mut count = 0;
    loop {
        let Some(event) = request(&api, "GET", "/2018-06-01/runtime/invocation/next", "") else {
            return;
        };
        answer(&api, words[count.min(words.len() - 1)], &event, count);
        count += 1;
    }
}

fn init(api: &str, word: &str) {
    match word {
        "init-error" => {
            let error = r#"{"errorType":"Config.Missing","errorMessage":"ORDERS_URL is not set"}"#;
            request(api, "POST", "/2018-06-01/runtime/init/error", error);
            exit(1);
        }
        "init-exit" => exit(3),
        "init-hang" => hang(),
        _ => {}
    }
}

fn answer(api: &str, word: &str, event: &Reply, count: usize) {
    let id = &event.headers["Lambda-Runtime-Aws-Request-Id"];
    let base = format!("/2018-06-01/runtime/invocation/{id}");
    let (word, argument) = word.split_once('=').unwrap_or((word, ""));
    let body = match word {
        "echo" => event.body.clone(),
        "headers" => json(&event.headers),
        "env" => json(&env::vars().collect()),
        "count" => format!(r#"{{"count":{count},"pid":{}}}"#, std::process::id()),
        "done" => r#"{"batchItemFailures":[]}"#.to_owned(),
        "list" => list(argument),
        "http-list" => format!(
            r#"{{"statusCode":200,"body":"{}"}}"#,
            list(argument).escape_default()
        ),
        "text" => "all fine".to_owned(),
        "huge" => "x".repeat(7 * 1024 * 1024),
        "error" => {
            let error =
                r#"{"errorType":"Oops","errorMessage":"no stock","stackTrace":["at main"]}"#;
            let reply = request(api, "POST", &format!("{base}/error"), error);
            assert_eq!(reply.map(|reply| reply.status), Some(202));
            return;
        }
        "exit" => exit(argument.parse().unwrap_or(0)),
        "abort" => std::process::abort(),
        "hang" => hang(),
        "hold" => {
            hold(argument);
            "{}".to_owned()
        }
        "child-exit" => {
            // A grandchild that holds the pipes and would live on for a minute.
            let child = Command::new("sleep").arg("60").spawn().unwrap();
            println!("child {}", child.id());
            exit(7);
        }
        "show" => {
            eprintln!("{}", event.body);
            "{}".to_owned()
        }
        "log" => {
            for _ in 0..argument.parse().unwrap_or(1) {
                println!("to stdout");
                eprintln!("to stderr");
            }
            "null".to_owned()
        }
        "say" => {
            // On lines of its own: the test harness has begun one.
            println!("\n{}", env::var("SAY").unwrap_or_default());
            "{}".to_owned()
        }
        "session-exit" => {
            // One that no signal to the process's group reaches.
            let child = Command::new("setsid").args(["sleep", "60"]).spawn();
            println!("child {}", child.unwrap().id());
            exit(7);
        }
        "answer-exit" => {
            request(api, "POST", &format!("{base}/response"), "{}");
            exit(argument.parse().unwrap_or(0));
        }
        "answer-silent" => {
            request(api, "POST", &format!("{base}/response"), "{}");
            go_on_in_silence(argument);
        }
        "answer-hang" => {
            request(api, "POST", &format!("{base}/response"), "{}");
            hang();
        }
        other => panic!("no behaviour {other}"),
    };
    request(api, "POST", &format!("{base}/response"), &body);
}

/// `orders-0@11,orders-0@12`
fn list(identifiers: &str) -> String {
    let items: Vec<String> = identifiers
        .split(',')
        .map(|identifier| {
            let (partition, offset) = identifier.split_once('@').unwrap();
            format!(r#"{{"itemIdentifier":{{"partition":"{partition}","offset":{offset}}}}}"#)
        })
        .collect();
    format!(r#"{{"batchItemFailures":[{}]}}"#, items.join(","))
}

fn json(map: &BTreeMap<String, String>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.escape_default());
    let fields: Vec<String> = map
        .iter()
        .filter(|(name, _)| {
            name.contains("ambda") || name.contains("LAMBDA") || *name == "AWS_REGION"
        })
        .map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

#[expect(clippy::exit, reason = "a function that ends is what is tested")]
fn exit(code: i32) -> ! {
    std::process::exit(code)
}

/// Leaves its process's number in a file, and waits until somebody takes that away.
fn hold(path: &str) {
    std::fs::write(path, format!("{}\n", std::process::id())).unwrap();
    while std::path::Path::new(path).exists() {
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
}

/// The same process goes on with another behaviour, and the pipes of its output are closed.
#[cfg(unix)]
fn go_on_in_silence(behaviour: &str) -> ! {
    use std::os::unix::process::CommandExt;
    use std::process::Stdio;

    let error = Command::new(env::current_exe().unwrap())
        .args(ARGS)
        .env("BEHAVIOUR", behaviour)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .exec();
    panic!("{error}")
}

#[cfg(not(unix))]
fn go_on_in_silence(_behaviour: &str) -> ! {
    panic!("no process can become another here")
}

/// Until it is killed.
fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

/// One request on a connection of its own. None: the API is gone.
pub(crate) fn request(api: &str, method: &str, path: &str, body: &str) -> Option<Reply> {
    request_with(api, method, path, "", body)
}

/// One request with more header lines, each with its line break.
pub(crate) fn request_with(
    api: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Option<Reply> {
    let mut stream = TcpStream::connect(api).ok()?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(Reply {
        status,
        headers: headers.collect(),
        body: body.to_owned(),
    })
}
