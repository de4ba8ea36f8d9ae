//! Which partitions are asked for, and what a store knows of them.

use lambda_msk::TopicPartition;
use lambda_msk::idempotency::{BoxStore, IdempotencyStore, PartitionState};
use tokio::task::JoinSet;

use crate::event::check_topic;
use crate::fault::Fault;

/// Past any topic's; it bounds what a slip of the finger costs.
const PARTITIONS_MAX: i64 = 10_000;
/// Reads on their way at once.
const READS_MAX: usize = 32;

/// Which partitions, of whom, and where they are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The store.
    #[arg(
        long,
        env = "LAMBDA_MSK_IDEMPOTENCY",
        hide_env_values = true,
        value_name = "dynamodb://TABLE"
    )]
    pub(super) store: String,
    /// The consumer's: LAMBDA_MSK_NAMESPACE of the function, else the function's name.
    #[arg(
        long,
        env = "LAMBDA_MSK_NAMESPACE",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(super) namespace: String,
    /// LAMBDA_MSK_CLUSTER of the function; if unset, the cluster's ARN, or of a self-managed one its brokers, sorted and joined by commas.
    #[arg(
        long,
        env = "LAMBDA_MSK_CLUSTER",
        hide_env_values = true,
        value_name = "ARN|NAME"
    )]
    pub(super) cluster: String,
    /// The topic.
    #[arg(long)]
    pub(super) topic: String,
    /// This partition; may come again.
    #[arg(long = "partition", value_name = "N", required_unless_present = "partitions", value_parser = clap::value_parser!(i32).range(0..))]
    pub(super) partition: Vec<i32>,
    /// The first N partitions: 0 to N-1.
    #[arg(long, value_name = "N", conflicts_with = "partition", value_parser = clap::value_parser!(i32).range(1..=PARTITIONS_MAX))]
    pub(super) partitions: Option<i32>,
    /// Write one JSON document to standard output.
    #[arg(long)]
    pub(super) json: bool,
}

/// What was read, in the order of partitions.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) known: Vec<(i32, PartitionState)>,
    pub(super) unknown: Vec<i32>,
}

impl Which {
    /// A part of an id that holds another part's `/` would name another item.
    pub(super) fn check(&self) -> Result<(), Fault> {
        check_topic(&self.topic)?;
        if self.namespace.is_empty() || self.namespace.contains('/') {
            return Err(Fault::new(format!("{:?} is no namespace", self.namespace))
                .help("it is the function's name, unless the function sets LAMBDA_MSK_NAMESPACE"));
        }
        if self.cluster.is_empty() {
            return Err(Fault::new("the cluster's name is empty").help(
                "it is the function's LAMBDA_MSK_CLUSTER, else the ARN, or self-managed the brokers, sorted",
            ));
        }
        Ok(())
    }

    fn partitions(&self) -> Vec<i32> {
        let mut partitions = match self.partitions {
            Some(count) => (0..count).collect(),
            None => self.partition.clone(),
        };
        partitions.sort_unstable();
        partitions.dedup();
        partitions
    }

    pub(super) async fn read(&self, store: &BoxStore) -> Result<Found, Fault> {
        let mut found = Found {
            known: Vec::new(),
            unknown: Vec::new(),
        };
        for partitions in self.partitions().chunks(READS_MAX) {
            let mut reads = JoinSet::new();
            for &partition in partitions {
                let (store, at) = (store.clone(), TopicPartition::new(&*self.topic, partition));
                let (namespace, cluster) = (self.namespace.clone(), self.cluster.clone());
                reads.spawn(async move {
                    let state = PartitionState::read(&store, &namespace, &cluster, &at).await;
                    (partition, state)
                });
            }
            while let Some(read) = reads.join_next().await {
                let broken = |error: tokio::task::JoinError| Fault::from_error(&error);
                match read.map_err(broken)? {
                    (partition, Ok(Some(state))) => found.known.push((partition, state)),
                    (partition, Ok(None)) => found.unknown.push(partition),
                    (_, Err(error)) => return Err(failed(store, &error)),
                }
            }
        }
        found
            .known
            .sort_unstable_by_key(|(partition, _)| *partition);
        found.unknown.sort_unstable();
        Ok(found)
    }
}

/// The store could not say.
pub(super) fn failed(store: &BoxStore, error: &dyn std::error::Error) -> Fault {
    let what = format!("{} cannot be read or written", store.describe());
    let fault = Fault::new(what).at(error.to_string());
    fault.help("check --store, the region and the credentials (AWS_REGION, AWS_PROFILE)")
}

/// Now, as leases are compared with it.
pub(super) fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
