//! Lambda's Runtime API around the real binary, which is frozen between invocations.

#![allow(
    clippy::disallowed_methods,
    reason = "a process of its own has the machine's clock"
)]

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::http::{Answer, serve};

/// How long an invocation may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The trace that X-Ray names, and its parent.
pub(crate) const X_RAY: [&str; 2] = ["5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"];

pub(crate) struct Lambda {
    process: Child,
    events: Sender<String>,
    answers: Receiver<(String, Vec<u8>)>,
}

impl Lambda {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let (events, given) = channel::<String>();
        let (answered, answers) = channel();
        let (given, answered) = (Mutex::new(given), Mutex::new(answered));
        let address = serve(move |request| {
            if request.method == "POST" {
                let answer = (request.path, request.body);
                answered.lock().unwrap().send(answer).unwrap();
                return Answer::of("202 Accepted");
            }
            let Ok(event) = given.lock().unwrap().recv() else {
                return Answer::of("500 Over");
            };
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let [trace, parent] = X_RAY;
            let root = format!("Root=1-{}-{}", &trace[..8], &trace[8..]);
            Answer {
                headers: vec![
                    ("Lambda-Runtime-Aws-Request-Id", "8476a536".to_owned()),
                    (
                        "Lambda-Runtime-Deadline-Ms",
                        (now + TIMEOUT).as_millis().to_string(),
                    ),
                    (
                        "Lambda-Runtime-Invoked-Function-Arn",
                        "arn:aws:lambda:eu-west-1:1:function:shop".to_owned(),
                    ),
                    (
                        "Lambda-Runtime-Trace-Id",
                        format!("{root};Parent={parent};Sampled=0"),
                    ),
                ],
                body: event.into_bytes(),
                ..Answer::of("200 OK")
            }
        });
        let process = Command::new(env!("CARGO_BIN_EXE_traced"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "shop")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            process,
            events,
            answers,
        }
    }

    /// Gives it an event, and freezes it once its answer has come. How long that took.
    pub(crate) fn invoke(&self, event: String) -> Duration {
        let began = Instant::now();
        self.events.send(event).unwrap();
        let (path, body) = self.answers.recv_timeout(TIMEOUT * 2).unwrap();
        self.signal("STOP");
        assert!(
            path.ends_with("/response"),
            "{path}: {}",
            String::from_utf8_lossy(&body)
        );
        began.elapsed()
    }

    /// What it says of its configuration, instead of asking for an event.
    pub(crate) fn refusal(&self) -> String {
        let (path, body) = self.answers.recv_timeout(TIMEOUT * 2).unwrap();
        assert!(path.ends_with("/init/error"), "{path}");
        String::from_utf8(body).unwrap()
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {pid}")])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
