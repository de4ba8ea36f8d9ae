//! How a run stands, and whether everything has been settled.

use std::time::Duration;

use tokio::time::Instant;

use super::state::Run;
use crate::driver::error::Error;
use crate::driver::look::Stand;
use crate::driver::notice::{Notice, PartitionReport, Status, Unread};
#[cfg(feature = "share")]
use crate::limits::CAUGHT_UP_MS;
use crate::limits::LEAVE_MS;
use crate::machine::PartitionStatus;

impl Run {
    pub(super) fn say_status(&mut self) {
        let caught_up = self.is_caught_up();
        let status = self.status(caught_up);
        self.notice(Notice::Status(status));
    }

    pub(super) fn status(&self, caught_up: bool) -> Status {
        let mut partitions: Vec<PartitionReport> = self
            .mapping
            .partitions()
            .into_iter()
            .map(|partition| self.report(partition))
            .collect();
        partitions.sort_by(|one, other| one.partition.cmp(&other.partition));
        Status {
            topic: self.mapping.configuration().topic.clone(),
            partitions,
            in_flight: self.mapping.in_flight(),
            environments: self.pool.open(),
            metrics: *self.mapping.metrics(),
            overlooked: self.overlooked,
            topic_partitions: self.partitions,
            elsewhere: self.elsewhere(),
            caught_up,
            unread: None,
        }
    }

    fn report(&self, status: PartitionStatus) -> PartitionReport {
        let held = status.waiting + status.in_flight + status.retrying + status.delivering;
        // Behind the last record may stand markers of transactions, which nobody commits.
        let all_settled = self.at_end.contains(&status.partition) && held == 0;
        let behind = |end: &i64| (end - status.committed.unwrap_or(0)).max(0);
        #[cfg(feature = "share")]
        let shared = self
            .share_group
            .as_ref()
            .map(|group| group.lag(&status.partition));
        #[cfg(not(feature = "share"))]
        let shared: Option<Option<i64>> = None;
        let lag = if let Some(lag) = shared {
            lag
        } else if all_settled {
            Some(0)
        } else {
            self.ends.get(&status.partition).map(behind)
        };
        PartitionReport {
            poller: status.poller,
            partition: status.partition,
            waiting: status.waiting,
            in_flight: status.in_flight,
            retrying: status.retrying,
            delivering: status.delivering,
            committed: status.committed,
            lag,
        }
    }

    /// Whether there is nothing more to do, or no way to do it.
    pub(super) fn is_over(&mut self) -> bool {
        if self.broken.is_some() {
            return true;
        }
        let nothing_under_way = self.invocations.is_empty() && self.deliveries.is_empty();
        if self.draining {
            return nothing_under_way && (self.unconfirmed.is_empty() || self.has_drained_long());
        }
        if !self.until_caught_up {
            return false;
        }
        // What waits for its window or its next attempt is under way too: nothing is heard meanwhile.
        let idle = self.mapping.is_idle() && !self.is_validating();
        let quiet = nothing_under_way && idle && self.hand_overs.is_empty();
        self.broken = self.refused.for_good(quiet).map(Error::Kafka);
        if nothing_under_way && self.broken.is_none() {
            self.broken = self.registry_is_gone();
        }
        if !quiet {
            self.looks.disturb();
            return false;
        }
        if self.unconfirmed.is_empty() && self.is_caught_up() {
            return true;
        }
        self.looks.ask();
        self.broken.is_some()
    }

    /// Whether a commit that was refused has been tried again for long enough.
    fn has_drained_long(&mut self) -> bool {
        let since = *self.drained_since.get_or_insert_with(Instant::now);
        since.elapsed() >= Duration::from_millis(LEAVE_MS)
    }

    /// Whether everything that is in the topic has been read and settled: by us, or by others of the group, as its committed
    /// offsets say. Where nobody has asked for those, what is not ours is not known to be done.
    pub(super) fn is_caught_up(&mut self) -> bool {
        if self.is_validating() {
            return false;
        }
        #[cfg(feature = "share")]
        if let Some(group) = &self.share_group {
            let settled =
                group.is_empty() && self.mapping.is_idle() && !self.mapping.partitions().is_empty();
            // Of a partition that is empty the broker says nothing.
            let known = group.knows(self.partitions);
            return self.stays(settled, known);
        }
        // One that is on its way to another is still here, but nothing more of it is polled.
        if !self.mapping.is_idle() || self.at_end.len() != self.owned.len() {
            return false;
        }
        if self.owned.len() == self.partitions {
            return true;
        }
        let ours = |stand: &Stand| self.owned.contains_key(&stand.partition);
        let stands = self.looks.stands();
        stands.is_some_and(|stands| stands.iter().all(|stand| stand.done || ours(stand)))
    }

    /// Why a run that is at its end has read nothing of a topic that holds records.
    pub(super) async fn nothing_read(&mut self) -> Option<Unread> {
        if self.mapping.metrics().polled > 0 {
            return None;
        }
        let stands = self.looks.stands_now().await?;
        stands.iter().find_map(|stand| self.begun.why(stand))
    }

    /// Whether all is settled: for good, or for long enough.
    #[cfg(feature = "share")]
    fn stays(&mut self, settled: bool, for_good: bool) -> bool {
        if !settled {
            self.settled_since = None;
            return false;
        }
        let since = *self.settled_since.get_or_insert_with(Instant::now);
        for_good || since.elapsed() >= Duration::from_millis(CAUGHT_UP_MS)
    }
}
