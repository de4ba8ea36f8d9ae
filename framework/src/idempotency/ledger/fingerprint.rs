//! What tells a record from another one that later stands at the same offset: a topic made anew, restored, or refilled.

use crc32fast::Hasher;

use crate::record::Record;

/// Bytes that are put together before they are mixed in: a checksum of few bytes costs as much as one of many.
const TOGETHER: usize = 128;

/// 32 bits of timestamp, key, value and headers. Lengths are mixed in, so that bytes cannot move from one part to the next, and absent is not empty.
pub(crate) fn fingerprint(record: &Record) -> u32 {
    let mut mixed = Mixed::default();
    if record.fault().is_some() {
        // What could not be decoded is known by how it came.
        mixed.add(&record.raw_json());
        return mixed.finish();
    }
    mixed.number(record.timestamp_millis());
    mixed.part(record.key());
    mixed.part(record.value());
    for (name, value) in record.header_bytes() {
        mixed.part(Some(name));
        mixed.part(value);
    }
    mixed.finish()
}

/// A checksum of what was added, in that order, however it was put together.
struct Mixed {
    hasher: Hasher,
    waiting: [u8; TOGETHER],
    len: usize,
}

impl Default for Mixed {
    fn default() -> Self {
        Self {
            hasher: Hasher::new(),
            waiting: [0; TOGETHER],
            len: 0,
        }
    }
}

impl Mixed {
    #[inline]
    fn part(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.number(-1),
            Some(bytes) => {
                self.number(bytes.len() as i64);
                self.add(bytes);
            }
        }
    }

    /// As [`add`](Self::add), with a length that the compiler knows.
    #[inline]
    fn number(&mut self, number: i64) {
        if self.waiting.len() - self.len < size_of::<i64>() {
            self.flush();
        }
        let room = self.waiting[self.len..].first_chunk_mut();
        *room.expect("it was flushed") = number.to_be_bytes();
        self.len += size_of::<i64>();
    }

    #[inline]
    fn add(&mut self, bytes: &[u8]) {
        if let Some(room) = self.waiting.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
            return;
        }
        self.flush();
        self.hasher.update(bytes);
    }

    fn flush(&mut self) {
        self.hasher.update(&self.waiting[..self.len]);
        self.len = 0;
    }

    fn finish(mut self) -> u32 {
        self.hasher.update(&self.waiting[..self.len]);
        self.hasher.finalize()
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
