//! One sender for each service, which reports whether the receiver has confirmed what was sent.

// How long a sender waits before it tries again: a random part of it.
mod chance;

// How long a send may try.
mod patience;

mod file;

// What the AWS SDK shows of an endpoint that it cannot read.
mod endpoint;

#[cfg(feature = "kafka")]
mod kafka;

// To Kafka from a function: through krafka.
#[cfg(feature = "krafka")]
mod record;
#[cfg(feature = "krafka")]
mod record_error;

// What the services in AWS share.
#[cfg(feature = "aws")]
mod sdk;

// Why a service in AWS has not confirmed something.
#[cfg(feature = "aws")]
#[cfg_attr(
    not(any(feature = "sqs", feature = "sns", feature = "s3")),
    allow(dead_code, reason = "it is of no use without a service")
)]
mod error;

// What goes to queues and to topics of SNS, and how they take it: in batches.
#[cfg(any(feature = "sqs", feature = "sns"))]
mod batch;
#[cfg(any(feature = "sqs", feature = "sns"))]
mod message;

#[cfg(feature = "s3")]
mod put;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "sns")]
mod sns;
#[cfg(feature = "sqs")]
mod sqs;

pub use self::endpoint::unreadable_endpoint;
#[cfg(feature = "aws")]
pub use self::error::ServiceError;
pub use self::file::{File, FileError};
#[cfg(feature = "kafka")]
pub use self::kafka::KafkaTopic;
#[cfg(any(feature = "sqs", feature = "sns"))]
pub use self::message::Message;
pub use self::patience::{Patience, Progress};
#[cfg(feature = "s3")]
pub use self::put::{FINGERPRINT, NewObject};
#[cfg(feature = "krafka")]
pub use self::record::{NewRecord, RecordTopic};
#[cfg(feature = "krafka")]
pub use self::record_error::RecordError;
#[cfg(feature = "s3")]
pub use self::s3::S3;
#[cfg(feature = "aws")]
pub use self::sdk::SdkSaid;
#[cfg(feature = "sns")]
pub use self::sns::Sns;
#[cfg(feature = "sqs")]
pub use self::sqs::Sqs;
/// The SDK crate of [`S3::client`].
#[cfg(feature = "s3")]
pub use aws_sdk_s3;
/// The SDK crate of [`Sns::client`].
#[cfg(feature = "sns")]
pub use aws_sdk_sns;
/// The SDK crate of [`Sqs::client`], whose client [`Sqs::with_client`] takes.
#[cfg(feature = "sqs")]
pub use aws_sdk_sqs;
