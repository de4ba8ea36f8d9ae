//! How long a send may try.

use std::time::Duration;

use tokio::time::Instant;

/// How long a send may try.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The longest without a success.
    pub without_success: Duration,
    /// Nothing is waited for after this. *None: no end is known.*
    pub end: Option<Instant>,
}

impl Patience {
    /// The end, if nothing succeeds from now on.
    pub fn until(&self) -> Instant {
        let longest = Instant::now() + self.without_success;
        self.end.map_or(longest, |end| end.min(longest))
    }
}
