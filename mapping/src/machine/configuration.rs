//! The mapping's settings, named as AWS names them, and what is wrong with them. Given to the machine once.

mod check;
mod faults;
mod schema_registry;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

pub use self::faults::{Faults, SettingFault};
pub use self::schema_registry::{EventRecordFormat, SchemaRegistryConfig, ValidatedAttribute};
use super::readings::Readings;
use crate::event::{Envelope, Source};
use crate::limits::{
    BACKOFF_FIRST_MS, BACKOFF_MOST_MS, DELIVERY_COUNT_MAX, MAXIMUM_POLLERS_DEFAULT,
};
use crate::response::FailureReporting;

/// Whether a record's value passes the mapping's filters. None: a tombstone. The same bytes must get the same answer
/// each time.
pub type Filter = Arc<dyn Fn(Option<&[u8]>) -> bool + Send + Sync>;

/// The settings of a mapping: the fields of `CreateEventSourceMapping` that are about its behaviour, as they are given
/// there. [`Mapping::new`](super::Mapping::new) checks them.
///
/// # Example
///
/// ```
/// use msk_mapping::event::Source;
/// use msk_mapping::machine::{Configuration, Mapping, StartingPosition};
///
/// let source = Source::SelfManaged { bootstrap_servers: Some("127.0.0.1:9092".to_owned()) };
/// let mut configuration = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
/// configuration.maximum_retry_attempts = Some(20_000);
/// let faults = Mapping::new(configuration).expect_err("two faults");
/// assert_eq!(
///     faults.to_string(),
///     "MaximumRetryAttempts is 20000: Lambda allows -1 (infinite), 0 to 10000; \
///      MaximumRetryAttempts needs provisioned mode: set ProvisionedPollerConfig"
/// );
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Configuration {
    /// The cluster.
    pub source: Source,
    /// `Topics`: a mapping has one.
    pub topic: String,
    /// `FunctionName`, as an ARN: it stands in the documents for destinations.
    pub function_arn: String,
    /// `ConsumerGroupId`. None: Lambda uses the mapping's UUID, a driver a name of its own.
    pub consumer_group_id: Option<String>,
    /// `StartingPosition`: the start of a partition without an offset of the group. In Queue mode the machine leaves this
    /// to its driver.
    pub starting_position: StartingPosition,
    /// `SelfManagedKafkaEventSourceConfig.ConsumptionMode`.
    pub consumption_mode: ConsumptionMode,
    /// `BatchSize`, 1 to 10000. None: 100.
    pub batch_size: Option<i64>,
    /// `MaximumBatchingWindowInSeconds`, 0 to 300. None: 500 ms. Queue mode: does not apply.
    pub maximum_batching_window_in_seconds: Option<i64>,
    /// `MaximumRetryAttempts`, -1 (infinite) to 10000. None: infinite; in Queue mode 0. With a destination infinite is 10.
    pub maximum_retry_attempts: Option<i64>,
    /// `MaximumRecordAgeInSeconds`, -1 (infinite), or 60 to 604800. None: infinite.
    pub maximum_record_age_in_seconds: Option<i64>,
    /// `BisectBatchOnFunctionError`.
    pub bisect_batch_on_function_error: bool,
    /// `FunctionResponseTypes`: whether it is `[ReportBatchItemFailures]`.
    pub function_response_types: FailureReporting,
    /// `DestinationConfig.OnFailure`. None: records that are given up are dropped.
    pub on_failure: Option<OnFailure>,
    /// `FilterCriteria`. None: each record passes.
    pub filter_criteria: Option<Filter>,
    /// `SchemaRegistryConfig`. None: records are delivered as they are, and no schema is asked for. The machine leaves the check to its driver, and
    /// takes what came of it as [`Input::Validated`](super::Input::Validated).
    pub schema_registry_config: Option<SchemaRegistryConfig>,
    /// `ProvisionedPollerConfig`. None: on-demand mode.
    pub provisioned_poller_config: Option<ProvisionedPollers>,
    /// The back-off after failed attempts: Lambda has one, but does not document its length.
    pub backoff: Backoff,
    /// The number of deliveries before a share group's broker archives a record, a setting of the cluster's
    /// (`group.share.delivery.count.limit`). Default: 5, as Kafka's. Stream mode: does not apply.
    pub delivery_count_max: u16,
    /// How to emulate behaviour that AWS does not document.
    pub readings: Readings,
}

impl Configuration {
    /// On-demand mode with AWS's defaults.
    pub fn new(
        source: Source,
        topic: impl Into<String>,
        starting_position: StartingPosition,
    ) -> Self {
        Self {
            source,
            topic: topic.into(),
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:function".to_owned(),
            consumer_group_id: None,
            starting_position,
            consumption_mode: ConsumptionMode::Stream,
            batch_size: None,
            maximum_batching_window_in_seconds: None,
            maximum_retry_attempts: None,
            maximum_record_age_in_seconds: None,
            bisect_batch_on_function_error: false,
            function_response_types: FailureReporting::WholeBatch,
            on_failure: None,
            filter_criteria: None,
            schema_registry_config: None,
            provisioned_poller_config: None,
            backoff: Backoff::default(),
            delivery_count_max: DELIVERY_COUNT_MAX,
            readings: Readings::default(),
        }
    }

    /// The parts that all events of the mapping share.
    pub fn envelope(&self) -> Envelope {
        Envelope::new(self.source.clone(), self.readings.nulls)
    }

    /// The number of pollers that Lambda would run for a topic of so many partitions, from the least to the most: as many
    /// as are provisioned, but none without a partition. On-demand mode: one.
    pub fn pollers(&self, partitions: usize) -> RangeInclusive<usize> {
        let Some(pollers) = &self.provisioned_poller_config else {
            return 1..=1;
        };
        let bound = |pollers: i64| {
            usize::try_from(pollers)
                .unwrap_or(1)
                .clamp(1, partitions.max(1))
        };
        let minimum = pollers.minimum.unwrap_or(1);
        let maximum = pollers
            .maximum
            .unwrap_or(MAXIMUM_POLLERS_DEFAULT)
            .max(minimum);
        bound(minimum)..=bound(maximum)
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("source", &self.source)
            .field("topic", &self.topic)
            .field("consumer_group_id", &self.consumer_group_id)
            .field("starting_position", &self.starting_position)
            .field("consumption_mode", &self.consumption_mode)
            .field("batch_size", &self.batch_size)
            .field(
                "maximum_batching_window_in_seconds",
                &self.maximum_batching_window_in_seconds,
            )
            .field("maximum_retry_attempts", &self.maximum_retry_attempts)
            .field(
                "maximum_record_age_in_seconds",
                &self.maximum_record_age_in_seconds,
            )
            .field(
                "bisect_batch_on_function_error",
                &self.bisect_batch_on_function_error,
            )
            .field("function_response_types", &self.function_response_types)
            .field("on_failure", &self.on_failure)
            .field("filter_criteria", &self.filter_criteria.is_some())
            .field("schema_registry_config", &self.schema_registry_config)
            .field("provisioned_poller_config", &self.provisioned_poller_config)
            .field("backoff", &self.backoff)
            .field("delivery_count_max", &self.delivery_count_max)
            .field("readings", &self.readings)
            .finish_non_exhaustive()
    }
}

/// `StartingPosition`, with `StartingPositionTimestamp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StartingPosition {
    /// `TRIM_HORIZON`: the oldest record.
    TrimHorizon,
    /// `LATEST`: records produced from now on.
    Latest,
    /// `AT_TIMESTAMP`: the first record of this time or later, in milliseconds since 1970.
    AtTimestamp(i64),
}

/// `ConsumptionMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ConsumptionMode {
    /// `Stream`: a consumer group; each partition has one poller and keeps its order.
    #[default]
    Stream,
    /// `Queue`: a share group of a self-managed cluster (Kafka 4.2 or later); no order, several batches of a partition at
    /// once.
    Queue,
}

/// `DestinationConfig.OnFailure.Destination`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// A queue's ARN.
    Sqs(String),
    /// A topic's ARN.
    Sns(String),
    /// A bucket's ARN, or another address that the driver accepts for a bucket.
    S3(String),
    /// `kafka://TOPIC`: a topic of the same cluster, not the one that is read.
    Kafka(String),
    /// A destination that only a driver knows, a file for example.
    Other(String),
}

/// `ProvisionedPollerConfig`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProvisionedPollers {
    /// `MinimumPollers`, 1 to 200. None: 1.
    pub minimum: Option<i64>,
    /// `MaximumPollers`, 1 to 2000. None: 200.
    pub maximum: Option<i64>,
    /// `PollerGroupName`. It has no effect here.
    pub group: Option<String>,
}

/// The pause before a failed attempt is repeated: it doubles each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(BACKOFF_FIRST_MS),
            most: Duration::from_millis(BACKOFF_MOST_MS),
        }
    }
}
