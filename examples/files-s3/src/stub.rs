//! A bucket on loopback for the tests, which does what a test says: it takes objects, refuses them, or loses its answers.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, Credentials};

/// What becomes of a request.
pub(crate) enum Reply {
    /// As S3 does with a bucket that it has.
    Served,
    /// It is served, and the connection ends without an answer.
    Lost,
    /// A status, and a code of S3.
    Refused(u16, &'static str),
}

/// An object: the SHA-256 in its metadata, and what it holds.
pub(crate) type Object = (String, Vec<u8>);

#[derive(Default)]
struct Shared {
    objects: BTreeMap<String, Object>,
    /// Method and key of each request.
    came: Vec<(String, String)>,
}

/// The bucket `my-bucket`.
pub(crate) struct Stub {
    url: String,
    shared: Arc<Mutex<Shared>>,
}

type Says = dyn Fn(usize, &str) -> Reply + Send + Sync;

impl Stub {
    /// A bucket in which each request is answered as it says, by its number and its method.
    pub(crate) fn start(says: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let (says, all): (Arc<Says>, _) = (Arc::new(says), Arc::clone(&shared));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (says, shared) = (Arc::clone(&says), Arc::clone(&all));
                std::thread::spawn(move || serve(&stream, &*says, &shared));
            }
        });
        Self { url, shared }
    }

    /// A client whose retries do not wait.
    pub(crate) async fn client(&self) -> Client {
        self.client_with(|config| config).await
    }

    /// The same with a change.
    pub(crate) async fn client_with(&self, change: impl FnOnce(Builder) -> Builder) -> Client {
        let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(retries)
            .endpoint_url(&self.url)
            .load()
            .await;
        Client::from_conf(change(Builder::from(&config).force_path_style(true)).build())
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        lock(&self.shared).objects.clone()
    }

    /// Puts an object there.
    pub(crate) fn holds(&self, key: &str, lines_sha256: &str) {
        let object = (lines_sha256.to_owned(), b"of others".to_vec());
        lock(&self.shared).objects.insert(key.to_owned(), object);
    }

    pub(crate) fn came(&self) -> Vec<(String, String)> {
        lock(&self.shared).came.clone()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request of a connection. *None: the other side has ended it.*
fn serve(mut stream: &TcpStream, says: &Says, shared: &Mutex<Shared>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?);
    let headers: HashMap<String, &str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let header = |name: &str| headers.get(name).copied().unwrap_or_default();
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let key = path.split('?').next()?.strip_prefix("/my-bucket/")?;
    let key = key.replace("%2B", "+");
    let number = {
        let mut shared = lock(shared);
        shared.came.push((method.clone(), key.clone()));
        shared.came.len() - 1
    };
    let reply = says(number, &method);
    if let Reply::Refused(status, code) = reply {
        return answer(
            stream,
            status,
            "",
            &format!("<Error><Code>{code}</Code></Error>"),
            &method,
        );
    }
    let (status, metadata) = served(&mut lock(shared), &method, key, header, body);
    if matches!(reply, Reply::Lost) {
        return None;
    }
    stream.flush().ok()?;
    let more = metadata.map(|it| format!("x-amz-meta-lines-sha256: {it}\r\n"));
    answer(stream, status, &more.unwrap_or_default(), "", &method)
}

/// The status, and the metadata of an object that was asked for.
fn served<'h>(
    shared: &mut Shared,
    method: &str,
    key: String,
    header: impl Fn(&str) -> &'h str,
    body: Vec<u8>,
) -> (u16, Option<String>) {
    let there = shared.objects.get(&key);
    match (method, there) {
        ("PUT", Some(_)) if header("if-none-match") == "*" => (412, None),
        ("PUT", _) => {
            let object = (header("x-amz-meta-lines-sha256").to_owned(), body);
            shared.objects.insert(key, object);
            (200, None)
        }
        (_, Some((known, _))) => (200, Some(known.clone())),
        (_, None) => (404, None),
    }
}

fn answer(mut stream: &TcpStream, status: u16, more: &str, body: &str, method: &str) -> Option<()> {
    let body = if method == "HEAD" { "" } else { body };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).ok()
}
