//! The builder's destination and overflow.

use crate::builder::Builder;
use crate::destination::{BoxDestination, Destination};
#[cfg(feature = "s3")]
use crate::destination::{Overflow, S3Destination};

impl<S: Send + Sync + 'static> Builder<S> {
    /// Sets the destination for rejected records (`LAMBDA_MSK_ON_FAILURE`). Without one, a record that should be rejected is Failed, and blocks its partition.
    pub fn on_failure(mut self, destination: impl Destination) -> Self {
        self.settings
            .destination
            .by_code(Some(BoxDestination::new(destination)));
        self
    }

    /// Sets the bucket for letters that the destination has no room for (`LAMBDA_MSK_ON_FAILURE_LARGE`), and for records that could not be decoded if the destination is a
    /// Kafka topic. The destination gets the letter without its payload, and with the object's URL. Without an overflow the records of such letters are Failed.
    #[cfg(feature = "s3")]
    pub fn overflow(mut self, bucket: S3Destination) -> Self {
        self.settings.overflow.by_code(Some(Overflow::to(bucket)));
        self
    }
}
