//! What one mapping is made of: all that a run begins with.

use std::sync::Arc;
use std::time::Duration;

use msk_kafka::Cluster;

use super::destination::Destination;
use super::notice::Events;
use crate::function::Function;
use crate::machine::Configuration;
#[cfg(feature = "schemas")]
use crate::schemas::Registry;

pub(super) struct Setup {
    pub(super) cluster: Cluster,
    pub(super) configuration: Configuration,
    pub(super) function: Function,
    /// The function's.
    pub(super) timeout: Duration,
    pub(super) pollers: u32,
    /// Whether its one poller takes all partitions without asking the group.
    pub(super) alone: bool,
    pub(super) until_caught_up: bool,
    pub(super) destination: Option<Arc<dyn Destination>>,
    /// What is told of each event.
    pub(super) events: Option<Events>,
    /// What is asked for schemas.
    #[cfg(feature = "schemas")]
    pub(super) registry: Option<Box<dyn Registry>>,
}

impl Setup {
    /// The name of its group.
    pub(super) fn group(&self) -> String {
        let named = self.configuration.consumer_group_id.clone();
        named.unwrap_or_else(|| self.function.identity().name().to_owned())
    }
}
