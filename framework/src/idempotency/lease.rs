//! How long something is held, and when its holder must not start anything any more. Used by `ledger` and `claims`.

// Who holds it.
pub(super) mod holder;

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::limits::{
    LEASE_GAP_MS_MAX, LEASE_GAP_MS_MIN, LEASE_GAP_PART_MAX, LEASE_MS, LEASE_MS_MIN, LEASE_PART_MAX,
    LEASE_RENEWALS,
};

/// How long leases of one invocation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeaseTimes {
    /// From a write to its expiry.
    pub(crate) lease: Duration,
    /// Kept from the expiry by the owner before it, and by a successor after it.
    pub(crate) gap: Duration,
    /// From a write to the next, where nothing else is to be written.
    pub(crate) renewed_each: Duration,
}

impl LeaseTimes {
    /// Of an invocation that is given so much time. *None: the deadline is unknown.*
    pub(crate) fn of(time_given: Option<Duration>) -> Self {
        let [shortest, longest, least, most] =
            [LEASE_MS_MIN, LEASE_MS, LEASE_GAP_MS_MIN, LEASE_GAP_MS_MAX].map(Duration::from_millis);
        let lease = time_given.map_or(longest, |given| given / LEASE_PART_MAX);
        let lease = lease.clamp(shortest, longest);
        let gap = lease / LEASE_GAP_PART_MAX;
        Self {
            lease,
            gap: gap.clamp(least, most),
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
        now_ms(clock).saturating_sub(millis(self.gap))
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
    /// Whether the holder may still start something: both clocks show more time left than the gap.
    pub(crate) fn is_live(&self, times: &LeaseTimes, clock: &Clock) -> bool {
        self.is_live_at(Instant::now(), times, clock)
    }

    /// As [`is_live`](Self::is_live), where the steady clock was read just now. The other one is read here: it may have jumped.
    pub(crate) fn is_live_at(&self, now: Instant, times: &LeaseTimes, clock: &Clock) -> bool {
        let by_steady = now + times.gap < self.until;
        by_steady && now_ms(clock) + millis(times.gap) < self.until_wall_ms
    }
}

pub(crate) fn now_ms(clock: &Clock) -> u64 {
    clock.now_ms()
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
    use crate::clock::Clock;
    use crate::limits::CLOCK_SKEW_MAX_MS;

    fn clock() -> Clock {
        let start = Timestamp::from_second(1_767_225_600).unwrap();
        let at = Instant::now();
        Clock::From { start, at }
    }

    #[test]
    fn a_lease_is_a_third_of_the_time_and_the_gap_a_quarter_of_the_lease() {
        let times = |given| {
            let times = LeaseTimes::of(given);
            (times.lease.as_millis(), times.gap.as_millis())
        };

        assert_eq!(times(None), (10_000, 1_000));
        assert_eq!(times(Some(Duration::from_secs(840))), (10_000, 1_000));
        assert_eq!(times(Some(Duration::from_secs(30))), (10_000, 1_000));
        assert_eq!(times(Some(Duration::from_secs(9))), (3_000, 750));
        for secs in [0, 1, 2, 3] {
            assert_eq!(times(Some(Duration::from_secs(secs))), (1_500, 600));
        }
    }

    #[test]
    fn with_any_time_given_both_gaps_together_outlast_clocks_that_are_apart() {
        for ms in (0..60_000).step_by(50) {
            let times = LeaseTimes::of(Some(Duration::from_millis(ms)));
            assert!(
                times.gap * 2 > Duration::from_millis(CLOCK_SKEW_MAX_MS),
                "{ms}"
            );
            assert!(times.gap + times.renewed_each < times.lease, "{ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_is_live_until_its_expiry_is_as_near_as_the_gap() {
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
    async fn it_is_free_once_its_expiry_is_further_back_than_the_gap() {
        let (times, clock) = (LeaseTimes::of(None), clock());
        let hold = times.hold(&clock);

        advance(Duration::from_millis(11_000)).await;
        let before = hold.until_wall_ms < times.free_at_ms(&clock);
        advance(Duration::from_millis(1)).await;
        let after = hold.until_wall_ms < times.free_at_ms(&clock);

        assert_eq!((before, after), (false, true));
    }
}
