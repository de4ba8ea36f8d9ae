//! The time from a process's start to its first request for an event: the sample function, against one with lambda_runtime and the AWS SDK, which neither uses. Both as deployed.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::path::Path;
use std::time::Duration;

use msk_mapping::{Environment, Function, Invocation, Logs};
use tests::build_release;

const EVENT: &str = r#"{"eventSource":"aws:kafka","records":{}}"#;

/// Init and first invocation of a process of its own.
async fn start(program: &Path) -> (Duration, Duration) {
    let mut environment = Environment::new(Function::new(program).logs(Logs::Discard));
    let invocation = Invocation::new(EVENT, Duration::from_secs(10));
    let report = environment
        .invoke(&invocation)
        .await
        .expect("the function starts");
    environment.stop().await;
    let init = report.init.expect("the process is new");
    (init, report.duration)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    const TURNS: usize = 41;
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let handler = build_release(&["-p", "handler", "--bin", "handler"]).join("handler");
    let bare = build_release(&["-p", "tests", "--example", "bare"]).join("examples/bare");
    let programs = [handler, bare];
    let mut inits = [const { Vec::new() }; 2];
    let mut firsts = [const { Vec::new() }; 2];
    for _ in 0..TURNS {
        for (index, program) in programs.iter().enumerate() {
            let (init, first) = start(program).await;
            inits[index].push(init);
            firsts[index].push(first);
        }
    }
    let [ours, bare] = inits.map(median);
    let [our_first, bare_first] = firsts.map(median);
    println!(
        "init             {ours:6.2} ms, lambda_runtime and the SDK {bare:6.2} ms: {:.2}x",
        ours / bare
    );
    println!(
        "first invocation {our_first:6.2} ms, lambda_runtime and the SDK {bare_first:6.2} ms: {:.2}x",
        our_first / bare_first
    );
    for program in programs {
        let bytes = std::fs::metadata(&program).expect("it was built").len();
        println!("{}: {bytes} bytes", program.display());
    }
}
