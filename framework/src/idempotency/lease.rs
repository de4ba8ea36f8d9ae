//! How long something is held, and when its holder must not start anything any more. Used by `ledger`.

use std::time::Duration;

use tokio::time::Instant;

use crate::invocation::Clock;
use crate::limits::{
    CLOCK_SKEW_MAX_MS, CLOCK_SKEW_PART_MAX, LEASE_MS, LEASE_PART_MAX, LEASE_RENEWALS,
};

/// How long leases of one invocation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeaseTimes {
    /// From a write to its expiry.
    pub(crate) lease: Duration,
    /// How far clocks may be apart.
    pub(crate) skew: Duration,
    /// From a write to the next, where nothing else is to be written.
    pub(crate) renewed_each: Duration,
}

impl LeaseTimes {
    /// Of an invocation that is given so much time. *None: the deadline is unknown.*
    pub(crate) fn of(time_given: Option<Duration>) -> Self {
        let longest = Duration::from_millis(LEASE_MS);
        let lease = time_given.map_or(longest, |given| longest.min(given / LEASE_PART_MAX));
        let skew = Duration::from_millis(CLOCK_SKEW_MAX_MS).min(lease / CLOCK_SKEW_PART_MAX);
        Self {
            lease,
            skew,
            renewed_each: lease / LEASE_RENEWALS,
        }
    }

    /// A hold that begins now.
    pub(crate) fn hold(&self, clock: &Clock) -> Hold {
        Hold {
            until: Instant::now() + self.lease,
            until_wall_ms: now_ms(clock) + millis(self.lease),
        }
    }

    /// The latest expiry that counts as over: by a clock that runs ahead of the owner's it is still the owner's.
    pub(crate) fn free_at_ms(&self, clock: &Clock) -> u64 {
        now_ms(clock).saturating_sub(millis(self.skew))
    }
}

/// Until when something is held, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// By the clock that never jumps, and may stand still while a process is frozen.
    pub(crate) until: Instant,
    /// By the clock that goes on in a freeze, and may jump. Milliseconds since 1970.
    pub(crate) until_wall_ms: u64,
}

impl Hold {
    /// Whether the holder may still start something: neither clock says that the end is nearer than clocks may be apart.
    pub(crate) fn is_live(&self, times: &LeaseTimes, clock: &Clock) -> bool {
        let by_steady = Instant::now() + times.skew < self.until;
        by_steady && now_ms(clock) + millis(times.skew) < self.until_wall_ms
    }
}

pub(crate) fn now_ms(clock: &Clock) -> u64 {
    u64::try_from(clock.now().as_millisecond()).unwrap_or(0)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use tokio::time::{Instant, advance};

    use super::{Hold, LeaseTimes};
    use crate::invocation::Clock;

    fn clock() -> Clock {
        let start = Timestamp::from_second(1_767_225_600).unwrap();
        let at = Instant::now();
        Clock::From { start, at }
    }

    #[test]
    fn a_lease_is_at_most_a_third_of_the_time_and_the_skew_a_quarter_of_the_lease() {
        let times = |given| {
            let times = LeaseTimes::of(given);
            (times.lease.as_millis(), times.skew.as_millis())
        };

        assert_eq!(times(None), (10_000, 1_000));
        assert_eq!(times(Some(Duration::from_secs(840))), (10_000, 1_000));
        assert_eq!(times(Some(Duration::from_secs(30))), (10_000, 1_000));
        assert_eq!(times(Some(Duration::from_secs(6))), (2_000, 500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_is_live_until_its_expiry_is_as_near_as_clocks_may_be_apart() {
        let (times, clock) = (LeaseTimes::of(None), clock());
        let hold = times.hold(&clock);

        advance(Duration::from_millis(8_999)).await;
        let before = hold.is_live(&times, &clock);
        advance(Duration::from_millis(1)).await;
        let after = hold.is_live(&times, &clock);

        assert_eq!((before, after), (true, false));
    }

    #[tokio::test(start_paused = true)]
    async fn either_clock_ends_a_hold() {
        let (times, clock) = (LeaseTimes::of(None), clock());
        let hold = times.hold(&clock);

        let by_wall = Hold {
            until_wall_ms: hold.until_wall_ms - 9_000,
            ..hold
        };
        let by_steady = Hold {
            until: hold.until - Duration::from_secs(9),
            ..hold
        };

        assert!(hold.is_live(&times, &clock));
        assert!(!by_wall.is_live(&times, &clock));
        assert!(!by_steady.is_live(&times, &clock));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_free_once_its_expiry_is_further_back_than_clocks_may_be_apart() {
        let (times, clock) = (LeaseTimes::of(None), clock());
        let hold = times.hold(&clock);

        advance(Duration::from_millis(11_000)).await;
        let before = hold.until_wall_ms < times.free_at_ms(&clock);
        advance(Duration::from_millis(1)).await;
        let after = hold.until_wall_ms < times.free_at_ms(&clock);

        assert_eq!((before, after), (false, true));
    }
}
