//! The mapping over a real Kafka cluster, or a broker in this process, with a real function: what `cargo msk dev` runs.
//!
//! [`Driver`] has the clock, the network and the processes, and does what the [state machine](crate::machine) says: its
//! pollers are members of a consumer group, its invocations go to as many [environments](crate::Environment) as there are
//! at once.
//!
//! In Queue mode (feature `share`, Kafka 4.2 or later) they are members of a share group. What of the topic the group has
//! no offset of yet is given one, where the starting position is. Each poller takes records in rounds, at most a
//! batch for each of its invocations, and takes more once all of a round is settled: a slow batch holds up its poller, and no
//! other. Locks are renewed as long as a function works. Of a topic whose broker sets the times (`LogAppendTime`) the records
//! bear the producer's time, since that is what the client of share groups reads (krafka 0.28).

mod apart;
mod cluster;
mod connect;
mod context;
mod destination;
mod embedded;
mod error;
mod look;
mod member;
mod message;
mod notice;
mod pool;
mod producer;
mod run;
mod security;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub use self::cluster::Cluster;
pub use self::destination::{
    Destination, FileDestination, SendFuture, TopicDestination, Undelivered,
};
pub use self::embedded::EmbeddedBroker;
pub use self::error::Error;
pub use self::notice::{Flight, Lane, Notice, Status, Unread};
pub use self::producer::{Outgoing, Producer};
use self::run::Run;
pub use self::security::{Refusal, SecurityFault};
use crate::function::Function;
use crate::limits::FUNCTION_TIMEOUT_MS;
use crate::machine::{Configuration, ConsumptionMode, Mapping};

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
    cluster: Cluster,
    configuration: Configuration,
    function: Function,
    timeout: Duration,
    pollers: u32,
    alone: bool,
    until_caught_up: bool,
    destination: Option<Arc<dyn Destination>>,
    control: Control,
    requests: UnboundedReceiver<Request>,
}

impl Driver {
    /// A mapping with one poller. Where the configuration names no group, its members form one named after the function.
    pub fn new(cluster: Cluster, configuration: Configuration, function: Function) -> Self {
        let (sender, requests) = unbounded_channel();
        Self {
            cluster,
            configuration,
            function,
            timeout: Duration::from_millis(FUNCTION_TIMEOUT_MS),
            pollers: 1,
            alone: false,
            until_caught_up: false,
            destination: None,
            control: Control { requests: sender },
            requests,
        }
    }

    /// The function's time-out. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many pollers, each a member of the group with at most five invocations at once. Default: 1.
    #[must_use]
    pub fn pollers(mut self, pollers: u32) -> Self {
        self.pollers = pollers.max(1);
        self
    }

    /// Takes all partitions without asking the group, though under its name: at once, where a group takes seconds to
    /// settle. For a broker that nobody else reads, and one poller.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Ends once each partition of the topic stands at its end in the group's committed offsets, whoever committed them.
    /// While other members of the group have some, it waits for them, and says so. Default: runs until it is
    /// [drained](Control::drain).
    #[must_use]
    pub fn until_caught_up(mut self) -> Self {
        self.until_caught_up = true;
        self
    }

    /// Takes what the mapping gives up. The configuration has to name it too, since that changes how often Lambda
    /// retries.
    #[must_use]
    pub fn destination(mut self, destination: impl Destination) -> Self {
        self.destination = Some(Arc::new(destination));
        self
    }

    /// What tells it something while it runs.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Runs the mapping, and says what happens. Answers with how it stood at the end. If this is dropped, the function's
    /// processes are killed, and what is not committed comes again with the next run.
    ///
    /// # Errors
    ///
    /// [`Error`] if it cannot start: a setting, a broker that does not answer or refuses us, a topic that is missing, a
    /// destination that [says so](Destination::check), a function whose command is missing. A run
    /// [until it is caught up](Self::until_caught_up) ends too where it cannot go on, once nothing is under way any more: the
    /// cluster has refused it for ten seconds ([`Error::Refused`]), has not answered for thirty ([`Error::Unreachable`]), has
    /// no longer had the topic for five ([`Error::UnknownTopic`]), or nobody in the group has read or committed anything for
    /// the function's time-out and thirty seconds ([`Error::Stalled`]). Without that it goes on, and says so.
    pub async fn run(
        self,
        notices: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Status, Error> {
        self.configuration.check()?;
        if self.configuration.consumption_mode == ConsumptionMode::Queue {
            #[cfg(feature = "share")]
            security::queue::auth(self.cluster.settings())?;
            #[cfg(not(feature = "share"))]
            return Err(Error::QueueMode);
        }
        let (cluster, topic) = (self.cluster.clone(), self.configuration.topic.clone());
        let asked = tokio::task::spawn_blocking(move || cluster.partitions(&topic)).await;
        let partitions = run::ended(asked)?;
        if let Some(destination) = &self.destination {
            destination::check(&**destination).await?;
        }
        let mapping = Mapping::new(self.settled().await)?;
        Run::start(self, mapping, partitions, Box::new(notices))
            .await?
            .run()
            .await
    }
}

impl Driver {
    /// The configuration, with what only the cluster knows.
    #[cfg(feature = "share")]
    async fn settled(&self) -> Configuration {
        let mut configuration = self.configuration.clone();
        if configuration.consumption_mode == ConsumptionMode::Queue
            && let Some(most) = member::share::delivery_count_max(&self.cluster).await
        {
            configuration.delivery_count_max = most;
        }
        configuration
    }

    #[cfg(not(feature = "share"))]
    async fn settled(&self) -> Configuration {
        self.configuration.clone()
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("cluster", &self.cluster)
            .field("configuration", &self.configuration)
            .field("function", &self.function)
            .field("timeout", &self.timeout)
            .field("pollers", &self.pollers)
            .finish_non_exhaustive()
    }
}

/// Tells a running [`Driver`] something. Cheap to clone; of no effect once the driver has ended.
#[derive(Debug, Clone)]
pub struct Control {
    requests: UnboundedSender<Request>,
}

impl Control {
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
enum Request {
    Drain,
    Swap(Box<Function>),
}
