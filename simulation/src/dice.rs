//! Chance, all of it from one seed. Each concern has dice of its own, so that one more throw here does not change what falls there.

/// Dice of one concern.
#[derive(Debug)]
pub(crate) struct Dice {
    seed: u64,
    rng: fastrand::Rng,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            rng: fastrand::Rng::with_seed(mix(seed)),
        }
    }

    /// Dice of another concern: the same ones each time, whatever was thrown before.
    pub(crate) fn of(&self, concern: &str, index: u64) -> Self {
        let name = u64::from(crc32fast::hash(concern.as_bytes()));
        Self::new(mix(self.seed ^ mix(name << 32 ^ index)))
    }

    /// Whether something happens that does so many times in a thousand.
    pub(crate) fn per_mille(&mut self, times: u32) -> bool {
        times > 0 && self.rng.u32(0..1_000) < times
    }

    /// Anything from the one to the other, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.rng.u64(low..=high)
    }

    /// Anything that far to either side of zero.
    pub(crate) fn around_zero(&mut self, most: i64) -> i64 {
        self.rng.i64(-most..=most)
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(0..from.len())]
    }
}

/// Neighbours become strangers (the finalizer of SplitMix64).
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn dice_of_a_concern_fall_the_same_whatever_was_thrown_before() {
        let throws = |before: usize| {
            let mut dice = Dice::new(7);
            for _ in 0..before {
                dice.between(0, 9);
            }
            let mut store = dice.of("store", 1);
            [0; 8].map(|_| store.between(0, 1_000_000))
        };

        assert_eq!(throws(0), throws(5));
    }

    #[test]
    fn neighbouring_seeds_and_concerns_fall_differently() {
        let first = |dice: &mut Dice| dice.between(0, u64::MAX);
        let root = Dice::new(7);

        let mut fallen = vec![
            first(&mut Dice::new(7)),
            first(&mut Dice::new(8)),
            first(&mut root.of("store", 0)),
            first(&mut root.of("store", 1)),
            first(&mut root.of("kafka", 0)),
        ];

        fallen.sort_unstable();
        fallen.dedup();
        assert_eq!(fallen.len(), 5);
    }
}
