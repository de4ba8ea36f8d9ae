//! Where a mapping's records go that are given up.

#[cfg(feature = "sqs")]
mod queue;

use msk_mapping::driver::{Cluster, Driver, FileDestination, TopicDestination};
use msk_mapping::machine::{Configuration, OnFailure};

use crate::fault::Fault;

/// The driver with the destination that its configuration names.
pub(crate) fn add(
    driver: Driver,
    configuration: &Configuration,
    cluster: &Cluster,
) -> Result<Driver, Fault> {
    Ok(match &configuration.on_failure {
        None => driver,
        Some(OnFailure::Other(path)) => {
            driver.destination(FileDestination::new(path, configuration))
        }
        Some(OnFailure::Kafka(topic)) => {
            let to = TopicDestination::new(cluster, topic, configuration);
            driver.destination(to.map_err(|error| Fault::from_error(&error))?)
        }
        #[cfg(feature = "sqs")]
        Some(OnFailure::Sqs(queue)) => {
            driver.destination(queue::QueueDestination::new(queue, configuration))
        }
        // The flag's reader lets no other through.
        Some(other) => return Err(Fault::new(format!("cannot send to {other:?}"))),
    })
}
