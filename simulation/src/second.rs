//! A second cluster with the same topic, and a mapping of its own of the same function. For the state machine its partitions are counted on from the first one's, at pollers of their own;
//! the function sees them under the numbers that they have in their cluster. Called by `service` and `endings`.

use bytes::Bytes;

use crate::fact::RecordId;
use crate::world::World;

impl World {
    /// A partition as its cluster counts it.
    pub(crate) fn own_number(&self, partition: u32) -> u32 {
        partition % self.plan.records.partitions
    }

    /// Whether a batch is of the second cluster.
    pub(crate) fn is_seconds(&self, records: &[(RecordId, u32, i64)]) -> bool {
        let first = records.first();
        first.is_some_and(|(record, ..)| {
            let draft = &self.cluster.drafts[*record as usize];
            self.plan.is_of_the_second(draft.partition)
        })
    }

    /// The event as the function gets it.
    pub(crate) fn seconds_event(&self, body: &Bytes) -> Bytes {
        let mut text = String::from_utf8_lossy(body).into_owned();
        for partition in self.plan.records.partitions..self.plan.partitions() {
            let own = self.own_number(partition);
            // Both stand beside names and in quotes, where no payload can: that is base64.
            text = text
                .replace(
                    &format!("\"orders-{partition}\":"),
                    &format!("\"orders-{own}\":"),
                )
                .replace(
                    &format!("\"partition\":{partition},"),
                    &format!("\"partition\":{own},"),
                );
        }
        text.into()
    }

    /// The answer as the mapping gets it.
    pub(crate) fn seconds_answer(&self, body: &str) -> String {
        let mut text = body.to_owned();
        for partition in self.plan.records.partitions..self.plan.partitions() {
            let own = self.own_number(partition);
            text = text.replace(
                &format!("\"orders-{own}\""),
                &format!("\"orders-{partition}\""),
            );
        }
        text
    }
}
