//! Time limits of a send.

use std::time::Duration;

use tokio::time::Instant;

/// The time limits of a send.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The longest time without a success.
    pub without_success: Duration,
    /// The time at which the send ends. *None: there is no such limit.*
    pub end: Option<Instant>,
}

impl Patience {
    /// The time at which the send ends if nothing succeeds from now on.
    pub fn until(&self) -> Instant {
        let longest = Instant::now() + self.without_success;
        self.end.map_or(longest, |end| end.min(longest))
    }
}
