//! Letters in AWS's services, of which each answer is made here: what they hold back, and what they refuse.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::ours;
use crate::support::{consumer_command, start_with, stderr, stdout};

/// One request: its method and path, the operation of SQS, its headers with the line before them, and its body.
pub(super) struct Request {
    pub(super) line: String,
    target: String,
    pub(super) head: String,
    pub(super) body: String,
}

/// Answers every request of a run with what `answer` makes: a status, and a body. None: no answer, until the other side gives up.
pub(super) fn service(
    answer: impl Fn(&Request) -> Option<(u16, String)> + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (answer, lines) = (Arc::new(answer), Arc::clone(&seen));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (answer, lines) = (Arc::clone(&answer), Arc::clone(&lines));
            std::thread::spawn(move || serve(stream.unwrap(), &*answer, &lines));
        }
    });
    (url, seen)
}

fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Request) -> Option<(u16, String)> + Send + Sync),
    seen: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let headers: HashMap<String, &str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |it| it.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let request = Request {
        line: head.lines().next().unwrap().to_owned(),
        target: headers
            .get("x-amz-target")
            .copied()
            .unwrap_or_default()
            .to_owned(),
        head: head.clone(),
        body: String::from_utf8(body).unwrap(),
    };
    seen.lock()
        .unwrap()
        .push(format!("{} {}", request.line, request.target));
    match answer(&request) {
        Some((status, body)) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
        None => drop(reader.read(&mut [0])),
    }
}

fn run(url: &str, args: &[&str], input: &str) -> Output {
    let env = [
        // Of each service: `tests/services/run` sets some, which count more than the one for all.
        ("AWS_ENDPOINT_URL_S3", url),
        ("AWS_ENDPOINT_URL_SQS", url),
        ("AWS_ENDPOINT_URL_LAMBDA", url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ];
    let child = start_with(&env, &[&["dlq"], args].concat(), input);
    child.wait_with_output().unwrap()
}

#[test]
fn an_object_that_cannot_be_fetched_is_named_and_the_others_are_read() {
    let (url, seen) = service(|request| {
        let path = request.line.split(' ').nth(1).unwrap();
        Some(if path.contains("list-type=2") {
            let contents = ["orders/a", "orders/b"]
                .map(|key| format!("<Contents><Key>{key}</Key><Size>9</Size></Contents>"))
                .concat();
            (
                200,
                format!(
                    "<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
                ),
            )
        } else if path.contains("orders/a") {
            (
                403,
                "<Error><Code>AccessDenied</Code><Message>no</Message></Error>".to_owned(),
            )
        } else {
            (200, ours(0, 1, "done", 0))
        })
    });

    let output = run(&url, &["list", "--from", "s3://dead/orders"], "");

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("1 dead letter\n"), "{text}");
    assert!(
        text.contains("an object that could not be fetched (object orders/a)"),
        "{text}"
    );
    assert!(
        stderr(&output).contains("allow s3:GetObject"),
        "{}",
        stderr(&output)
    );
    assert!(seen.lock().unwrap()[0].contains("prefix=orders%2F"));
}

#[test]
fn messages_that_a_queue_holds_back_are_counted_and_end_in_exit_1() {
    let (url, _) = service(|request| {
        let answer = match request.target.as_str() {
            "AmazonSQS.GetQueueAttributes" => json!({"Attributes": {
                "ApproximateNumberOfMessages": "7", "ApproximateNumberOfMessagesNotVisible": "1",
            }}),
            _ => json!({}),
        };
        Some((200, answer.to_string()))
    });
    let queue = format!("{url}/123456789012/orders-dlq");
    let to = ["--to", "command:true"];

    let output = run(
        &url,
        &[&["redrive", "--from", &queue], &to[..]].concat(),
        "",
    );

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("about 8 more messages were not seen"),
        "{text}"
    );
}

/// One group of a FIFO queue: the messages behind those that a reader has come once these are deleted.
#[derive(Default)]
struct Group {
    waiting: Vec<String>,
    received: Vec<usize>,
    deleted: usize,
}

impl Group {
    fn answer(&mut self, request: &Request) -> Value {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        match request.target.as_str() {
            "AmazonSQS.ReceiveMessage" if self.received.is_empty() => {
                let end = self.waiting.len().min(self.deleted + 10);
                self.received = (self.deleted..end).collect();
                let message = |at: &usize| json!({"MessageId": format!("m{at}"), "ReceiptHandle": at.to_string(), "Body": self.waiting[*at]});
                json!({"Messages": self.received.iter().map(message).collect::<Vec<_>>()})
            }
            "AmazonSQS.DeleteMessage" => {
                let at = body["ReceiptHandle"].as_str().unwrap();
                self.received.retain(|it| it.to_string() != at);
                self.deleted += 1;
                json!({})
            }
            "AmazonSQS.ChangeMessageVisibilityBatch" => json!({"Successful": [], "Failed": []}),
            "AmazonSQS.GetQueueAttributes" => {
                let there = self.waiting.len() - self.deleted - self.received.len();
                json!({"Attributes": {
                    "ApproximateNumberOfMessages": there.to_string(),
                    "ApproximateNumberOfMessagesNotVisible": self.received.len().to_string(),
                }})
            }
            _ => json!({}),
        }
    }
}

#[test]
fn letters_of_a_fifo_queue_behind_max_are_named_and_end_in_exit_1() {
    let group = Mutex::new(Group {
        waiting: (0..15).map(|offset| ours(0, offset, "done", 0)).collect(),
        ..Group::default()
    });
    let (url, _) = service(move |request| {
        let answer = group.lock().unwrap().answer(request);
        Some((200, answer.to_string()))
    });
    let queue = format!("{url}/123456789012/orders-dlq.fifo");
    let to = format!("command:{}", consumer_command());

    let args = ["redrive", "--from", &queue, "--to", &to, "--max", "10"];
    let output = run(&url, &args, "");

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("10 letters settled, 5 left"), "{text}");
    assert_eq!(text.matches("behind --max").count(), 5, "{text}");
}

#[test]
fn a_list_of_a_fifo_queue_waits_for_the_messages_of_all_groups() {
    let times = Mutex::new(0);
    let (url, _) = service(move |request| {
        let message = |at: i64| json!({"MessageId": format!("m{at}"), "ReceiptHandle": at.to_string(), "Body": ours(0, at, "done", 0)});
        let answer = match request.target.as_str() {
            "AmazonSQS.ReceiveMessage" => {
                let mut times = times.lock().unwrap();
                *times += 1;
                // A server that has nothing of another group yet, as one of SQS's may.
                match *times {
                    1 => json!({"Messages": [message(1)]}),
                    3 => json!({"Messages": [message(2)]}),
                    _ => json!({}),
                }
            }
            "AmazonSQS.GetQueueAttributes" => json!({"Attributes": {
                "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "2",
            }}),
            _ => json!({"Successful": [], "Failed": []}),
        };
        Some((200, answer.to_string()))
    });
    let queue = format!("{url}/123456789012/orders-dlq.fifo");

    let output = run(&url, &["list", "--from", &queue, "--json"], "");

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(
        (&document["count"], &document["complete"]),
        (&json!(2), &json!(true))
    );
}

#[test]
fn a_function_that_does_not_answer_in_time_is_invoked_once() {
    let (url, seen) = service(|_| None);
    let args = [
        "redrive",
        "--from",
        "-",
        "--to",
        "function:orders",
        "--timeout",
        "1s",
    ];

    let output = run(&url, &args, &ours(0, 1, "done", 0));

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("no answer in 1 s"), "{text}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_throttled_invocation_is_tried_again() {
    let times = Mutex::new(0);
    let (url, seen) = service(move |_| {
        *times.lock().unwrap() += 1;
        Some(match *times.lock().unwrap() {
            1 => (429, String::new()),
            _ => (200, r#"{"batchItemFailures":[]}"#.to_owned()),
        })
    });
    let args = ["redrive", "--from", "-", "--to", "function:orders"];

    let output = run(&url, &args, &ours(0, 1, "done", 0));

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_pause_between_two_tries() {
    let (sender, throttled) = std::sync::mpsc::channel();
    let sender = Mutex::new(sender);
    let (url, seen) = service(move |_| {
        let _ = sender.lock().unwrap().send(());
        Some((429, String::new()))
    });
    let env = [
        ("AWS_ENDPOINT_URL_LAMBDA", &*url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ];
    let args = ["dlq", "redrive", "--from", "-", "--to", "function:orders"];
    let child = start_with(&env, &args, &ours(0, 1, "done", 0));

    throttled.recv_timeout(Duration::from_secs(60)).unwrap();
    super::interrupt(&child);
    let output = child.wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("ended before the rest"), "{text}");
    assert!(seen.lock().unwrap().len() < 5);
}
