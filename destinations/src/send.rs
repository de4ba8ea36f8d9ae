//! One sender for each service, which reports whether the receiver has confirmed what was sent.

// How long a sender waits before it tries again: a random part of it.
mod chance;

// How long a send may try.
mod patience;

mod file;

#[cfg(feature = "kafka")]
mod kafka;

// What the services in AWS share.
#[cfg(feature = "aws")]
mod sdk;

#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "sns")]
mod sns;
#[cfg(feature = "sqs")]
pub mod sqs;

pub use self::file::{File, FileError};
#[cfg(feature = "kafka")]
pub use self::kafka::KafkaTopic;
pub use self::patience::Patience;
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
