//! The Runtime API beside AWS's own: one binary under both, with the same events, gives the same answers.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
use serde_json::{Value, json};

use crate::support::build::forward;
use crate::support::function::request;

/// AWS's emulator with the function in it.
struct Emulator {
    address: String,
    process: Child,
}

impl Emulator {
    fn start() -> Self {
        let program =
            std::env::var("LAMBDA_MSK_RIE").expect("LAMBDA_MSK_RIE: make test-services sets it");
        let [address, api] = [free(), free()];
        let mut command = Command::new(program);
        command
            .args(["--runtime-interface-emulator-address", &address])
            .args(["--runtime-api-address", &api])
            .arg(forward())
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "30")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for (name, value) in VARIABLES {
            command.env(name, value);
        }
        let process = command.spawn().unwrap();
        while TcpStream::connect(&address).is_err() {
            std::thread::yield_now();
        }
        Self { address, process }
    }

    fn invoke(&self, event: &str) -> Value {
        let path = "/2015-03-31/functions/function/invocations";
        let reply = request(&self.address, "POST", path, event).unwrap();
        serde_json::from_str(&reply.body).unwrap()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}

const VARIABLES: [(&str, &str); 2] = [
    ("LAMBDA_MSK_FAILURE_REPORTING", "partial"),
    ("AWS_LAMBDA_LOG_LEVEL", "FATAL"),
];

/// Every sample event, in the order of their names.
fn events() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut events: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    events.sort();
    assert!(events.len() > 5);
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs AWS's emulator: make test-services"]
async fn a_function_answers_alike_under_awss_own_emulator_and_ours() {
    let theirs = Emulator::start();
    let function = Function::new(forward()).logs(Logs::Discard);
    let function = VARIABLES
        .into_iter()
        .fold(function, |function, (name, value)| {
            function.env(name, value)
        });
    let mut ours = Environment::new(function);
    let mut errors = 0;

    for path in events() {
        let event = std::fs::read_to_string(&path).unwrap();
        let invocation = Invocation::new(event.clone(), Duration::from_secs(30));
        let our_answer = match ours.invoke(&invocation).await.unwrap().ending {
            Ending::Response(body) => serde_json::from_slice(&body).unwrap(),
            Ending::FunctionError(error) => {
                errors += 1;
                json!({"errorType": error.error_type, "errorMessage": error.message})
            }
            other => panic!("{}: {other:?}", path.display()),
        };
        let mut their_answer = theirs.invoke(&event);
        if let Some(answer) = their_answer.as_object_mut() {
            // Rust functions have none, and the emulator passes on what it was sent.
            answer.remove("stackTrace");
        }

        assert_eq!(our_answer, their_answer, "{}", path.display());
    }
    assert!(errors >= 1, "an event that is no Kafka event is among them");
    ours.stop().await;
}
