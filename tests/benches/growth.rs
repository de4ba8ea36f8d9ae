//! Growth of an invocation's time with its size: many partitions, many keys, many topics, one long record. Each runs at a quarter, at half and at the whole of its size.
//!
//! The slope is the exponent of growth between a quarter and the whole: 1.0 is linear, 2.0 is quadratic. Below 1.0, fixed costs are spread over more.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Idempotency, ProcessingOrder, Record};

/// Turns of which the quickest counts.
const TURNS: usize = 15;

#[derive(Clone, Copy)]
enum Shape {
    /// One record each, with the ledger in memory.
    Partitions,
    /// One record each, in key order.
    Keys,
    /// One record each, and a handler of its own.
    Topics,
    /// One record of so many bytes.
    Bytes,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Partitions => "partitions, ledger",
            Self::Keys => "keys, key order",
            Self::Topics => "topics, a handler each",
            Self::Bytes => "bytes of one record",
        }
    }

    fn whole(self) -> usize {
        match self {
            Self::Partitions | Self::Keys => 10_000,
            Self::Topics => 1_000,
            // With base64 and the fields around it, the 6 MB that Lambda takes.
            Self::Bytes => 4_500_000,
        }
    }

    fn body(self, size: usize) -> Bytes {
        match self {
            Self::Partitions => one_a_partition((0..size).map(|index| ("orders".into(), index))),
            Self::Topics => one_a_partition((0..size).map(|index| (topic(index), 0))),
            Self::Keys => {
                let sample = |index| {
                    Sample::new("orders", 0)
                        .key(format!("c-{index}"))
                        .value("{}")
                };
                Event::msk().records((0..size).map(sample)).to_json().into()
            }
            Self::Bytes => {
                let sample = Sample::new("orders", 0).value(vec![7; size]);
                Event::msk().record(sample).to_json().into()
            }
        }
    }

    fn consumer(self, size: usize) -> Consumer {
        let builder = Consumer::builder().idempotency(Idempotency::None);
        let builder = match self {
            Self::Partitions => builder
                .topic("orders", take)
                .idempotency(Idempotency::Memory),
            Self::Keys => builder.topic("orders", take).order(ProcessingOrder::Key),
            Self::Topics => (0..size)
                .map(topic)
                .fold(builder, |builder, name| builder.topic(name, take)),
            Self::Bytes => builder.topic("orders", take),
        };
        builder
            .build()
            .expect("a topic is all that a consumer needs")
    }
}

async fn take(record: Record) {
    std::hint::black_box(record.value());
}

fn topic(index: usize) -> String {
    format!("t-{index}")
}

/// Written by hand: the builder of events looks through all partitions for each record.
fn one_a_partition(places: impl Iterator<Item = (String, usize)>) -> Bytes {
    let mut partitions = String::new();
    for (topic, partition) in places {
        let comma = if partitions.is_empty() { "" } else { "," };
        write!(
            partitions,
            r#"{comma}"{topic}-{partition}":[{{"topic":"{topic}","partition":{partition},"offset":7,"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"Yy0x","value":"e30=","headers":[]}}]"#
        )
        .expect("a string takes all");
    }
    let event = Event::msk().raw_field("records", &format!("{{{partitions}}}"));
    event.to_json().into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
async fn quickest(shape: Shape, size: usize) -> Duration {
    let body = shape.body(size);
    let mut least = Duration::MAX;
    for _ in 0..TURNS {
        // A consumer of its own for each turn: a ledger that knows the records would skip them.
        let consumer = shape.consumer(size);
        let start = Instant::now();
        let invoked = invoke(&consumer, body.clone()).await;
        least = least.min(start.elapsed());
        assert!(invoked.response().is_ok(), "a record has failed");
    }
    least
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    println!("nanoseconds for one, the quickest of {TURNS} turns");
    println!(
        "{:24} {:>10} {:>10} {:>10} {:>10} {:>8}",
        "", "whole", "a quarter", "half", "whole", "slope"
    );
    for shape in [Shape::Partitions, Shape::Keys, Shape::Topics, Shape::Bytes] {
        let whole = shape.whole();
        let mut times = [Duration::ZERO; 3];
        for (time, part) in times.iter_mut().zip([4, 2, 1]) {
            *time = quickest(shape, whole / part).await;
        }
        let [quarter, half, all] = times.map(|time| time.as_nanos() as f64);
        let slope = (all / quarter).log(4.0);
        let of = |time: f64, part: usize| time / (whole / part) as f64;
        println!(
            "{:24} {whole:>10} {:>10.2} {:>10.2} {:>10.2} {slope:>8.2}",
            shape.name(),
            of(quarter, 4),
            of(half, 2),
            of(all, 1),
        );
    }
}
