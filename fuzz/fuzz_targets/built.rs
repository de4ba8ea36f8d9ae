//! An event built of the bytes comes back as it was built.

#![no_main]

use lambda_msk::testing::{Event, Sample};
use libfuzzer_sys::fuzz_target;

/// One record: its partition, and its parts.
type Input = (
    u8,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Vec<(String, Option<Vec<u8>>)>,
    i64,
);

fuzz_target!(|inputs: Vec<Input>| {
    let mut event = Event::msk();
    for (partition, key, value, headers, timestamp) in &inputs {
        let mut sample = Sample::new("orders", i32::from(partition % 3)).timestamp(*timestamp);
        if let Some(key) = key {
            sample = sample.key(key);
        }
        if let Some(value) = value {
            sample = sample.value(value);
        }
        for (name, value) in headers {
            sample = match value {
                Some(value) => sample.header(name, value),
                None => sample.null_header(name),
            };
        }
        event = event.record(sample);
    }

    let records = event.build().records().expect("a built event is read");

    assert_eq!(records.len(), inputs.len());
    let mut next = [0; 3];
    let mut of_partition: [Vec<&Input>; 3] = Default::default();
    for input in &inputs {
        of_partition[usize::from(input.0 % 3)].push(input);
    }
    for record in &records {
        let partition = record.partition() as usize;
        let (_, key, value, headers, timestamp) = of_partition[partition][next[partition]];
        assert_eq!(record.offset(), next[partition] as i64);
        next[partition] += 1;
        assert_eq!(record.fault(), None);
        assert_eq!(record.key(), key.as_deref());
        assert_eq!(record.value(), value.as_deref());
        assert_eq!(record.timestamp_millis(), *timestamp);
        let read = record.headers();
        let read: Vec<_> = read.iter().collect();
        let built: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        assert_eq!(read, built);
    }
});
