//! The time of day, as people compare it with their own clock.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// `07:58:50.123` in the zone of this machine.
pub(crate) fn of_day(time: Timestamp) -> String {
    let local = Zoned::new(time, TimeZone::system());
    local.strftime("%H:%M:%S%.3f").to_string()
}
