//! How many requests a process makes of its store at once. Used by `terms`, around each call.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::{STORE_REQUESTS_TO_BEGIN_MAX, STORE_REQUESTS_TO_GO_ON_MAX};

/// The requests of all invocations of a process.
#[derive(Debug)]
pub(crate) struct Requests {
    to_begin: Semaphore,
    to_go_on: Semaphore,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To take something, or to look.
    Begin,
    /// To renew, record or give back what is held: never behind those that want to begin.
    GoOn,
}

impl Requests {
    pub(crate) fn new() -> Self {
        Self {
            to_begin: Semaphore::new(STORE_REQUESTS_TO_BEGIN_MAX),
            to_go_on: Semaphore::new(STORE_REQUESTS_TO_GO_ON_MAX),
        }
    }

    /// Waits until one more may be made, first come, first served; it is one for as long as the answer is kept. *None: never, the semaphores are not closed.*
    pub(crate) async fn one(&self, purpose: Purpose) -> Option<SemaphorePermit<'_>> {
        let requests = match purpose {
            Purpose::Begin => &self.to_begin,
            Purpose::GoOn => &self.to_go_on,
        };
        requests.acquire().await.ok()
    }
}
