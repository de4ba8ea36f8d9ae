//! One sender for each service: bytes with their attributes to an address, and for each whether the other side has it.

mod chance;
mod patience;

mod file;

#[cfg(feature = "sqs")]
mod sdk;
#[cfg(feature = "sqs")]
pub mod sqs;

pub use self::file::{File, FileError};
pub use self::patience::Patience;
#[cfg(feature = "sqs")]
pub use self::{sdk::SdkSaid, sqs::Sqs};
/// The SDK that the client of [`Sqs::with_client`] is of.
#[cfg(feature = "sqs")]
pub use aws_sdk_sqs;
