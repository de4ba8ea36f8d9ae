//! Wall time, and what else a process draws from its machine. Replaced by tests and simulations; read by `idempotency` and `context`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall time. Time spans are measured with [`tokio::time::Instant`], which tests pause.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The system's.
    #[default]
    System,
    /// Starts at a given time and runs with tokio's: paused where that is.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "made by tests"))]
    From { start: Timestamp, at: Instant },
    /// A simulated machine's: as the one above, and it jumps when told to.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "made by tests"))]
    Simulated {
        start: Timestamp,
        at: Instant,
        jumped_ms: Arc<AtomicI64>,
        tokens: Arc<AtomicU64>,
    },
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that the lint points to"
    )]
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MAX),
            Self::From { start, at } => {
                start.saturating_add(at.elapsed()).unwrap_or(Timestamp::MAX)
            }
            Self::Simulated {
                start,
                at,
                jumped_ms,
                ..
            } => {
                let jumped = SignedDuration::from_millis(jumped_ms.load(Ordering::Relaxed));
                let steady = start.saturating_add(at.elapsed());
                let wall = steady.and_then(|wall| wall.saturating_add(jumped));
                wall.unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// As [`now`](Self::now), in milliseconds since 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that the lint points to"
    )]
    pub(crate) fn now_ms(&self) -> u64 {
        let Self::System = self else {
            return u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        };
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        since_1970.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }

    /// Bytes that no one else has drawn: the system's entropy. A simulated machine counts, so that a run can be repeated.
    pub(crate) fn token(&self) -> Result<u128, getrandom::Error> {
        if let Self::Simulated { tokens, .. } = self {
            return Ok(tokens.fetch_add(1, Ordering::Relaxed).into());
        }
        let mut token = [0; 16];
        getrandom::fill(&mut token)?;
        Ok(u128::from_ne_bytes(token))
    }
}
