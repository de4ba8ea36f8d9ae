//! What tells a record from another one that later stands at the same offset: a topic made anew, restored, or refilled.

use crc32fast::Hasher;

use crate::record::Record;

/// 32 bits of timestamp, key, value and headers. Lengths are mixed in, so that bytes cannot move from one part to the next, and absent is not empty.
pub(crate) fn fingerprint(record: &Record) -> u32 {
    let mut hasher = Hasher::new();
    if record.fault().is_some() {
        // What could not be decoded is known by how it came.
        hasher.update(&record.raw_json());
        return hasher.finalize();
    }
    hasher.update(&record.timestamp_millis().to_be_bytes());
    part(&mut hasher, record.key());
    part(&mut hasher, record.value());
    for (name, value) in record.headers().iter() {
        part(&mut hasher, Some(name.as_bytes()));
        part(&mut hasher, value);
    }
    hasher.finalize()
}

fn part(hasher: &mut Hasher, bytes: Option<&[u8]>) {
    match bytes {
        None => hasher.update(&(-1_i64).to_be_bytes()),
        Some(bytes) => {
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::record::Record;
    use crate::testing::{Event, Sample};

    fn record(sample: Sample) -> Record {
        Event::msk()
            .record(sample)
            .build()
            .records()
            .unwrap()
            .remove(0)
    }

    fn sample() -> Sample {
        Sample::new("orders", 0).offset(5).timestamp(1_000)
    }

    #[test]
    fn a_fingerprint_is_of_timestamp_key_value_and_headers() {
        let full = || sample().key("k").value("v").header("h", "x");
        let one = fingerprint(&record(full()));
        let others = [
            full().timestamp(1_001),
            full().key("l"),
            full().value("w"),
            sample().key("k").value("v"),
            sample().key("k").value("v").header("i", "x"),
            sample().key("k").value("v").header("h", "y"),
            sample().key("k").value("v").null_header("h"),
            full().header("h", "x"),
        ];

        assert_eq!(fingerprint(&record(full())), one);
        for other in others {
            assert_ne!(fingerprint(&record(other.clone())), one, "{other:?}");
        }
    }

    #[test]
    fn bytes_that_move_from_one_part_to_the_next_make_another_fingerprint() {
        let samples = [
            sample(),
            sample().key(""),
            sample().value(""),
            sample().key("").value(""),
            sample().key("ab").value("c"),
            sample().key("a").value("bc"),
            sample().value("a").header("b", "c"),
            sample().value("a").header("bc", ""),
            sample().value("a").null_header("bc"),
        ];

        let mut prints: Vec<u32> = samples
            .into_iter()
            .map(|sample| fingerprint(&record(sample)))
            .collect();

        let count = prints.len();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), count);
    }

    #[test]
    fn what_cannot_be_decoded_is_known_by_how_it_came() {
        let faulty = |value: &str| record(sample().value_base64(value));

        assert!(faulty("*").fault().is_some());
        assert_eq!(fingerprint(&faulty("*")), fingerprint(&faulty("*")));
        assert_ne!(fingerprint(&faulty("*")), fingerprint(&faulty("**")));
    }
}
