//! Names of spans' attributes, by the semantic conventions of OpenTelemetry for messaging, FaaS and errors; ours begin with `lambda_msk.`.

pub(super) const SYSTEM: &str = "messaging.system";
pub(super) const OPERATION_NAME: &str = "messaging.operation.name";
pub(super) const OPERATION_TYPE: &str = "messaging.operation.type";
pub(super) const DESTINATION: &str = "messaging.destination.name";
pub(super) const PARTITION: &str = "messaging.destination.partition.id";
pub(super) const CONSUMER_GROUP: &str = "messaging.consumer.group.name";
pub(super) const BATCH_COUNT: &str = "messaging.batch.message_count";
pub(super) const BODY_SIZE: &str = "messaging.message.body.size";
pub(super) const OFFSET: &str = "messaging.kafka.offset";
pub(super) const KEY: &str = "messaging.kafka.message.key";
pub(super) const TOMBSTONE: &str = "messaging.kafka.message.tombstone";
pub(super) const INVOCATION_ID: &str = "faas.invocation_id";
pub(super) const TRIGGER: &str = "faas.trigger";
pub(super) const RESOURCE_ID: &str = "cloud.resource_id";
pub(super) const ERROR_TYPE: &str = "error.type";
/// `done`, `rejected`, `failed`, …
pub(super) const OUTCOME: &str = "lambda_msk.outcome";
/// How often the record's handler was started.
pub(super) const ATTEMPTS: &str = "lambda_msk.attempts";

/// Of [`SYSTEM`].
pub(super) const KAFKA: &str = "kafka";
/// Of [`OPERATION_NAME`] and [`OPERATION_TYPE`].
pub(super) const PROCESS: &str = "process";
/// Of [`TRIGGER`].
pub(super) const PUBSUB: &str = "pubsub";
