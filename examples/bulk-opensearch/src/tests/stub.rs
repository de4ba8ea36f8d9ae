//! A server on loopback that answers as a test tells it: one request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `POST /orders/_bulk HTTP/1.1`
    pub(crate) line: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known == name)?;
        Some(value)
    }

    /// The id and the text of each document.
    pub(crate) fn documents(&self) -> Vec<(String, String)> {
        let lines: Vec<&str> = self.body.lines().collect();
        let pairs = lines.chunks(2).map(|pair| {
            let action: Value = serde_json::from_str(pair[0]).unwrap();
            let id = action["create"]["_id"].as_str().unwrap();
            (id.to_owned(), pair[1].to_owned())
        });
        pairs.collect()
    }

    /// The numbers of its orders.
    pub(crate) fn orders(&self) -> Vec<i64> {
        let orders = self.documents().into_iter().map(|(_, document)| {
            let order: Value = serde_json::from_str(&document).unwrap();
            order["order_id"].as_i64().unwrap()
        });
        orders.collect()
    }
}

/// An answer: its status, more headers, its body.
#[derive(Clone, Debug)]
pub(crate) struct Answer(pub(crate) u16, pub(crate) &'static str, pub(crate) String);

impl Answer {
    /// What OpenSearch says of documents with these statuses.
    pub(crate) fn items(statuses: &[u16]) -> Self {
        let items = statuses.iter().map(|status| match status {
            200..=299 => json!({ "create": { "_id": "x", "status": status } }),
            _ => json!({ "create": { "_id": "x", "status": status, "error": {
                "type": "some_exception", "reason": "failed to parse: Preview of field's value: 'secret'",
            } } }),
        });
        let items: Vec<Value> = items.collect();
        Self(
            200,
            "",
            json!({ "took": 1, "errors": true, "items": items }).to_string(),
        )
    }

    /// All documents of a request were created.
    pub(crate) fn created(request: &Request) -> Self {
        Self::items(&vec![201; request.documents().len()])
    }
}

pub(crate) struct Stub {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Stub {
    /// Answers each request with what `answer` makes of it and of the number of requests before it, until the process ends.
    pub(crate) fn new(answer: impl Fn(&Request, usize) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let request = read(&stream);
                let before = kept.lock().unwrap().len();
                kept.lock().unwrap().push(request.clone());
                write(&stream, &answer(&request, before));
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let mut request = Request {
        line: line.trim().to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
    let length = request.header("content-length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    lines.read_exact(&mut body).unwrap();
    request.body = String::from_utf8(body).unwrap();
    request
}

fn write(mut stream: &TcpStream, Answer(status, headers, body): &Answer) {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    // Who has asked may be gone.
    let _ = stream.write_all(text.as_bytes());
}
