//! Decoding allocates for the batch, not for the record.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use allocation_counter::measure;
use bytes::Bytes;
use lambda_msk::testing::{Event, Sample};

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
