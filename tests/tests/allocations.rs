//! Decoding allocates for the batch, not for the record; the engine allocates the handler's future, and nothing for a record that is skipped. The peak of memory is bounded by the event's size.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use allocation_counter::measure;
use bytes::Bytes;
use lambda_msk::testing::{Event, Sample};
use lambda_msk::{Consumer, Idempotency, IdempotencyKey, Invocation, ProcessingOrder, Record};
use tests::HEADERS;
use tokio::runtime::{Builder, Runtime};

/// The project's bound; what is left below it are the growing lists of the batch.
const ALLOCATIONS_PER_RECORD_MAX: f64 = 0.2;

fn allocations_a_record(records: usize, sample: impl Fn(usize) -> Sample) -> f64 {
    let event = (0..records).fold(Event::msk(), |event, index| event.record(sample(index)));
    let event = Event::from(Bytes::from(event.to_json()));
    let measured = measure(|| {
        let read = event.records().unwrap();
        assert!(read.len() == records && read.iter().all(|record| record.fault().is_none()));
    });
    measured.count_total as f64 / records as f64
}

#[test]
fn a_record_costs_at_most_a_fifth_of_an_allocation() {
    let plain = |index: usize| {
        Sample::new("orders", (index % 3) as i32)
            .key("c-1")
            .value("{}")
    };
    let with_headers = |index| {
        plain(index)
            .header("traceparent", "00-")
            .header("a", [255])
            .null_header("b")
    };
    let with_schemas = |index| {
        plain(index)
            .key_schema("AVRO", "1")
            .value_schema("JSON", "2")
    };
    for allocations in [
        allocations_a_record(1_000, plain),
        allocations_a_record(100, |index| plain(index).value([7; 40_000])),
        allocations_a_record(1_000, with_headers),
        allocations_a_record(1_000, with_schemas),
    ] {
        assert!(
            allocations <= ALLOCATIONS_PER_RECORD_MAX,
            "{allocations} allocations a record"
        );
    }
}

/// Beyond one for each record: what grows with the batch doubles its room now and then.
const ENGINE_SPARE: f64 = 0.05;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn event(records: usize) -> Bytes {
    let sample = |index: usize| {
        Sample::new("orders", (index % 3) as i32)
            .key(format!("c-{index}"))
            .value("{}")
    };
    Event::msk()
        .records((0..records).map(sample))
        .to_json()
        .into()
}

fn allocations_of(runtime: &Runtime, consumer: &Consumer, records: usize) -> u64 {
    let body = event(records);
    let measured = measure(|| {
        let invoked = runtime.block_on(consumer.invoke(Invocation::new(body).function_name("f")));
        assert!(invoked.response().is_ok());
    });
    measured.count_total
}

/// Of what a record adds: two batches, of which one is longer.
fn allocations_a_record_in(consumer: &impl Fn() -> Consumer) -> f64 {
    let runtime = runtime();
    let few = allocations_of(&runtime, &consumer(), 1_000);
    let many = allocations_of(&runtime, &consumer(), 3_000);
    (many as f64 - few as f64) / 2_000.0
}

/// Takes the record, so that its future has a size.
async fn take(record: Record) {
    assert!(record.value().is_some());
}

async fn take_key(key: IdempotencyKey) {
    assert!(key.as_str().starts_with("f/"));
}

#[test]
fn a_record_that_runs_costs_the_engine_its_handlers_future() {
    for order in [
        ProcessingOrder::Partition,
        ProcessingOrder::Key,
        ProcessingOrder::Unordered,
    ] {
        let consumer = || {
            let builder = Consumer::builder().topic("orders", take).order(order);
            builder.idempotency(Idempotency::None).build().unwrap()
        };

        let allocations = allocations_a_record_in(&consumer);

        let most = 1.0 + ENGINE_SPARE;
        assert!(allocations <= most, "{order:?}: {allocations} a record");
    }
}

#[test]
fn the_ledger_in_memory_allocates_for_the_batch() {
    let consumer = || Consumer::builder().topic("orders", take).build().unwrap();

    let allocations = allocations_a_record_in(&consumer);

    assert!(allocations <= 1.0 + ENGINE_SPARE, "{allocations} a record");
}

#[test]
fn a_key_that_is_read_as_text_costs_no_allocation_of_its_own() {
    let consumer = || {
        Consumer::builder()
            .topic("orders", take_key)
            .build()
            .unwrap()
    };

    let allocations = allocations_a_record_in(&consumer);

    // The texts of neighbours share theirs.
    assert!(allocations <= 1.1, "{allocations} a record");
}

#[test]
fn a_record_that_is_skipped_costs_no_allocation() {
    let runtime = runtime();
    let skipping = |records| {
        let consumer = Consumer::builder().topic("orders", take).build().unwrap();
        allocations_of(&runtime, &consumer, records);
        allocations_of(&runtime, &consumer, records)
    };

    // The longer batch may cost less: how often its ledger is written depends on the time that it takes.
    let allocations = (skipping(3_000) as f64 - skipping(1_000) as f64) / 2_000.0;

    assert!(allocations <= ENGINE_SPARE, "{allocations} a record");
}

/// The project's bound, the event's own bytes included.
const PEAK_TIMES_THE_EVENT_MAX: f64 = 3.0;

/// Peak of the bytes allocated while an event runs, the event included, divided by the event's size. Default settings: the ledger is in memory.
fn peak_times_the_event(records: usize, sample: impl Fn(usize) -> Sample) -> f64 {
    let event = Event::msk().records((0..records).map(sample));
    // Of its exact size: what a growing text has in reserve is not the event's.
    let body = Bytes::from(event.to_json().into_bytes().into_boxed_slice());
    let size = body.len() as f64;
    let consumer = Consumer::builder().topic("orders", take).build().unwrap();
    let runtime = runtime();
    let measured = measure(|| {
        let invoked = runtime.block_on(consumer.invoke(Invocation::new(body).function_name("f")));
        assert!(invoked.response().is_ok());
    });
    (size + measured.bytes_max as f64) / size
}

fn sample_of(bytes: usize) -> impl Fn(usize) -> Sample {
    move |index| {
        Sample::new("orders", (index % 3) as i32)
            .key(format!("c-{index:06}"))
            .value(vec![7; bytes])
    }
}

#[test]
fn the_peak_of_memory_is_at_most_three_times_the_event() {
    let with_headers = |index| {
        let sample = sample_of(350)(index);
        HEADERS
            .into_iter()
            .fold(sample, |sample, (name, value)| sample.header(name, value))
    };
    let peaks = [
        (
            "12,000 of 220 bytes",
            peak_times_the_event(12_000, sample_of(220)),
        ),
        (
            "4,800 with headers",
            peak_times_the_event(4_800, with_headers),
        ),
        (
            "4,000 of 1 kB",
            peak_times_the_event(4_000, sample_of(1_000)),
        ),
        (
            "12,000 of 2 bytes",
            peak_times_the_event(12_000, sample_of(2)),
        ),
        ("100 of 40 kB", peak_times_the_event(100, sample_of(40_000))),
    ];
    for (shape, peak) in peaks {
        assert!(
            peak <= PEAK_TIMES_THE_EVENT_MAX,
            "{shape}: {peak:.2} times; of all {peaks:.2?}"
        );
    }
}

#[test]
fn an_event_is_decoded_into_the_buffers_of_the_one_before() {
    let runtime = runtime();
    let builder = Consumer::builder().topic("orders", take);
    let consumer = builder.idempotency(Idempotency::None).build().unwrap();
    let bytes_of = || {
        let events = Event::msk().records((0..1_000).map(sample_of(1_000)));
        let body = Bytes::from(events.to_json());
        let size = body.len() as u64;
        let measured = measure(|| {
            let invoked =
                runtime.block_on(consumer.invoke(Invocation::new(body).function_name("f")));
            assert!(invoked.response().is_ok());
        });
        (measured.bytes_total, size)
    };

    let (first, size) = bytes_of();
    let (second, _) = bytes_of();

    // Base64 shrinks by a quarter: that much is decoded.
    assert!(
        second + size / 2 < first,
        "{first}, then {second} of {size}"
    );
}
