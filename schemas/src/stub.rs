//! An HTTP server in the process for tests, which answers by script and notes what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "confluent"),
    expect(dead_code, reason = "of its tests alone")
)]
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Says(u16, String),
    /// Answers, and closes the connection without a word of it: as a server does while a function is frozen.
    SaysAndCloses(u16, String),
    /// Redirects.
    Redirects(String),
    /// Closes the connection without an answer.
    Breaks,
    /// Answers with a body of so many bytes, in chunks.
    Endless(usize),
}

/// A server on loopback. It ends with the runtime of its test.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) head: String,
    #[cfg_attr(not(feature = "glue"), expect(dead_code, reason = "of POST alone"))]
    pub(crate) body: String,
}

type Script = Arc<dyn Fn(usize, &Request) -> Reply + Send + Sync>;

impl Server {
    /// A server that answers by path, and others as a registry that does not know what is asked for.
    pub(crate) async fn of<const N: usize>(answers: [(&str, Reply); N]) -> Self {
        let answers: HashMap<String, Reply> = answers
            .into_iter()
            .map(|(path, reply)| (path.to_owned(), reply))
            .collect();
        Self::by(move |_, request| {
            let answer = answers.get(&request.target).cloned();
            answer.unwrap_or_else(|| Reply::Says(404, r#"{"error_code":40403}"#.to_owned()))
        })
        .await
    }

    /// A server that answers by a request and the number of those before it.
    pub(crate) async fn by(
        script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
        };
        let (requests, script): (_, Script) = (server.requests.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, requests.clone(), script.clone()));
            }
        });
        server
    }

    /// What was asked for, in its order.
    pub(crate) fn targets(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|asked| asked.target.clone()).collect()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, requests: Arc<Mutex<Vec<Request>>>, script: Script) {
    while let Some(request) = read(&mut stream).await {
        let before = {
            let mut requests = requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        match script(before, &request) {
            Reply::Says(status, body) => {
                let head = format!(
                    "HTTP/1.1 {status} S\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).await.unwrap();
            }
            Reply::SaysAndCloses(status, body) => {
                let head = format!(
                    "HTTP/1.1 {status} S\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).await.unwrap();
                // The next request on this connection is read, and answered by its end.
                let _ = read(&mut stream).await;
                return;
            }
            Reply::Redirects(to) => {
                let head = format!("HTTP/1.1 302 S\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
            }
            Reply::Breaks => return,
            Reply::Endless(bytes) => {
                let head = "HTTP/1.1 200 S\r\ntransfer-encoding: chunked\r\n\r\n";
                let _ = stream.write_all(head.as_bytes()).await;
                let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
                for _ in 0..bytes / 0x10000 {
                    if stream.write_all(chunk.as_bytes()).await.is_err() {
                        return;
                    }
                }
                let _ = stream.write_all(b"0\r\n\r\n").await;
            }
        }
    }
}

/// The next request. None: the other side closed the connection.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let length = name.eq_ignore_ascii_case("content-length");
        length.then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let body = String::from_utf8(body).unwrap();
    Some(Request { target, head, body })
}
