//! What a run hears: of its members, of invocations that ended, of who runs it.

#[cfg(feature = "share")]
use std::collections::BTreeMap;

use super::state::{Landed, Run};
use crate::driver::causes::with_causes;
use crate::driver::control::Request;
use crate::driver::error::Error;
use crate::driver::member::Happening;
use crate::driver::notice::Notice;
use crate::machine::{End, Input, PollerId};
use crate::record::{Record, TopicPartition};

impl Run {
    pub(super) fn heard(&mut self, poller: PollerId, happening: Happening) {
        self.refused.hear(&happening);
        if let Some(happening) = self.awaits(poller, happening) {
            self.hear(poller, happening);
        }
    }

    pub(super) fn hear(&mut self, poller: PollerId, happening: Happening) {
        match happening {
            Happening::Assigned(partitions) => {
                for (partition, committed) in partitions {
                    self.assigned(poller, partition, committed);
                }
            }
            Happening::Revoked { partitions, lost } => self.taken(poller, partitions, lost),
            Happening::Polled(records) => self.polled(poller, records),
            #[cfg(feature = "share")]
            Happening::Acquired(records) => self.acquired(poller, records),
            #[cfg(feature = "share")]
            Happening::Lags(lags) => self.lagging(lags),
            Happening::AtEnd(partition, epoch, position) => {
                self.at_end(poller, partition, epoch, position);
            }
            Happening::Sought(partition, position) => self.advanced(poller, partition, position),
            Happening::OutOfRange(partition) => self.out_of_range(poller, partition),
            Happening::Committed(partition, position) => {
                self.confirmed(poller, partition, position);
            }
            Happening::CommitRefused(partition, position, reason) => {
                self.commit_refused(poller, &partition, position, &reason);
                self.handle(Input::CommitRefused {
                    poller,
                    partition,
                    position,
                });
            }
            Happening::Uncommitted(partition, position, reason) => {
                self.uncommitted(poller, partition, position, &reason);
            }
            Happening::Ends(ends) => {
                let ours =
                    |(partition, _): &(TopicPartition, i64)| self.owned.contains_key(partition);
                let ends: Vec<_> = ends.into_iter().filter(ours).collect();
                self.ends.extend(ends);
            }
            Happening::Trouble(reason) => self.notice(Notice::Trouble { reason }),
            Happening::Refused(refusal, reason) => {
                self.notice(self.refused.notice(refusal, &reason));
            }
            Happening::Left => {}
        }
    }

    fn assigned(&mut self, poller: PollerId, partition: TopicPartition, committed: Option<i64>) {
        self.begun.begins(&partition, committed);
        self.notice(Notice::Assigned {
            poller,
            partition: partition.clone(),
            committed,
        });
        self.handle(Input::Assigned {
            poller,
            partition,
            committed,
        });
    }

    fn polled(&mut self, poller: PollerId, records: Vec<(Record, u64)>) {
        let current = |(record, epoch): (Record, u64)| {
            self.is_current(&record.partition, epoch).then_some(record)
        };
        let records: Vec<Record> = records.into_iter().filter_map(current).collect();
        for record in &records {
            self.at_end.remove(&record.partition);
        }
        if !records.is_empty() {
            self.handle(Input::Polled { poller, records });
        }
    }

    pub(super) fn landed(&mut self, landed: Landed) {
        let Landed {
            id,
            borrowed,
            outcome,
        } = landed;
        if let Some(environment) = self.pool.give_back(borrowed) {
            tokio::spawn(environment.stop());
        }
        let Some(flight) = self.flights.get(&id).cloned() else {
            return;
        };
        let (request_id, how) = match outcome {
            Ok(report) => {
                self.started = true;
                let how = End::from(&report.ending);
                let request_id = report.request_id.clone();
                self.notice(Notice::Ended { flight, report });
                (request_id, how)
            }
            Err(error) => {
                let reason = with_causes(&error);
                self.notice(Notice::NotStarted { flight, reason });
                if !self.started {
                    self.broken = Some(Error::Function { source: error });
                }
                (None, End::Throttled)
            }
        };
        self.handle(Input::Ended {
            id,
            request_id,
            how,
        });
        self.flights.remove(&id);
    }

    pub(super) fn requested(&mut self, request: Request) {
        match request {
            Request::Drain => {
                self.draining = true;
                self.handle(Input::Drain);
            }
            Request::Swap(function) => {
                for environment in self.pool.swap(*function) {
                    tokio::spawn(environment.stop());
                }
            }
        }
    }

    #[cfg(feature = "share")]
    fn acquired(&mut self, poller: PollerId, records: Vec<Record>) {
        if let Some(group) = &mut self.share_group {
            group.stale();
        }
        self.handle(Input::Polled { poller, records });
    }

    #[cfg(feature = "share")]
    fn lagging(&mut self, lags: BTreeMap<TopicPartition, i64>) {
        if let Some(group) = &mut self.share_group {
            group.know(lags);
        }
    }
}
