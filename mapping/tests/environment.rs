//! Real processes of a function, driven over the real Runtime API. The function is this test binary itself.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "support/function.rs"]
mod function;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use msk_mapping::{
    Ending, Environment, Error, Exit, Function, Invocation, LogStream, Logs, Phase, Report,
};
use serde_json::Value;

const SECONDS_MAX: Duration = Duration::from_secs(20);

#[test]
#[ignore = "the function that the other tests start"]
fn the_function() {
    function::run();
}

/// This test binary as a function.
fn behaving(behaviour: &str) -> Function {
    Function::new(std::env::current_exe().unwrap())
        .args(function::ARGS)
        .env("BEHAVIOUR", behaviour)
        .name("orders")
        .logs(Logs::Discard)
}

fn event() -> Invocation {
    Invocation::new(r#"{"records":{}}"#, SECONDS_MAX)
}

async fn invoked(behaviour: &str) -> Report {
    Environment::new(behaving(behaviour))
        .invoke(&event())
        .await
        .unwrap()
}

fn body(report: &Report) -> Value {
    let Ending::Response(body) = &report.ending else {
        panic!("{:?}", report.ending)
    };
    serde_json::from_slice(body).unwrap()
}

fn crash(report: &Report) -> (Phase, Exit) {
    let Ending::Crashed(crash) = &report.ending else {
        panic!("{:?}", report.ending)
    };
    (crash.during, crash.exit)
}

#[tokio::test]
async fn a_function_gets_the_event_and_its_answer_comes_back_measured() {
    let report = invoked("echo").await;

    assert_eq!(body(&report), serde_json::json!({"records": {}}));
    assert!(report.request_id.is_some());
    assert!(report.init.is_some_and(|init| init > Duration::ZERO));
    assert!(report.duration > Duration::ZERO);
    assert_eq!(
        report.peak_memory.is_some_and(|bytes| bytes > 100_000),
        cfg!(target_os = "linux")
    );
}

#[tokio::test]
async fn an_event_comes_with_lambdas_headers() {
    let before = jiff::Timestamp::now().as_millisecond();
    let report = invoked("headers").await;
    let after = jiff::Timestamp::now().as_millisecond();

    let headers = body(&report);
    let header = |name: &str| headers[name].as_str().unwrap().to_owned();
    assert_eq!(
        Some(header("Lambda-Runtime-Aws-Request-Id")),
        report.request_id
    );
    assert_eq!(
        header("Lambda-Runtime-Invoked-Function-Arn")
            .rsplit_once(":123456789012:")
            .unwrap()
            .1,
        "function:orders"
    );
    assert!(header("Lambda-Runtime-Trace-Id").starts_with("Root=1-"));
    let deadline: i64 = header("Lambda-Runtime-Deadline-Ms").parse().unwrap();
    assert!(
        (before + 20_000..=after + 20_000).contains(&deadline),
        "{before} {deadline} {after}"
    );
}

#[tokio::test]
async fn a_function_finds_lambdas_variables_and_those_given() {
    let function = behaving("env")
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_LAMBDA_LOG_LEVEL", "DEBUG")
        .memory_mb(256);

    let report = Environment::new(function).invoke(&event()).await.unwrap();

    let env = body(&report);
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "orders");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_VERSION"], "$LATEST");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    assert_eq!(env["AWS_LAMBDA_INITIALIZATION_TYPE"], "on-demand");
    assert_eq!(env["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/orders");
    assert!(
        env["AWS_LAMBDA_LOG_STREAM_NAME"]
            .as_str()
            .unwrap()
            .contains("/[$LATEST]")
    );
    assert_eq!(env["AWS_LAMBDA_LOG_LEVEL"], "DEBUG");
    assert_eq!(env["AWS_REGION"], "eu-north-1");
    assert!(env["LAMBDA_TASK_ROOT"].is_string());
}

#[tokio::test]
async fn two_events_run_in_one_process() {
    let mut environment = Environment::new(behaving("count"));

    let first = environment.invoke(&event()).await.unwrap();
    let second = environment.invoke(&event()).await.unwrap();
    environment.stop().await;

    assert_eq!([&body(&first)["count"], &body(&second)["count"]], [0, 1]);
    assert_eq!(body(&first)["pid"], body(&second)["pid"]);
    assert_ne!(first.request_id, second.request_id);
    assert!(first.init.is_some() && second.init.is_none());
}

#[tokio::test]
async fn a_function_error_is_read_and_the_process_lives_on() {
    let mut environment = Environment::new(behaving("error count"));

    let first = environment.invoke(&event()).await.unwrap();
    let second = environment.invoke(&event()).await.unwrap();

    let Ending::FunctionError(error) = first.ending else {
        panic!("{:?}", first.ending)
    };
    assert_eq!(error.to_string(), "Oops: no stock");
    assert_eq!(error.stack, ["at main"]);
    assert_eq!(body(&second)["count"], 1);
}

#[tokio::test]
async fn an_init_error_is_reported_in_the_functions_words_and_the_next_event_starts_anew() {
    let mut environment = Environment::new(behaving("init-error"));

    for _ in 0..2 {
        let report = environment.invoke(&event()).await.unwrap();

        let Ending::InitError(error) = report.ending else {
            panic!("{:?}", report.ending)
        };
        assert_eq!(error.to_string(), "Config.Missing: ORDERS_URL is not set");
        assert!(report.init.is_some() && report.request_id.is_none());
    }
}

#[tokio::test]
async fn a_crash_in_the_init_names_its_exit_code() {
    assert_eq!(
        crash(&invoked("init-exit").await),
        (Phase::Init, Exit::Code(3))
    );
}

#[tokio::test]
async fn a_crash_in_the_invocation_names_its_exit_code_and_the_request() {
    let report = invoked("exit=4").await;

    assert_eq!(crash(&report), (Phase::Invocation, Exit::Code(4)));
    assert!(report.request_id.is_some());
    assert_eq!(report.ending.error_type(), Some("Runtime.ExitError"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_crash_by_a_signal_names_the_signal() {
    assert_eq!(
        crash(&invoked("abort").await),
        (Phase::Invocation, Exit::Signal(6))
    );
}

#[tokio::test]
async fn a_function_that_returns_has_crashed_and_the_next_event_starts_anew() {
    let mut environment = Environment::new(behaving("exit=0"));

    for _ in 0..2 {
        let report = environment.invoke(&event()).await.unwrap();

        assert_eq!(crash(&report), (Phase::Invocation, Exit::Code(0)));
        assert!(report.init.is_some());
    }
}

#[tokio::test]
async fn an_event_that_finds_the_process_ended_goes_to_a_new_one_uncharged() {
    for code in [0, 1] {
        let mut environment = Environment::new(behaving(&format!("answer-exit={code}")));

        let first = environment.invoke(&event()).await.unwrap();
        let second = environment.invoke(&event()).await.unwrap();

        assert_eq!(body(&first), serde_json::json!({}));
        assert!(first.replaced.is_none());
        assert_eq!(body(&second), serde_json::json!({}));
        assert!(second.init.is_some() && second.request_id.is_some());
        let Some(Ending::Crashed(crash)) = second.replaced else {
            panic!("{:?}", second.replaced);
        };
        assert_eq!((crash.during, crash.exit), (Phase::Idle, Exit::Code(code)));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_function_that_closes_its_output_is_given_the_next_events() {
    let mut environment = Environment::new(behaving("answer-silent=count"));

    let first = environment.invoke(&event()).await.unwrap();
    let second = environment.invoke(&event()).await.unwrap();
    let third = environment.invoke(&event()).await.unwrap();

    assert!(first.init.is_some());
    for (report, count) in [(second, 0), (third, 1)] {
        assert_eq!(body(&report)["count"], count);
        assert!(report.init.is_none() && report.replaced.is_none());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_event_that_finds_a_process_gone_that_had_closed_its_output_goes_to_a_new_one() {
    let mut environment = Environment::new(behaving("answer-silent=init-exit"));

    for delivery in 0..3 {
        let report = environment.invoke(&event()).await.unwrap();

        assert_eq!(body(&report), serde_json::json!({}));
        assert!(report.init.is_some() && report.request_id.is_some());
        let replaced = report.replaced.map(|ending| match ending {
            Ending::Crashed(crash) => (crash.during, crash.exit),
            other => panic!("{other:?}"),
        });
        let gone = (delivery > 0).then_some((Phase::Idle, Exit::Code(3)));
        assert_eq!(replaced, gone);
    }
}

#[tokio::test]
async fn an_event_that_a_process_never_asks_for_goes_to_a_new_one() {
    let mut environment = Environment::new(behaving("answer-hang"));
    let event = Invocation::new(r#"{"records":{}}"#, Duration::from_secs(2));

    environment.invoke(&event).await.unwrap();
    let second = environment.invoke(&event).await.unwrap();

    assert_eq!(body(&second), serde_json::json!({}));
    assert!(matches!(
        second.replaced,
        Some(Ending::TimedOut {
            during: Phase::Idle,
            ..
        })
    ));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crash_takes_the_grandchildren_with_it_also_those_in_sessions_of_their_own() {
    for behaviour in ["child-exit", "session-exit"] {
        no_grandchild_lives_on(behaviour).await;
    }
}

#[cfg(target_os = "linux")]
async fn no_grandchild_lives_on(behaviour: &str) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let logs = Logs::lines(move |line| sink.lock().unwrap().push(line.text));
    let mut environment = Environment::new(behaving(behaviour).logs(logs));

    let report = environment.invoke(&event()).await.unwrap();

    assert_eq!(crash(&report), (Phase::Invocation, Exit::Code(7)));
    let child = lines
        .lock()
        .unwrap()
        .iter()
        .find_map(|line| line.strip_prefix("child ").map(str::to_owned))
        .unwrap();
    let stat = Path::new("/proc").join(child).join("stat");
    // Gone, or dead and not yet waited for by the system; the signal itself takes a moment.
    let ended = async {
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SECONDS_MAX, ended)
        .await
        .unwrap_or_else(|_| panic!("{behaviour}: the grandchild lives on"));
}

#[tokio::test]
async fn a_function_that_hangs_is_killed_when_its_time_is_over() {
    let mut environment = Environment::new(behaving("hang"));
    let timeout = Duration::from_millis(50);

    let report = environment
        .invoke(&Invocation::new("{}", timeout))
        .await
        .unwrap();

    assert_eq!(
        report.ending,
        Ending::TimedOut {
            during: Phase::Invocation,
            after: timeout
        }
    );
    assert!(report.duration >= timeout);
    assert!(report.peak_memory.is_some() || !cfg!(target_os = "linux"));
}

#[tokio::test]
async fn an_init_that_hangs_is_killed_when_its_time_is_over() {
    let limit = Duration::from_millis(50);
    let mut environment = Environment::new(behaving("init-hang").init_timeout(limit));

    let report = environment.invoke(&event()).await.unwrap();

    assert_eq!(
        report.ending,
        Ending::TimedOut {
            during: Phase::Init,
            after: limit
        }
    );
}

#[tokio::test]
async fn a_response_that_is_not_json_comes_back_as_it_is() {
    let Ending::Response(body) = invoked("text").await.ending else {
        panic!()
    };

    assert_eq!(body, "all fine");
}

#[tokio::test]
async fn a_response_that_is_too_large_is_a_function_error() {
    let mut environment = Environment::new(behaving("huge count"));

    let first = environment.invoke(&event()).await.unwrap();
    let second = environment.invoke(&event()).await.unwrap();

    assert_eq!(
        first.ending.error_type(),
        Some("Function.ResponseSizeTooLarge")
    );
    assert_eq!(body(&second)["count"], 1);
}

#[tokio::test]
async fn an_event_that_lambda_would_not_send_is_refused() {
    let mut environment = Environment::new(behaving("echo"));
    let event = Invocation::new(vec![b' '; 6 * 1024 * 1024 + 1], SECONDS_MAX);

    let error = environment.invoke(&event).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "expected an event of at most 6291456 bytes, found 6291457"
    );
}

#[tokio::test]
async fn the_largest_event_goes_through() {
    let mut environment = Environment::new(behaving("done"));
    let event = Invocation::new(vec![b' '; 6 * 1024 * 1024], SECONDS_MAX);

    let report = environment.invoke(&event).await.unwrap();

    assert_eq!(body(&report), serde_json::json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_named() {
    let error = Environment::new(Function::new("/nowhere/at all"))
        .invoke(&event())
        .await
        .unwrap_err();

    assert_eq!(error.to_string(), "cannot start `/nowhere/at all`");
    assert!(matches!(error, Error::Start { .. }));
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn several_environments_of_one_function_run_at_once() {
    let function = behaving("count");
    let mut environments: Vec<Environment> =
        (0..3).map(|_| Environment::new(function.clone())).collect();
    let event = event();

    let [a, b, c] = environments.as_mut_slice() else {
        panic!()
    };
    let (a, b, c) = tokio::join!(a.invoke(&event), b.invoke(&event), c.invoke(&event));

    let pids: BTreeSet<u64> = [a, b, c]
        .map(|report| body(&report.unwrap())["pid"].as_u64().unwrap())
        .into();
    assert_eq!(pids.len(), 3);
}

#[tokio::test]
async fn what_a_function_writes_comes_line_by_line() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let logs = Logs::lines(move |line| sink.lock().unwrap().push((line.stream, line.text)));
    let mut environment = Environment::new(behaving("log").logs(logs));

    environment.invoke(&event()).await.unwrap();
    environment.stop().await;

    let lines = lines.lock().unwrap();
    assert!(
        lines.contains(&(LogStream::Stdout, "to stdout".to_owned())),
        "{lines:?}"
    );
    assert!(
        lines.contains(&(LogStream::Stderr, "to stderr".to_owned())),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_function_wrote_before_its_answer_is_heard_before_the_answer() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let logs = Logs::lines(move |line| {
        // As long as a reader of lines may take, so that the answer could be told first.
        (0..2_000).for_each(|_| std::hint::spin_loop());
        sink.lock().unwrap().push(line.text);
    });
    let mut environment = Environment::new(behaving("log=500").logs(logs));

    for delivery in 1..=5 {
        environment.invoke(&event()).await.unwrap();

        let lines = lines.lock().unwrap();
        for text in ["to stdout", "to stderr"] {
            let heard = lines.iter().filter(|line| line.ends_with(text)).count();
            assert_eq!(heard, 500 * delivery);
        }
    }
}
