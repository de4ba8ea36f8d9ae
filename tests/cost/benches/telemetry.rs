//! What metrics and spans change of an invocation's time, as Lambda would bill it: real functions over the Runtime API, each with and without them, in turns. The least of all turns counts, over
//! several processes of each: two of the same function differ by up to a twentieth for as long as they live.
//!
//! Metrics: the sample function, which writes a line to its standard output. Spans: the function of the template `traced`, whose records have no trace, so that there is the invocation's span alone; it goes over
//! HTTP to a collector of the bench before each answer.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Environment, Function, Invocation, Logs};
use tests::build_release;
use tokio::net::TcpListener;

/// With a number behind it: so many turns.
const TURNS: &str = "--turns";
const TURNS_DEFAULT: usize = 31;
/// Pairs of processes.
const PAIRS: usize = 6;
/// Records of an invocation, and bytes of the note that fills each up.
const SHAPES: [(usize, usize); 3] = [(100, 200), (1_000, 200), (10_000, 150)];

/// Three partitions, whose offsets go on from turn to turn: no record is known.
fn event(records: usize, note_bytes: usize, turn: usize) -> Bytes {
    let samples = (0..records).map(|index| {
        Sample::new("orders", (index % 3) as i32)
            .offset((turn * records + index) as i64)
            .value(format!(
                r#"{{"order_id":{index},"customer_id":"c-{}","amount_cents":1250,"note":"{}"}}"#,
                index % 5_000,
                "x".repeat(note_bytes)
            ))
    });
    Event::msk().records(samples).to_json().into()
}

/// Takes all spans, and answers at once.
async fn collector() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(async |request: Request<Incoming>| {
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
            });
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), answer));
        }
    });
    format!("http://{address}")
}

/// A function without what is measured, and with it.
fn pair(program: &Path, variable: &str, values: [&str; 2], env: &[(&str, &str)]) -> [Function; 2] {
    values.map(|value| {
        let function = Function::new(program).memory_mb(512).logs(Logs::Discard);
        let function = function.env(variable, value);
        env.iter().fold(function, |function, (name, value)| {
            function.env(*name, *value)
        })
    })
}

async fn measure(name: &str, functions: [Function; 2], turns: usize) {
    let mut least = [[Duration::MAX; 2]; SHAPES.len()];
    let mut offsets = 0;
    for pair in 0..PAIRS {
        let mut environments = functions.clone().map(Environment::new);
        for ((records, note_bytes), least) in SHAPES.into_iter().zip(&mut least) {
            for turn in 0..=turns {
                offsets += 10;
                let event = event(records, note_bytes, offsets);
                // Neither is always the first to read what has just been written.
                for at in 0..2 {
                    let with = (at + turn + pair) % 2;
                    let invocation = Invocation::new(event.clone(), Duration::from_secs(60));
                    let report = environments[with].invoke(&invocation).await;
                    let took = report.expect("the function answers").duration;
                    // The first one starts the process, or is the first of its size.
                    if turn > 0 {
                        least[with] = took.min(least[with]);
                    }
                }
            }
        }
        for environment in environments {
            environment.stop().await;
        }
    }
    for ((records, _), least) in SHAPES.into_iter().zip(least) {
        let [without, with] = least.map(|least| least.as_secs_f64() * 1e3);
        println!(
            "{name:8} {records:6} records: {without:7.3} ms without, {with:7.3} ms with: {:.3}x",
            with / without
        );
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    // Under `cargo test --benches` there is nothing to measure.
    if !args.iter().any(|arg| arg == "--bench") {
        return;
    }
    let turns = args.iter().position(|arg| arg == TURNS);
    let turns = turns.map_or(TURNS_DEFAULT, |at| {
        args[at + 1].parse().expect("a number of turns")
    });
    let handler = build_release(&["-p", "handler", "--bin", "handler"]).join("handler");
    let traced = build_release(&["-p", "traced", "--no-default-features"]).join("traced");
    let collector = collector().await;
    println!("an invocation's time, the least of {turns} turns of each of {PAIRS} processes");
    let metrics = pair(&handler, "LAMBDA_MSK_METRICS", ["none", "emf:bench"], &[]);
    measure("metrics", metrics, turns).await;
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str()),
        ("LAMBDA_MSK_METRICS", "none"),
    ];
    let spans = pair(&traced, "LAMBDA_MSK_TRACES", ["none", "sampled"], &env);
    measure("spans", spans, turns).await;
}
