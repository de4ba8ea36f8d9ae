//! A member's client, which leaves its group wherever it is dropped: with the run that ends, or with one that nobody polls
//! any more.

use std::ops::Deref;
use std::sync::Arc;

use rdkafka::consumer::{Consumer, StreamConsumer};
use tokio::sync::oneshot::Receiver;

use crate::driver::apart::apart;
use crate::driver::context::Context;

pub(super) type Client = StreamConsumer<Context>;

/// *None: it has left the group.*
pub(super) struct Joined(Option<Arc<Client>>);

impl Joined {
    pub(super) fn new(client: Client) -> Self {
        Self(Some(Arc::new(client)))
    }

    /// For work of its own thread. The group is left once that has ended too.
    pub(super) fn shared(&self) -> Arc<Client> {
        Arc::clone(self)
    }

    /// Leaves the group, on a thread of its own: that waits for the coordinator. None: the system has no thread for it, and it was waited for.
    pub(super) fn close(mut self) -> Option<Receiver<()>> {
        self.leave()
    }

    fn leave(&mut self) -> Option<Receiver<()>> {
        let client = self.0.take()?;
        client.context().leave();
        apart(move || drop(client)).ok()
    }
}

impl Deref for Joined {
    type Target = Arc<Client>;

    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Some(client) => client,
            None => unreachable!("only what consumes it leaves the group"),
        }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        // Nobody waits for it here.
        let _ = self.leave();
    }
}
