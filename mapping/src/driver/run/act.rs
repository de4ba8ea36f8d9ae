//! What the machine says is done here, one output at a time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{sleep, timeout};

use super::super::member::Command;
use super::super::notice::{Flight, Notice};
use super::{Landed, Owned, Run, with_causes};
use crate::invocation::Invocation;
use crate::limits::{DELIVER_ATTEMPTS_MAX, DELIVER_MS, LOOKUP_RETRY_MS};
use crate::machine::{
    Batch, Condition, DeliveryId, Discarded, Input, Offsets, Output, PollerId, Position,
};
use crate::record::TopicPartition;
use crate::response::Verdict;

/// What a destination said.
pub(super) struct Handed {
    id: DeliveryId,
    condition: Condition,
    invoke_count: u32,
    records: Vec<Offsets>,
    /// Err: why not, in the destination's words.
    outcome: Result<(), String>,
}

impl Run {
    pub(super) fn act(&mut self, output: Output) {
        match output {
            Output::Seek {
                poller,
                partition,
                to,
            } => self.seek(poller, partition, to),
            Output::Resume { poller, partition } => self.tell(poller, Command::Resume(partition)),
            Output::Pause { poller, partition } => self.tell(poller, Command::Pause(partition)),
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
        self.deliveries.spawn(async move {
            let mut handed = Handed {
                id: discarded.id,
                condition: discarded.condition,
                invoke_count: discarded.invoke_count,
                records: offsets(&discarded),
                outcome: Err("there is no destination".to_owned()),
            };
            let Some(destination) = destination else {
                return handed;
            };
            for attempt in 1..=DELIVER_ATTEMPTS_MAX {
                // It is somebody else's code, and what it was given must not be held for ever.
                let sent = AssertUnwindSafe(async { destination.deliver(&discarded).await });
                let sent = timeout(Duration::from_millis(DELIVER_MS), sent.catch_unwind()).await;
                let sent = match sent {
                    Ok(Ok(sent)) => sent.map_err(|why| with_causes(&why)),
                    Ok(Err(_)) => Err("it panicked".to_owned()),
                    Err(_) => Err(format!("no answer in {DELIVER_MS} ms")),
                };
                handed.outcome = sent.map_err(|why| format!("{}: {why}", destination.describe()));
                if handed.outcome.is_ok() || attempt == DELIVER_ATTEMPTS_MAX {
                    break;
                }
                sleep(Duration::from_millis(LOOKUP_RETRY_MS)).await;
            }
            handed
        });
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

/// Which records these are.
fn offsets(discarded: &Discarded) -> Vec<Offsets> {
    discarded
        .records
        .chunk_by(|one, next| one.partition == next.partition)
        .map(|part| Offsets {
            partition: part[0].partition.clone(),
            offsets: part.iter().map(|record| record.offset).collect(),
        })
        .collect()
}
