//! Commands for a running driver.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::function::Function;

/// A handle to control a running [`Driver`](super::Driver). Cheap to clone; without effect once the driver has ended.
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

    /// Stops polling and invoking, lets invocations in flight finish, commits them, and ends the run.
    pub fn drain(&self) {
        let _ = self.requests.send(Request::Drain);
    }

    /// Gives the next invocations to another function. Invocations in flight finish in the old one.
    pub fn swap(&self, function: Function) {
        let _ = self.requests.send(Request::Swap(Box::new(function)));
    }
}

#[derive(Debug)]
pub(super) enum Request {
    Drain,
    Swap(Box<Function>),
}
