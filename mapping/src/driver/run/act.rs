//! What the machine says is done here, one output at a time.

use std::sync::Arc;

use super::delivery::{Handed, deliver};
use super::state::{Landed, Owned, Run};
use crate::driver::member::Command;
use crate::driver::notice::{Flight, Notice};
use crate::invocation::Invocation;
use crate::machine::{Batch, Discarded, Input, Output, PollerId, Position};
use crate::record::TopicPartition;
use crate::response::Verdict;

impl Run {
    pub(super) fn act(&mut self, output: Output) {
        match output {
            Output::Seek {
                poller,
                partition,
                to,
            } => self.seek(poller, partition, to),
            Output::Resume { poller, partition } => self.paces(poller, partition, true),
            Output::Pause { poller, partition } => self.paces(poller, partition, false),
            Output::Invoke(batch) => self.invoke(batch),
            Output::Commit {
                poller,
                partition,
                position,
            } => {
                let key = (partition.clone(), poller);
                self.unconfirmed.insert(key, position);
                self.tell(poller, Command::Commit(partition, position));
            }
            Output::Deliver(discarded) => self.deliver(discarded),
            Output::Dropped(dropped) => self.notice(Notice::Dropped(dropped)),
            Output::Answered { id, verdict } => {
                if let Verdict::FailuresIgnored { listed }
                | Verdict::FailuresMisplaced { listed, .. } = verdict
                {
                    self.overlooked += listed as u64;
                }
                if let Some(flight) = self.flights.get(&id).cloned() {
                    self.notice(Notice::Answered { flight, verdict });
                }
            }
            #[cfg(feature = "share")]
            Output::Acknowledge {
                poller,
                records,
                with,
            } => self.tell(poller, Command::Acknowledge(records, with)),
            // Queue mode is refused at the start.
            #[cfg(not(feature = "share"))]
            Output::Acknowledge { .. } => {}
            // The loop asks for the time itself.
            Output::WakeAt(_) => {}
        }
    }

    /// Records that were polled before are of an epoch that has passed.
    fn seek(&mut self, poller: PollerId, partition: TopicPartition, to: Position) {
        self.last_epoch += 1;
        self.at_end.remove(&partition);
        let owned = Owned {
            by: poller,
            epoch: self.last_epoch,
        };
        self.owned.insert(partition.clone(), owned);
        self.tell(poller, Command::Seek(partition, to, self.last_epoch));
    }

    fn invoke(&mut self, batch: Batch) {
        let flight = Arc::new(Flight {
            id: batch.id,
            poller: batch.poller,
            attempt: batch.attempt,
            bytes: batch.body.len(),
            partitions: batch.partitions,
        });
        self.flights.insert(batch.id, Arc::clone(&flight));
        if let Some(seen) = &self.events {
            seen(&batch.body);
        }
        self.notice(Notice::Invoking(flight));
        let mut borrowed = self.pool.take();
        let invocation = Invocation::new(batch.body, self.timeout);
        self.invocations.spawn(async move {
            let outcome = borrowed.environment.invoke(&invocation).await;
            Landed {
                id: batch.id,
                borrowed,
                outcome,
            }
        });
    }

    fn deliver(&mut self, discarded: Discarded) {
        let destination = self.destination.clone();
        self.deliveries.spawn(deliver(destination, discarded));
    }

    pub(super) fn handed(&mut self, handed: Handed) {
        let id = handed.id;
        match handed.outcome {
            Ok(()) => {
                self.notice(Notice::Delivered {
                    condition: handed.condition,
                    invoke_count: handed.invoke_count,
                    records: handed.records,
                });
                self.handle(Input::Delivered { id });
            }
            Err(reason) => {
                self.notice(Notice::Undelivered {
                    condition: handed.condition,
                    invoke_count: handed.invoke_count,
                    records: handed.records,
                    reason,
                });
                self.handle(Input::DeliveryFailed { id });
            }
        }
    }
}
