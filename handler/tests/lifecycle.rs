//! The real binary in the ways that Lambda runs one: several invocations at once, told to end, from a snapshot, out of time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use lambda_msk::testing::{Event, EventBuilder, Sample};
use msk_mapping::{Answer, Delivered, Identity, Invocation, Readiness, RuntimeApi};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::{Service, TIMEOUT, all_done, answer, deliver, event, function};

/// One order a record; the order's number is the record's offset.
fn orders(partition: i32, offsets: impl IntoIterator<Item = i64>) -> EventBuilder {
    let order = |offset: i64| {
        let order = json!({"order_id": offset, "customer_id": "c-1", "amount_cents": 1});
        Sample::new("orders", partition).offset(offset).json(&order)
    };
    Event::msk().records(offsets.into_iter().map(order))
}

fn listed(partition: &str, offset: i64) -> Value {
    json!({"itemIdentifier": {"partition": partition, "offset": offset}})
}

type Log = Lines<BufReader<ChildStdout>>;

/// The binary with a Runtime API of its own, driven step by step.
struct Running {
    api: RuntimeApi,
    child: Child,
    log: Log,
}

impl Running {
    /// Started, and waiting for its first event.
    async fn start(variables: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::bind(Identity::new("orders", "eu-central-1"))
            .await
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "orders")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        assert_eq!(api.ready(TIMEOUT).await, Readiness::Ready);
        let log = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { api, child, log }
    }

    async fn invoke(&self, event: EventBuilder) -> Value {
        let invocation = Invocation::new(event.to_json(), TIMEOUT);
        response(self.api.invoke(&invocation).await.unwrap())
    }
}

fn response(delivered: Delivered) -> Value {
    match delivered.answer {
        Answer::Response(body) => serde_json::from_slice(&body).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Waits for the process's end, and reads the rest of its log.
async fn ended(mut child: Child, mut log: Log) -> (ExitStatus, String) {
    let status = timeout(TIMEOUT, child.wait()).await.unwrap().unwrap();
    let mut rest = String::new();
    while let Some(line) = log.next_line().await.unwrap() {
        rest += &(line + "\n");
    }
    (status, rest)
}

fn terminate(child: &Child) {
    let id = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
}

/// Reads the log up to a line with that text.
async fn says(log: &mut Log, text: &str) {
    let read = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains(text) {
                return;
            }
        }
        panic!("the log ended without {text:?}");
    };
    timeout(TIMEOUT, read).await.unwrap();
}

#[tokio::test]
async fn on_managed_instances_four_invocations_run_at_once_and_each_gets_its_own_answer() {
    // Orders 1 and 3 are not taken, however often they are sent.
    let odd = |_, body: &str| {
        let order: Value = serde_json::from_str(body).unwrap();
        if order["order_id"].as_u64().unwrap() % 2 == 1 {
            503
        } else {
            200
        }
    };
    let service = Service::holding(odd).await;
    let url = service.url();
    let variables = [
        ("FULFILMENT_URL", url.as_str()),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "4"),
    ];
    let running = Running::start(&variables).await;

    let all_have_come = async {
        // Nothing is answered before: only invocations that overlap get past this.
        timeout(TIMEOUT, service.come(4)).await.unwrap();
        service.release();
    };
    let (a, b, c, d, ()) = tokio::join!(
        running.invoke(orders(0, [0])),
        running.invoke(orders(1, [1])),
        running.invoke(orders(2, [2])),
        running.invoke(orders(3, [3])),
        all_have_come
    );

    assert_eq!([a, c], [all_done(), all_done()]);
    assert_eq!(b, json!({"batchItemFailures": [listed("orders-1", 1)]}));
    assert_eq!(d, json!({"batchItemFailures": [listed("orders-3", 3)]}));
}

#[tokio::test]
async fn a_shutdown_signal_lets_a_running_invocation_answer() {
    let service = Service::holding(|_, _| 200).await;
    let url = service.url();
    let running = Running::start(&[("FULFILMENT_URL", &url)]).await;
    let Running {
        api,
        child,
        mut log,
    } = running;
    let invocation = Invocation::new(orders(0, [0]).to_json(), TIMEOUT);

    let terminated = async {
        timeout(TIMEOUT, service.come(1)).await.unwrap();
        terminate(&child);
        says(&mut log, "shutdown signal").await;
        service.release();
    };
    let (delivered, ()) = tokio::join!(api.invoke(&invocation), terminated);
    let (status, rest) = ended(child, log).await;

    assert_eq!(response(delivered.unwrap()), all_done());
    assert_eq!(status.code(), Some(0));
    assert!(!rest.contains("was still running"), "{rest}");
}

#[tokio::test]
async fn a_shutdown_signal_ends_an_idle_function_at_once() {
    let Running {
        api: _api,
        child,
        mut log,
    } = Running::start(&[]).await;

    terminate(&child);
    says(&mut log, "shutdown signal").await;
    let (status, rest) = ended(child, log).await;

    assert_eq!(status.code(), Some(0));
    assert!(!rest.contains("was still running"), "{rest}");
}

#[tokio::test]
async fn a_function_that_was_restored_from_a_snapshot_works() {
    let mut function = function(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")]);

    let report = deliver(&mut function, event("orders.json")).await;
    function.stop().await;

    assert_eq!(answer(&report), all_done());
}

#[tokio::test]
async fn what_is_slower_than_the_time_out_is_listed_before_lambda_ends_it() {
    let service = Service::holding(|_, _| 200).await;
    let mut function = function(&[
        ("FULFILMENT_URL", &service.url()),
        ("LAMBDA_MSK_FAILURE_REPORTING", "partial"),
    ]);
    let given = Duration::from_secs(2);

    let invocation = Invocation::new(orders(0, [7, 8]).to_json(), given);
    let report = function.invoke(&invocation).await.unwrap();
    service.release();
    let next = deliver(&mut function, orders(0, [9]).to_json()).await;
    function.stop().await;

    assert_eq!(
        answer(&report),
        json!({"batchItemFailures": [listed("orders-0", 7), listed("orders-0", 8)]})
    );
    assert!(report.duration < given, "{:?}", report.duration);
    assert_eq!(answer(&next), all_done());
    assert!(next.init.is_none(), "the process was started anew");
}
