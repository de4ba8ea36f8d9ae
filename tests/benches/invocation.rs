//! What a record costs where a user pays for it: the time of real functions over the Runtime API, less that of a function that reads the body and answers.
//!
//! Ours is the sample function with its default settings (partition order, ledger in memory), without a service; beside it a function whose handler takes `Record` alone. Theirs is the loop
//! that people write over `aws_lambda_events`, which decodes base64 and parses the order, or parses nothing. Each function has a process of its own, which stays warm; all take
//! the same event in turn, and each turn has new offsets, so that no record is known. The least of the turns counts.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Environment, Function, Invocation, Logs};
use tests::{HEADERS, build_release};

/// With the first word of a shape's name and a number behind it: only that shape, in so many turns.
const ONLY: &str = "--only";
/// With a folder behind it: the functions are those that lie there, laid out as in `target/release`.
const BUILT: &str = "--built";
const TURNS: usize = 11;

#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    records: usize,
    /// Of the note that fills an order up.
    note_bytes: usize,
    headers: bool,
}

/// About as large as an event gets, base64 included.
const SHAPES: [Shape; 4] = [
    Shape {
        name: "12,000 small",
        records: 12_000,
        note_bytes: 120,
        headers: false,
    },
    Shape {
        name: "4,800 with headers",
        records: 4_800,
        note_bytes: 250,
        headers: true,
    },
    Shape {
        name: "4,000 of 1 kB",
        records: 4_000,
        note_bytes: 900,
        headers: false,
    },
    Shape {
        name: "100 of 40 kB",
        records: 100,
        note_bytes: 43_000,
        headers: false,
    },
];

impl Shape {
    /// Three partitions, whose offsets go on from turn to turn.
    fn event(self, turn: usize) -> Bytes {
        let samples = (0..self.records).map(|index| {
            let customer = format!("c-{:06}", index % 5_000);
            let note = "leave it with the neighbours, please. ".repeat(self.note_bytes / 38 + 1);
            let sample = Sample::new("orders", (index % 3) as i32)
                .offset((turn * self.records + index) as i64)
                .key(&customer)
                .value(format!(
                    r#"{{"order_id":{index},"customer_id":"{customer}","amount_cents":1250,"currency":"EUR","note":"{}"}}"#,
                    &note[..self.note_bytes]
                ));
            let headers = self.headers.then_some(HEADERS).into_iter().flatten();
            headers.fold(sample, |sample, (name, value)| sample.header(name, value))
        });
        Event::msk().records(samples).to_json().into()
    }
}

fn function(program: &Path) -> Function {
    Function::new(program).memory_mb(512).logs(Logs::Discard)
}

async fn took(environment: &mut Environment, event: &Bytes) -> Duration {
    let invocation = Invocation::new(event.clone(), Duration::from_secs(60));
    let report = environment
        .invoke(&invocation)
        .await
        .expect("the function answers");
    report.duration
}

fn least(times: &[Duration]) -> Duration {
    times.iter().copied().min().unwrap_or_default()
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The folder with the functions.
fn built() -> PathBuf {
    let _ = build_release(&["-p", "handler", "--bin", "handler"]);
    build_release(&["-p", "tests", "--example", "plain", "--example", "record"])
}

fn functions(release: &Path) -> [Function; 5] {
    let plain = |way| function(&release.join("examples/plain")).env("WAY", way);
    [
        plain("floor"),
        plain("orders"),
        function(&release.join("handler")),
        plain("records"),
        function(&release.join("examples/record")),
    ]
}

async fn measure(release: &Path, shape: Shape, turns: usize) {
    let mut environments = functions(release).map(Environment::new);
    let mut times = [const { Vec::new() }; 5];
    for turn in 0..=turns {
        let event = shape.event(turn);
        for (environment, times) in environments.iter_mut().zip(&mut times) {
            let took = took(environment, &event).await;
            // The first one starts the process.
            if turn > 0 {
                times.push(took);
            }
        }
    }
    for environment in environments {
        environment.stop().await;
    }
    let [floor, ..] = &times;
    for (name, of) in [("least", least as fn(&[Duration]) -> _), ("median", median)] {
        let floor = of(floor).as_secs_f64();
        // Below zero on a machine whose noise is larger than what is measured.
        let nanoseconds =
            |times: &[Duration]| (of(times).as_secs_f64() - floor) * 1e9 / shape.records as f64;
        let compared = |theirs, ours| {
            let (theirs, ours) = (nanoseconds(theirs), nanoseconds(ours));
            let ratio = match theirs > 0.0 && ours > 0.0 {
                true => format!("{:.2}x", theirs / ours),
                false => "lost in the noise".to_owned(),
            };
            format!("loop {theirs:8.0} ns, ours {ours:8.0} ns, {ratio:>6}")
        };
        let [_, loop_orders, orders, loop_records, records] = &times;
        println!(
            "{:20} {name:6}  floor {:6.2} ms  orders: {}  records: {}",
            shape.name,
            floor * 1e3,
            compared(loop_orders, orders),
            compared(loop_records, records),
        );
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    // Under `cargo test --benches` there is nothing to measure.
    if !args.iter().any(|arg| arg == "--bench") {
        return;
    }
    let only = args.iter().position(|arg| arg == ONLY);
    let only = only.map(|at| {
        (
            args[at + 1].as_str(),
            args[at + 2].parse().expect("a number of turns"),
        )
    });
    let release = args.iter().position(|arg| arg == BUILT);
    let release = release.map_or_else(built, |at| PathBuf::from(&args[at + 1]));
    println!("nanoseconds a record over the Runtime API, less the floor");
    for shape in SHAPES {
        let turns = match only {
            None => TURNS,
            Some((name, turns)) if shape.name.contains(name) => turns,
            Some(_) => continue,
        };
        measure(&release, shape, turns).await;
    }
}
