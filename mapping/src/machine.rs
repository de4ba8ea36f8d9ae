//! The event source mapping as a state machine without I/O, clock or randomness: its driver polls Kafka, invokes the
//! function and has the clock. The same inputs give the same outputs.
//!
//! [`Mapping::handle`] takes an event and its time; then [`Mapping::poll`] returns what to do, one [`Output`] after the
//! other, until there is none. Behaviour that AWS does not document is a switch in [`Readings`].
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

mod batch;
mod rules;
mod tracker;

mod batching;
mod partition;
mod verdict;

mod context;
mod pacing;
mod poller;
mod sending;
mod settling;

use std::collections::BTreeMap;
use std::fmt;

pub use self::configuration::{
    Backoff, Configuration, ConsumptionMode, EventRecordFormat, Faults, Filter, OnFailure,
    ProvisionedPollers, SchemaRegistryConfig, SettingFault, StartingPosition, ValidatedAttribute,
};
use self::context::Context;
pub use self::ids::{DeliveryId, InvocationId, PollerId};
pub use self::input::{End, Input, SchemaFault, Validated, Validity};
pub use self::metrics::{Metrics, PartitionStatus};
pub use self::output::{
    Acknowledgement, Batch, Because, Condition, Discarded, Dropped, LastResponse, Offsets, Output,
    Position,
};
use self::poller::Poller;
pub use self::readings::{
    Again, Age, Attempts, Bisecting, Exhausted, Halves, NextBatch, Nulls, PartialAnswer, Progress,
    ProtobufIndexes, Readings, Rebalance, Throttles, Window,
};
use self::rules::Rules;
use crate::time::Time;

/// A mapping with its pollers.
pub struct Mapping {
    configuration: Configuration,
    context: Context,
    pollers: BTreeMap<PollerId, Poller>,
    /// What was asked for last.
    wake_at: Option<Time>,
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
            context: Context::new(Rules::of(&configuration)),
            configuration,
            pollers: BTreeMap::new(),
            wake_at: None,
        })
    }

    /// Takes an input. Time must not go back; an earlier time counts as the latest one given.
    ///
    /// An impossible input, such as the second end of an invocation, is ignored: outside, responses come late.
    pub fn handle(&mut self, now: Time, input: Input) {
        let cx = &mut self.context;
        cx.now = cx.now.max(now);
        let woken = matches!(input, Input::Woken);
        if matches!(input, Input::Drain) {
            cx.draining = true;
        }
        let all = woken || matches!(input, Input::Drain);
        let concerned = take_in(input, &mut self.pollers, cx);
        for poller in self.pollers.values_mut() {
            if all || Some(poller.id) == concerned {
                poller.commit(cx);
                poller.send_due(cx);
                poller.commit(cx);
                poller.pace(cx);
                poller.plan(cx);
            }
        }
        let wake_at = self.wake_at();
        // Who wakes a moment too early has to be asked again.
        if wake_at != self.wake_at || woken {
            self.wake_at = wake_at.or(self.wake_at);
            self.context.outputs.extend(wake_at.map(Output::WakeAt));
        }
    }

    /// The next output. None: nothing to do until the next input.
    pub fn poll(&mut self) -> Option<Output> {
        self.context.outputs.pop_front()
    }

    /// Its settings.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Whether no invocation and no delivery is in flight, and no record waits for one: nothing happens until records come.
    /// After [`Input::Drain`], records may wait.
    pub fn is_idle(&self) -> bool {
        let cx = &self.context;
        let idle = |poller: &Poller| {
            let mut partitions = poller.partitions.values();
            let waits = partitions.any(|partition| partition.waits() > 0);
            poller.unsettled.is_empty() && !waits
        };
        cx.invocations.is_empty()
            && cx.deliveries.is_empty()
            && (cx.draining || self.pollers.values().all(idle))
    }

    /// The number of invocations under way, those of revoked partitions included.
    pub fn in_flight(&self) -> usize {
        self.context.invocations.len()
    }

    /// The time for the next [`Input::Woken`]. None: none is needed.
    pub fn wake_at(&self) -> Option<Time> {
        self.pollers
            .values()
            .filter_map(|poller| poller.wake_at)
            .min()
    }

    /// The mapping's counts.
    pub fn metrics(&self) -> &Metrics {
        &self.context.metrics
    }

    /// The status of each partition of each poller, in their order.
    pub fn partitions(&self) -> Vec<PartitionStatus> {
        let status = |poller: &Poller| poller.status(&self.context);
        self.pollers.values().flat_map(status).collect()
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("configuration", &self.configuration)
            .field("partitions", &self.partitions())
            .field("in_flight", &self.in_flight())
            .field("metrics", self.metrics())
            .finish_non_exhaustive()
    }
}

/// Hands an input to the poller that it is for, and names it. None: to none.
fn take_in(
    input: Input,
    pollers: &mut BTreeMap<PollerId, Poller>,
    cx: &mut Context,
) -> Option<PollerId> {
    match input {
        Input::Assigned {
            poller: id,
            partition,
            committed,
        } => {
            let poller = pollers.entry(id).or_insert_with(|| Poller::new(id));
            poller.assigned(partition, committed, cx);
            Some(id)
        }
        Input::Revoked { poller, partition } => {
            pollers.get_mut(&poller)?.revoked(&partition, cx);
            Some(poller)
        }
        Input::Revoking { poller, partition } => {
            pollers.get_mut(&poller)?.revoking(&partition, cx);
            Some(poller)
        }
        Input::Polled { poller, records } => {
            let records = records.into_iter().map(Validated::unchecked);
            pollers.get_mut(&poller)?.polled(records, cx);
            Some(poller)
        }
        Input::Validated { poller, records } => {
            pollers.get_mut(&poller)?.polled(records, cx);
            Some(poller)
        }
        Input::Advanced {
            poller,
            partition,
            position,
        } => {
            pollers.get_mut(&poller)?.advanced(&partition, position, cx);
            Some(poller)
        }
        Input::Ended {
            id,
            request_id,
            how,
        } => {
            let flight = cx.invocations.remove(&id)?;
            let poller = pollers.get_mut(&flight.poller)?;
            poller.ended((id, &flight), request_id, &how, cx);
            Some(flight.poller)
        }
        Input::Delivered { id } => delivered(id, true, pollers, cx),
        Input::DeliveryFailed { id } => delivered(id, false, pollers, cx),
        Input::OutOfRange { poller, partition } => {
            pollers.get_mut(&poller)?.out_of_range(partition, cx);
            Some(poller)
        }
        Input::CommitRefused {
            poller,
            partition,
            position,
        } => {
            pollers
                .get_mut(&poller)?
                .refused(&partition, position, cx.now);
            Some(poller)
        }
        Input::Woken | Input::Drain => None,
    }
}

fn delivered(
    id: DeliveryId,
    taken: bool,
    pollers: &mut BTreeMap<PollerId, Poller>,
    cx: &mut Context,
) -> Option<PollerId> {
    let delivery = cx.deliveries.remove(&id)?;
    let poller = delivery.poller;
    pollers.get_mut(&poller)?.delivered(delivery, taken, cx);
    Some(poller)
}
