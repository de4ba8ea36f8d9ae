//! Where a mapping's records go that are given up.

#[cfg(feature = "aws")]
mod bucket;
#[cfg(feature = "aws")]
mod delivery;
#[cfg(feature = "aws")]
mod notification;
#[cfg(feature = "aws")]
mod queue;

#[cfg(feature = "aws")]
use msk_destinations::{address::Address, send::S3};
use msk_mapping::driver::{Cluster, Driver, FileDestination, TopicDestination};
use msk_mapping::machine::{Configuration, OnFailure};

#[cfg(feature = "aws")]
use self::{
    bucket::BucketDestination, notification::NotificationDestination, queue::QueueDestination,
};
use super::failed;
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
            driver.destination(to.map_err(|error| failed::kafka(&error))?)
        }
        #[cfg(feature = "aws")]
        Some(OnFailure::Sqs(text) | OnFailure::Sns(text) | OnFailure::S3(text)) => {
            match Address::parse(text) {
                Ok(Address::Queue(queue)) => {
                    driver.destination(QueueDestination::new(queue, configuration))
                }
                Ok(Address::SnsTopic(topic)) => {
                    driver.destination(NotificationDestination::new(&topic, configuration))
                }
                Ok(Address::Bucket { name, prefix }) => {
                    let bucket = S3::new(name, prefix);
                    driver.destination(BucketDestination::new(bucket, configuration))
                }
                // The flag's reader lets no other through.
                _ => return Err(cannot(text)),
            }
        }
        // The flag's reader lets no other through.
        Some(other) => return Err(cannot(other)),
    })
}

fn cannot(other: impl std::fmt::Debug) -> Fault {
    Fault::new(format!("cannot send to {other:?}"))
}

#[cfg(test)]
#[cfg(feature = "aws")]
mod tests {
    use msk_mapping::event::Source;
    use msk_mapping::machine::{
        Configuration, Discarded, Input, Mapping, OnFailure, Output, PollerId, StartingPosition,
    };
    use msk_mapping::record::{Record, TopicPartition};
    use msk_mapping::time::Time;
    use serde_json::Value;

    /// A record that no event has room for, given up by a mapping with that destination.
    pub(super) fn given_up(on_failure: OnFailure) -> (Configuration, Discarded) {
        let source = Source::SelfManaged {
            bootstrap_servers: None,
        };
        let mut settings = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
        settings.on_failure = Some(on_failure);
        settings.consumer_group_id = Some("desk".to_owned());
        let mut mapping = Mapping::new(settings.clone()).unwrap();
        let (poller, partition) = (PollerId(0), TopicPartition::new("orders", 0));
        let record = Record::new(partition.clone(), 7).with_value(vec![0; 6 * 1024 * 1024]);
        let assigned = Input::Assigned {
            poller,
            partition,
            committed: None,
        };
        mapping.handle(Time::default(), assigned);
        let records = vec![record];
        mapping.handle(Time::default(), Input::Polled { poller, records });
        let discarded = std::iter::from_fn(|| mapping.poll()).find_map(|output| match output {
            Output::Deliver(discarded) => Some(discarded),
            _ => None,
        });
        (settings, discarded.unwrap())
    }

    /// What Lambda tells of that record.
    pub(super) fn assert_given_up(document: &Value) {
        let condition = &document["requestContext"]["condition"];
        assert_eq!(condition, "MaximumPayloadSizeExceeded");
        let info = &document["KafkaBatchInfo"]["recordsInfo"]["orders-0"];
        assert_eq!(info["firstRecordOffset"], "7");
    }
}
