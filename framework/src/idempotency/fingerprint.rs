//! What tells a record from another one that later stands at the same offset: a topic made anew, restored, or refilled.

use crc32fast::Hasher;

use crate::record::Record;

/// 32 bits of timestamp, key, value and headers. Lengths are mixed in, so that bytes cannot move from one part to the next, and absent is not empty.
pub(super) fn fingerprint(record: &Record) -> u32 {
    let mut hasher = Hasher::new();
    if record.fault().is_some() {
        // What could not be decoded is known by how it came.
        hasher.update(record.raw_json());
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
