//! Any bytes: the decoder does not panic, and does not contradict serde_json or itself.

#![no_main]

use lambda_msk::testing::Event;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && serde_json::from_slice::<&RawValue>(bytes).is_ok()
}

fuzz_target!(|body: &[u8]| {
    match Event::from(body.to_vec()).records() {
        Ok(records) => {
            assert!(is_json(body), "read, and not JSON");
            let mut before = None;
            for record in &records {
                let coordinates = (record.topic_partition().clone(), record.offset());
                if let Some((partition, offset)) = &before {
                    assert!(
                        *partition != coordinates.0 || *offset < coordinates.1,
                        "offsets that do not ascend"
                    );
                }
                before = Some(coordinates);
                assert!(
                    is_json(&record.raw_json()) && record.raw_json().starts_with(b"{"),
                    "raw JSON that is none"
                );
                assert_eq!(record.headers().iter().count(), record.headers().len());
                assert!(record.fault().is_none_or(|fault| fault.byte < body.len()));
            }
        }
        Err(error) => {
            assert!(error.byte() <= body.len());
            if ["event.not_json", "event.truncated"].contains(&error.code()) {
                assert!(!is_json(body), "refused as no JSON, and it is: {error}");
            }
        }
    }
});
