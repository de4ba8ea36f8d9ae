//! The machine that a simulated process runs on: its wall clock and its tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::clock::Clock;

/// A simulated machine: a wall clock, which follows tokio's clock and jumps on command, and tokens that no other
/// machine draws. For repeatable simulations; for a test with clock skew, use [`Invoke::clock_ahead`](crate::testing::Invoke::clock_ahead).
///
/// # Example
///
/// ```
/// use jiff::{SignedDuration, Timestamp};
/// use lambda_msk::testing::Machine;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), jiff::Error> {
/// let machine = Machine::new("2026-01-01T00:00:00Z".parse()?, 7);
///
/// tokio::time::advance(std::time::Duration::from_secs(5)).await;
/// machine.jump(SignedDuration::from_secs(-2));
///
/// assert_eq!(machine.now(), "2026-01-01T00:00:03Z".parse::<Timestamp>()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Machine {
    start: Timestamp,
    at: Instant,
    jumped_ms: Arc<AtomicI64>,
    tokens: Arc<AtomicU64>,
}

impl Machine {
    /// Creates a machine whose wall clock shows `start` now. Its tokens count from `tokens`: give each machine a range of its own.
    pub fn new(start: Timestamp, tokens: u64) -> Self {
        Self {
            start,
            at: Instant::now(),
            jumped_ms: Arc::default(),
            tokens: Arc::new(AtomicU64::new(tokens)),
        }
    }

    /// The time that the wall clock shows.
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// Moves the wall clock forward or back, in whole milliseconds. Measured time spans are not affected.
    pub fn jump(&self, by: SignedDuration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(0);
        self.jumped_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::Simulated {
            start: self.start,
            at: self.at,
            jumped_ms: Arc::clone(&self.jumped_ms),
            tokens: Arc::clone(&self.tokens),
        }
    }
}
