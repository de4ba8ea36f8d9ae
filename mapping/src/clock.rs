//! The wall clock and random identifiers: the Runtime API's only sources of both.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since 1970: a function compares its deadline with its own wall clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the function compares the deadline with its own wall clock"
)]
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// A UUID of version 4, as Lambda's request ids are.
pub(crate) fn uuid() -> String {
    let bits = fastrand::u128(..);
    // Version 4 in the 13th digit, variant 10 in the two upper bits of the 17th (RFC 9562, section 5.4).
    let bits = (bits & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// An X-Ray trace header that is not sampled.
pub(crate) fn trace_id(now: Duration) -> String {
    let unique = fastrand::u128(..) >> 32;
    format!(
        "Root=1-{:08x}-{unique:024x};Parent={:016x};Sampled=0",
        now.as_secs(),
        fastrand::u64(..)
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{trace_id, uuid};

    #[test]
    fn a_request_id_is_a_version_4_uuid() {
        for _ in 0..100 {
            let id = uuid();

            let groups: Vec<&str> = id.split('-').collect();
            assert_eq!(
                groups.iter().map(|group| group.len()).collect::<Vec<_>>(),
                [8, 4, 4, 4, 12]
            );
            assert!(groups[2].starts_with('4'), "{id}");
            assert!(groups[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        }
    }

    #[test]
    fn a_trace_id_carries_the_time() {
        let id = trace_id(Duration::from_secs(0x5f35_ae12));

        assert!(id.starts_with("Root=1-5f35ae12-"), "{id}");
        assert_eq!(
            id.len(),
            "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=0".len()
        );
    }
}
