//! Who writes: a name that no other holder has, and a number for each write that no other write has. Drawn by `ledger`, `claims` and `inspect`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;
use crate::idempotency::store::{StoreError, Version};
use crate::limits::{SEQ_BITS, SEQ_RAISE_BITS};

/// A holder of items. Clones are the same holder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holder {
    name: Arc<str>,
    numbers: Arc<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    token: u128,
    drawn: AtomicU64,
}

impl Holder {
    /// A new holder. Drawn when something begins to be held, never at the start: SnapStart makes many processes of one.
    pub(crate) fn draw(clock: &Clock) -> Result<Self, StoreError> {
        let token = clock.token().map_err(StoreError::permanent)?;
        Ok(Self {
            name: format!("{token:032x}").into(),
            numbers: Arc::new(Numbers {
                token,
                drawn: AtomicU64::new(0),
            }),
        })
    }

    /// The same holder under a longer name, for one of the things that it holds. Both draw from the same numbers.
    pub(crate) fn of(&self, what: impl std::fmt::Display) -> Self {
        Self {
            name: format!("{}/{what}", self.name).into(),
            numbers: Arc::clone(&self.numbers),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The version of one write.
    ///
    /// Its number is not the next one: an item that is deleted and made anew would count the same numbers once more, and a write that lands late would find the
    /// version that it expects, with other data in the item.
    pub(crate) fn version(&self) -> Version {
        Version {
            owner: Arc::clone(&self.name),
            seq: self.draw_number(SEQ_BITS),
        }
    }

    /// By how much one taking raises the number that it finds.
    pub(crate) fn raise(&self) -> u64 {
        self.draw_number(SEQ_RAISE_BITS)
    }

    /// Of at most so many bits, never zero. It follows from the holder's token, which comes from the system's entropy.
    fn draw_number(&self, bits: u32) -> u64 {
        let Numbers { token, drawn } = &*self.numbers;
        let mut hasher = DefaultHasher::new();
        (token, drawn.fetch_add(1, Ordering::Relaxed)).hash(&mut hasher);
        (hasher.finish() >> (u64::BITS - bits)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicU64};

    use jiff::Timestamp;
    use tokio::time::Instant;

    use super::Holder;
    use crate::clock::Clock;
    use crate::limits::{SEQ_BITS, SEQ_RAISE_BITS};

    /// Of a machine whose tokens are neighbours, as no real one's are.
    fn clock() -> Clock {
        Clock::Simulated {
            start: Timestamp::UNIX_EPOCH,
            at: Instant::now(),
            jumped_ms: Arc::new(AtomicI64::new(0)),
            tokens: Arc::new(AtomicU64::new(7)),
        }
    }

    #[test]
    fn no_two_writes_of_any_holders_have_one_number() {
        let clock = clock();
        let mut numbers = BTreeSet::new();

        for _ in 0..50 {
            let holder = Holder::draw(&clock).unwrap();
            let part = holder.of("orders-0@5");
            for _ in 0..50 {
                numbers.extend([holder.version().seq, part.version().seq]);
            }
        }

        assert_eq!(numbers.len(), 50 * 100);
        assert!(*numbers.last().unwrap() < 1 << SEQ_BITS);
    }

    #[test]
    fn each_taking_of_a_holder_raises_by_another_number() {
        let holder = Holder::draw(&clock()).unwrap();

        let raises: BTreeSet<u64> = (0..100).map(|_| holder.raise()).collect();

        assert_eq!(raises.len(), 100);
        assert!(!raises.contains(&0) && *raises.last().unwrap() < 1 << SEQ_RAISE_BITS);
    }
}
