//! One mapping on its way to a run: what is set by hand, and what the cluster and the destination are asked before.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use msk_kafka::Cluster;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::control::{Control, Request};
use super::destination::{Destination, Undelivered};
use super::ended::ended;
use super::error::Error;
#[cfg(feature = "share")]
use super::member::share;
use super::notice::{Notice, Status};
use super::run;
use super::setup::Setup;
use crate::function::Function;
use crate::limits::{DELIVER_MS, FUNCTION_TIMEOUT_MS};
use crate::machine::{Configuration, ConsumptionMode, Mapping};
#[cfg(feature = "schemas")]
use crate::schemas::Registry;

/// One mapping, ready to run: a topic, its settings, and the function.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use msk_mapping::Function;
/// use msk_mapping::driver::{Driver, EmbeddedBroker};
/// use msk_mapping::event::Source;
/// use msk_mapping::machine::{Configuration, StartingPosition};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), msk_mapping::driver::Error> {
/// let broker = EmbeddedBroker::start([("orders", 1)])?;
/// let source = Source::SelfManaged { bootstrap_servers: Some(broker.cluster().bootstrap().to_owned()) };
/// let settings = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
/// // The topic is empty, so it ends before a function is started.
/// let driver = Driver::new(broker.cluster(), settings, Function::new("./bootstrap")).alone().until_caught_up();
/// let status = driver.run(|notice| println!("{notice:?}")).await?;
/// assert_eq!((status.lag(), status.metrics.invocations), (Some(0), 0));
/// # Ok(())
/// # }
/// ```
pub struct Driver {
    setup: Setup,
    control: Control,
    requests: UnboundedReceiver<Request>,
}

impl Driver {
    /// A mapping with one poller. Where the configuration names no group, its members form one named after the function.
    pub fn new(cluster: Cluster, configuration: Configuration, function: Function) -> Self {
        let (control, requests) = Control::new();
        let setup = Setup {
            cluster,
            configuration,
            function,
            timeout: Duration::from_millis(FUNCTION_TIMEOUT_MS),
            pollers: 1,
            alone: false,
            until_caught_up: false,
            destination: None,
            events: None,
            #[cfg(feature = "schemas")]
            registry: None,
        };
        Self {
            setup,
            control,
            requests,
        }
    }

    /// The function's time-out. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.setup.timeout = timeout;
        self
    }

    /// The number of pollers: members of the group, each with at most five concurrent invocations. Default: 1.
    #[must_use]
    pub fn pollers(mut self, pollers: u32) -> Self {
        self.setup.pollers = pollers.max(1);
        self
    }

    /// Takes all partitions without joining the group, and commits under its name: this starts at once, while a group
    /// needs seconds to settle. For one poller, on a broker that nobody else reads.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.setup.alone = true;
        self
    }

    /// Ends the run once the group has committed the end of each partition of the topic. While other members of the group
    /// have some partitions, the run waits for them, and says so. Default: it runs until it is [drained](Control::drain).
    #[must_use]
    pub fn until_caught_up(mut self) -> Self {
        self.setup.until_caught_up = true;
        self
    }

    /// The destination for records that the mapping gives up. The configuration has to name it too, because a destination
    /// changes how often Lambda retries.
    #[must_use]
    pub fn destination(mut self, destination: impl Destination) -> Self {
        self.setup.destination = Some(Arc::new(destination));
        self
    }

    /// Calls a closure with each event before its invocation, payloads included. It should return soon: the mapping waits for it. Default: nobody sees
    /// payloads, since [notices](Notice) have none.
    #[must_use]
    pub fn events(mut self, seen: impl Fn(&Bytes) + Send + Sync + 'static) -> Self {
        self.setup.events = Some(Arc::new(seen));
        self
    }

    /// The registry whose schemas records are checked by. The configuration has to have a `SchemaRegistryConfig` too, which says what is checked.
    #[cfg(feature = "schemas")]
    #[must_use]
    pub fn schema_registry(mut self, registry: impl Registry) -> Self {
        self.setup.registry = Some(Box::new(registry));
        self
    }

    /// A handle to control the driver while it runs.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Runs the mapping, calls `notices` with each notice, and returns the last status. If the future is dropped, the
    /// function's processes are killed, and the next run redelivers the records that are not committed.
    ///
    /// # Errors
    ///
    /// [`Error`] if the run cannot start: a wrong setting, a broker that does not answer or refuses access, a missing
    /// topic, a destination whose [check](Destination::check) fails, a missing command of the function. A run
    /// [until it is caught up](Self::until_caught_up) also ends if it cannot continue and nothing is in flight: the
    /// cluster has refused access for ten seconds ([`Refused`](msk_kafka::Error::Refused)), has not answered for thirty
    /// ([`Unreachable`](msk_kafka::Error::Unreachable)), has lacked the topic for five
    /// ([`UnknownTopic`](msk_kafka::Error::UnknownTopic)), or no member of the group has read or committed anything for
    /// the function's time-out and thirty seconds ([`Error::Stalled`]), or the schema registry cannot be asked for thirty
    /// seconds ([`Error::SchemaRegistry`]). Any other run continues, and says so.
    pub async fn run(
        self,
        notices: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Status, Error> {
        // On the heap: a run is large, and who awaits it holds it in a future of their own.
        Box::pin(self.started(Box::new(notices))).await
    }

    async fn started(self, notices: Box<dyn Fn(Notice) + Send + Sync>) -> Result<Status, Error> {
        let Self {
            mut setup,
            requests,
            ..
        } = self;
        setup.configuration.check()?;
        if setup.configuration.consumption_mode == ConsumptionMode::Queue {
            #[cfg(feature = "share")]
            msk_kafka::share_security::auth(&setup.cluster)?;
            #[cfg(not(feature = "share"))]
            return Err(Error::QueueMode);
        }
        if setup.configuration.schema_registry_config.is_some() {
            #[cfg(feature = "schemas")]
            let can = setup.registry.is_some();
            #[cfg(not(feature = "schemas"))]
            let can = false;
            if !can {
                return Err(Error::NoSchemaRegistry);
            }
        }
        let (cluster, topic) = (setup.cluster.clone(), setup.configuration.topic.clone());
        let asked = tokio::task::spawn_blocking(move || cluster.partitions(&topic)).await;
        let partitions = ended(asked)?;
        if let Some(destination) = &setup.destination {
            check(&**destination).await?;
        }
        learn(&mut setup).await;
        let mapping = Mapping::new(setup.configuration.clone())?;
        let ready = run::start(setup, requests, mapping, partitions, notices);
        ready.await?.run().await
    }
}

/// Asks a destination before the run, which it must not hold up.
async fn check(destination: &dyn Destination) -> Result<(), Error> {
    let checked = timeout(Duration::from_millis(DELIVER_MS), destination.check()).await;
    let late = || Undelivered(format!("no answer in {DELIVER_MS} ms").into());
    checked
        .unwrap_or_else(|_| Err(late()))
        .map_err(|source| Error::Destination {
            name: destination.describe(),
            source,
        })
}

/// Completes the configuration with what only the cluster knows.
#[cfg(feature = "share")]
async fn learn(setup: &mut Setup) {
    let configuration = &mut setup.configuration;
    if configuration.consumption_mode == ConsumptionMode::Queue
        && let Some(most) = share::delivery_count_max(&setup.cluster).await
    {
        configuration.delivery_count_max = most;
    }
}

#[cfg(not(feature = "share"))]
async fn learn(_: &mut Setup) {}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("cluster", &self.setup.cluster)
            .field("configuration", &self.setup.configuration)
            .field("function", &self.setup.function)
            .field("timeout", &self.setup.timeout)
            .field("pollers", &self.setup.pollers)
            .finish_non_exhaustive()
    }
}
