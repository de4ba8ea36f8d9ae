//! What a running driver is told.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::function::Function;

/// Tells a running [`Driver`](super::Driver) something. Cheap to clone; of no effect once the driver has ended.
#[derive(Debug, Clone)]
pub struct Control {
    requests: UnboundedSender<Request>,
}

impl Control {
    /// With what hears it.
    pub(super) fn new() -> (Self, UnboundedReceiver<Request>) {
        let (requests, requested) = unbounded_channel();
        (Self { requests }, requested)
    }

    /// Polls and invokes no more, lets what is under way end, commits it, and ends.
    pub fn drain(&self) {
        let _ = self.requests.send(Request::Drain);
    }

    /// Gives the next invocations to another function. Those under way end with the one that they have.
    pub fn swap(&self, function: Function) {
        let _ = self.requests.send(Request::Swap(Box::new(function)));
    }
}

#[derive(Debug)]
pub(super) enum Request {
    Drain,
    Swap(Box<Function>),
}
