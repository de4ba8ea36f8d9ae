//! Decoding an event: ours, against the way that lambda_runtime takes with aws_lambda_events, on the four shapes of about 6 MB each.
//!
//! lambda_runtime keeps its deserializer to itself, so its two lines stand here as they stand there (1.5, `src/deserializer.rs`): a `serde_json::Deserializer` over the body under
//! `serde_path_to_error`. Theirs leaves keys and values in base64; ours decodes them, and makes the records that handlers get.
//!
//! After divan's table comes a line a shape with the ratios of the quickest runs. For it each way runs in processes of its own, in turns: the allocator tunes itself by what a process
//! frees, and a function takes one way only. In divan's table, where all share a process, what is freed by one way spares the next one its page faults. Allocations are counted in
//! `tests/allocations.rs`: counting them here would slow the one that makes more.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and ends where it cannot go on"
)]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_lambda_events::kafka::KafkaEvent;
use bytes::Bytes;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use lambda_msk::Record;
use lambda_msk::testing::{Event, Sample};
use tests::HEADERS;

/// With a way and a shape behind it: print how many nanoseconds the quickest run took, and nothing else.
const TIME: &str = "--time";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [flag, way, shape] if flag == TIME => {
            println!(
                "{}",
                quickest(
                    way.parse().unwrap(),
                    SHAPES[shape.parse::<usize>().unwrap()]
                )
            );
        }
        args => {
            divan::main();
            if args.iter().all(|arg| arg == "--bench") {
                print_ratios();
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Small12000,
    Headers4800,
    Kilobyte4000,
    FortyKilobytes100,
}

const SHAPES: [Shape; 4] = [
    Shape::Small12000,
    Shape::Headers4800,
    Shape::Kilobyte4000,
    Shape::FortyKilobytes100,
];

impl Shape {
    fn records(self) -> usize {
        match self {
            Self::Small12000 => 12_000,
            Self::Headers4800 => 4_800,
            Self::Kilobyte4000 => 4_000,
            Self::FortyKilobytes100 => 100,
        }
    }

    fn value_bytes(self) -> usize {
        match self {
            Self::Small12000 => 220,
            Self::Headers4800 => 350,
            Self::Kilobyte4000 => 1_000,
            Self::FortyKilobytes100 => 44_000,
        }
    }

    /// Three partitions, keys of eight bytes; with headers: a traceparent and three more.
    fn body(self) -> Bytes {
        let event = (0..self.records()).fold(Event::msk(), |event, index| {
            let value: Vec<u8> = (0..self.value_bytes())
                .map(|at| (at * 31 + index * 7) as u8)
                .collect();
            let sample = Sample::new("orders", (index % 3) as i32)
                .key(format!("c-{index:06}"))
                .value(value);
            event.record(match self {
                Self::Headers4800 => HEADERS
                    .into_iter()
                    .fold(sample, |sample, (name, value)| sample.header(name, value)),
                _ => sample,
            })
        });
        event.to_json().into()
    }
}

fn ours(body: &Bytes) -> Vec<Record> {
    Event::from(body.clone())
        .records()
        .expect("the event can be read")
}

fn lambda_runtime(body: &Bytes) -> KafkaEvent {
    let deserializer = &mut serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(deserializer).expect("the event can be read")
}

fn plain_serde_json(body: &Bytes) -> KafkaEvent {
    serde_json::from_slice(body).expect("the event can be read")
}

fn run<T>(bencher: Bencher<'_, '_>, shape: Shape, decode: fn(&Bytes) -> T) {
    let body = shape.body();
    bencher
        .counter(BytesCount::new(body.len()))
        .counter(ItemsCount::new(shape.records()))
        .bench_local(|| decode(black_box(&body)));
}

#[divan::bench(args = SHAPES, sample_count = 40, sample_size = 1)]
fn a_ours(bencher: Bencher<'_, '_>, shape: Shape) {
    run(bencher, shape, ours);
}

#[divan::bench(args = SHAPES, sample_count = 40, sample_size = 1)]
fn b_lambda_runtime(bencher: Bencher<'_, '_>, shape: Shape) {
    run(bencher, shape, lambda_runtime);
}

#[divan::bench(args = SHAPES, sample_count = 40, sample_size = 1)]
fn c_plain_serde_json(bencher: Bencher<'_, '_>, shape: Shape) {
    run(bencher, shape, plain_serde_json);
}

/// Nanoseconds of the quickest of some runs, the drop of what was made included: a function pays for both.
fn quickest(way: usize, shape: Shape) -> u128 {
    let body = shape.body();
    let runs = (0..RUNS).map(|_| match way {
        0 => time(ours, &body),
        1 => time(lambda_runtime, &body),
        _ => time(plain_serde_json, &body),
    });
    runs.min().unwrap_or_default().as_nanos()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn time<T>(decode: fn(&Bytes) -> T, body: &Bytes) -> Duration {
    let start = Instant::now();
    drop(black_box(decode(black_box(body))));
    start.elapsed()
}

/// Runs in one process, and processes for each way and shape.
const RUNS: usize = 25;
const TURNS: usize = 5;

fn in_a_process_of_its_own(way: usize, shape: usize) -> f64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([TIME, &way.to_string(), &shape.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse::<f64>().unwrap() / 1e6
}

fn print_ratios() {
    println!(
        "\n{:18} {:>6} {:>10} {:>17} {:>13} {:>22} {:>18}",
        "shape",
        "MB",
        "ours",
        "lambda_runtime",
        "serde_json",
        "over lambda_runtime",
        "over serde_json"
    );
    for (index, shape) in SHAPES.into_iter().enumerate() {
        let mut best = [f64::INFINITY; 3];
        for _ in 0..TURNS {
            for (way, best) in best.iter_mut().enumerate() {
                *best = best.min(in_a_process_of_its_own(way, index));
            }
        }
        let [ours, runtime, plain] = best;
        println!(
            "{:18} {:6.2} {ours:7.2} ms {runtime:14.2} ms {plain:10.2} ms {:21.1}x {:17.1}x",
            format!("{shape:?}"),
            shape.body().len() as f64 / 1e6,
            runtime / ours,
            plain / ours,
        );
    }
}
