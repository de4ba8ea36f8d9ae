//! Values counted in buckets: an index is computed, and nothing is allocated. Used by `meter`.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::limits::METRIC_BUCKETS_MAX;

/// Values below have a bucket each.
const EXACT: u64 = 16;

/// The power of two that the first bucket of several values begins at.
const EXACT_BITS: u32 = EXACT.trailing_zeros();

/// Buckets from one power of two to the next: neighbours are the fourth root of two apart, 19 %.
const PER_OCTAVE: usize = 4;

/// The first bits behind a value's leading one that tell its bucket.
const MANTISSA_BITS: u32 = 5;

/// Of each of these bits' values the bucket within its octave. The bounds are 38, 45 and 54 of 32: the roots of two, as near as five bits come.
const QUARTER: [u8; 1 << MANTISSA_BITS] = {
    let mut quarters = [0; 1 << MANTISSA_BITS];
    let mut at = 0;
    while at < quarters.len() {
        quarters[at] = match at {
            0..6 => 0,
            6..13 => 1,
            13..22 => 2,
            _ => 3,
        };
        at += 1;
    }
    quarters
};

/// Number of buckets that hold values below two to that power; larger ones are in the last.
pub(crate) const fn buckets(bits: u32) -> usize {
    EXACT as usize + (bits - EXACT_BITS) as usize * PER_OCTAVE
}

/// How often each value was seen, by bucket.
///
/// One task runs all lanes of an invocation, so no other thread writes between a load and its store.
#[derive(Debug)]
pub(crate) struct Histogram<const BUCKETS: usize>([AtomicU32; BUCKETS]);

impl<const BUCKETS: usize> Default for Histogram<BUCKETS> {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; BUCKETS])
    }
}

impl<const BUCKETS: usize> Histogram<BUCKETS> {
    #[inline]
    pub(crate) fn add(&self, value: u64) {
        let bucket = &self.0[bucket_of(value).min(BUCKETS - 1)];
        let count = bucket.load(Ordering::Relaxed);
        bucket.store(count.saturating_add(1), Ordering::Relaxed);
    }

    /// The value that stands for each bucket that has any, ascending, with its count. More than [`METRIC_BUCKETS_MAX`] buckets: the lowest are taken together.
    pub(crate) fn counts(&self) -> Vec<(f64, u64)> {
        let counts = self.0.iter().enumerate();
        let counts = counts.map(|(bucket, count)| (bucket, count.load(Ordering::Relaxed)));
        let counts = counts.filter(|(_, count)| *count > 0);
        let mut counts: Vec<(f64, u64)> = counts
            .map(|(bucket, count)| (value_of(bucket), count.into()))
            .collect();
        let surplus = counts.len().saturating_sub(METRIC_BUCKETS_MAX);
        let lowest: u64 = counts.drain(..surplus).map(|(_, count)| count).sum();
        if let Some((_, count)) = counts.first_mut() {
            *count += lowest;
        }
        counts
    }
}

#[inline]
fn bucket_of(value: u64) -> usize {
    if value < EXACT {
        // Below 16.
        return value as usize;
    }
    let octave = value.ilog2();
    // Without the leading one.
    let mantissa = value << (u64::BITS - 1 - octave) << 1;
    let quarter = QUARTER[(mantissa >> (u64::BITS - MANTISSA_BITS)) as usize];
    EXACT as usize + (octave - EXACT_BITS) as usize * PER_OCTAVE + usize::from(quarter)
}

/// The middle of a bucket, as ratios go.
fn value_of(bucket: usize) -> f64 {
    // A few hundred buckets at most.
    let Some(quarters) = bucket.checked_sub(EXACT as usize) else {
        return bucket as f64;
    };
    (EXACT as f64) * ((quarters as f64 + 0.5) / PER_OCTAVE as f64).exp2()
}

#[cfg(test)]
mod tests {
    use super::{Histogram, bucket_of, buckets, value_of};
    use crate::limits::METRIC_BUCKETS_MAX;

    const BUCKETS: usize = buckets(41);

    #[test]
    fn a_value_is_at_most_a_tenth_from_that_of_its_bucket() {
        let mut value = 1;
        while value < 1 << 41 {
            let stands_for = value_of(bucket_of(value));
            let ratio = stands_for / value as f64;
            assert!((0.9..=1.1).contains(&ratio), "{value}: {stands_for}");
            value += value / 37 + 1;
        }
        assert_eq!(value_of(bucket_of(0)), 0.0);
    }

    #[test]
    fn neighbours_are_at_most_a_fifth_apart_and_small_numbers_are_exact() {
        for bucket in 0..BUCKETS - 1 {
            let (low, high) = (value_of(bucket), value_of(bucket + 1));
            assert!(low < high);
            assert!(high / low <= 1.2 || high <= 16.0, "{low} {high}");
        }
        for value in 0..16 {
            assert_eq!(value_of(bucket_of(value)), value as f64);
        }
    }

    #[test]
    fn buckets_ascend_with_their_values() {
        let mut last = 0;
        for value in 0..100_000 {
            let bucket = bucket_of(value);
            assert!(bucket == last || bucket == last + 1, "{value}");
            last = bucket;
        }
    }

    #[test]
    fn what_is_too_large_is_in_the_last_bucket() {
        let histogram = Histogram::<BUCKETS>::default();

        histogram.add(u64::MAX);
        histogram.add(1 << 42);

        assert_eq!(histogram.counts(), [(value_of(BUCKETS - 1), 2)]);
    }

    #[test]
    fn of_too_many_buckets_the_lowest_are_taken_together() {
        let histogram = Histogram::<BUCKETS>::default();
        let values = || (0..41).flat_map(|bits| (0..4_u64).map(move |part| (4 + part) << bits));
        values().for_each(|value| histogram.add(value));

        let counts = histogram.counts();

        assert_eq!(counts.len(), METRIC_BUCKETS_MAX);
        let all: u64 = counts.iter().map(|(_, count)| count).sum();
        assert_eq!(all, values().count() as u64);
        assert!(counts.is_sorted_by(|(a, _), (b, _)| a < b));
    }
}
