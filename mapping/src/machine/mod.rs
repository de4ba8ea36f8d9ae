//! The event source mapping as a state machine without I/O, clock or chance: what drives it polls Kafka, calls the
//! function and has the time. The same inputs give the same outputs.
//!
//! [`Mapping::handle`] tells it what happened and when; then [`Mapping::poll`] gives what to do, one [`Output`] after the
//! other, until there is none. What AWS leaves open is a switch in [`Readings`].
//!
//! # Example
//!
//! ```
//! use msk_mapping::event::Source;
//! use msk_mapping::machine::{Configuration, End, Input, Mapping, Output, PollerId, StartingPosition};
//! use msk_mapping::record::{Record, TopicPartition};
//! use msk_mapping::time::Time;
//!
//! let source = Source::SelfManaged { bootstrap_servers: None };
//! let mut mapping = Mapping::new(Configuration::new(source, "orders", StartingPosition::TrimHorizon))?;
//! let (poller, partition) = (PollerId(0), TopicPartition::new("orders", 0));
//! let now = Time::from_millis(1_767_225_600_000);
//!
//! mapping.handle(now, Input::Assigned { poller, partition: partition.clone(), committed: None });
//! mapping.handle(now, Input::Polled { poller, records: vec![Record::new(partition, 7).with_value("{}")] });
//! let later = now.after(std::time::Duration::from_millis(500)); // the window is over
//! mapping.handle(later, Input::Woken);
//!
//! let outputs: Vec<Output> = std::iter::from_fn(|| mapping.poll()).collect();
//! let Some(Output::Invoke(batch)) = outputs.last() else { panic!("{outputs:?}") };
//! mapping.handle(later, Input::Ended { id: batch.id, request_id: None, how: End::Response("null".into()) });
//! let outputs: Vec<Output> = std::iter::from_fn(|| mapping.poll()).collect();
//! assert!(outputs.iter().any(|output| matches!(output, Output::Commit { position: 8, .. })));
//! # Ok::<(), msk_mapping::machine::Faults>(())
//! ```

mod configuration;
mod ids;
mod input;
mod metrics;
mod output;
mod readings;

use std::collections::VecDeque;

pub use self::configuration::{
    Backoff, Configuration, ConsumptionMode, Fault, Faults, Filter, OnFailure, ProvisionedPollers,
    StartingPosition,
};
pub use self::ids::{DeliveryId, InvocationId, PollerId};
pub use self::input::{End, Input};
pub use self::metrics::{Metrics, PartitionStatus};
pub use self::output::{
    Acknowledgement, Batch, Because, Condition, Discarded, Dropped, LastResponse, Offsets, Output,
    Position,
};
pub use self::readings::{
    Again, Age, Attempts, Bisecting, Exhausted, Halves, NextBatch, PartialAnswer, Progress,
    Readings, Rebalance, Throttles, Window,
};
use crate::time::Time;

/// A mapping with its pollers.
#[derive(Debug)]
pub struct Mapping {
    configuration: Configuration,
    outputs: VecDeque<Output>,
    metrics: Metrics,
}

impl Mapping {
    /// A mapping that has no partitions yet.
    ///
    /// # Errors
    ///
    /// [`Faults`] if Lambda would refuse the configuration.
    pub fn new(configuration: Configuration) -> Result<Self, Faults> {
        configuration.check()?;
        Ok(Self {
            configuration,
            outputs: VecDeque::new(),
            metrics: Metrics::default(),
        })
    }

    /// Takes in what happened. Time must not go back; a time that does is taken for the latest one given.
    pub fn handle(&mut self, _now: Time, _input: Input) {}

    /// What to do next. None: nothing, until something happens.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Its settings.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Whether no invocation and no delivery is under way, and no record waits: nothing happens until records come.
    pub fn is_idle(&self) -> bool {
        true
    }

    /// The number of invocations under way.
    pub fn in_flight(&self) -> usize {
        0
    }

    /// When [`Input::Woken`] is wanted. None: not at all.
    pub fn wake_at(&self) -> Option<Time> {
        None
    }

    /// What it has counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How each partition of each poller stands.
    pub fn partitions(&self) -> Vec<PartitionStatus> {
        Vec::new()
    }
}
