//! A partition that the group takes: what is under way with it may end and is committed, before it goes. Whoever has it next
//! then begins where this run stopped, and repeats nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::state::{HandOver, Run};
use crate::driver::member::Command;
use crate::driver::notice::Notice;
use crate::limits::HAND_OVER_MS;
use crate::machine::{Input, PollerId};
use crate::record::TopicPartition;

impl Run {
    /// The group takes partitions. Lost: it has put the member out, and waits for nothing.
    pub(super) fn taken(&mut self, poller: PollerId, partitions: Vec<TopicPartition>, lost: bool) {
        if lost {
            return self.release(poller, partitions);
        }
        for partition in &partitions {
            let partition = partition.clone();
            self.handle(Input::Revoking { poller, partition });
        }
        self.hand_overs.push(HandOver {
            poller,
            partitions,
            until: Instant::now() + Duration::from_millis(HAND_OVER_MS),
        });
    }

    /// Lets go of the partitions of which nothing is under way any more, or for which the group has waited long enough.
    pub(super) fn hand_over(&mut self) {
        if self.hand_overs.is_empty() {
            return;
        }
        let busy: BTreeSet<_> = self
            .mapping
            .partitions()
            .into_iter()
            .filter(|status| status.in_flight > 0 || status.delivering > 0)
            .map(|status| (status.poller, status.partition))
            .collect();
        let now = Instant::now();
        let ready = |over: &mut HandOver| {
            let free =
                |partition: &TopicPartition| !busy.contains(&(over.poller, partition.clone()));
            over.until <= now || over.partitions.iter().all(free)
        };
        let ready: Vec<HandOver> = self.hand_overs.extract_if(.., ready).collect();
        for over in ready {
            self.release(over.poller, over.partitions);
        }
    }

    /// Lets go of partitions. What was told to be committed of them goes first.
    fn release(&mut self, poller: PollerId, partitions: Vec<TopicPartition>) {
        for partition in &partitions {
            self.revoked(poller, partition);
        }
        self.tell(poller, Command::Release(partitions));
    }

    /// What a member that was lost says late may be of a partition that another has by then.
    fn revoked(&mut self, poller: PollerId, partition: &TopicPartition) {
        if self
            .owned
            .get(partition)
            .is_some_and(|owned| owned.by == poller)
        {
            self.owned.remove(partition);
            self.ends.remove(partition);
            self.at_end.remove(partition);
        }
        self.unconfirmed.remove(&(partition.clone(), poller));
        self.notice(Notice::Revoked {
            poller,
            partition: partition.clone(),
        });
        self.handle(Input::Revoked {
            poller,
            partition: partition.clone(),
        });
    }
}
