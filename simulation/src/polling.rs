//! The mapping and its pollers: what happens is told to the state machine, and what it asks for is done. Called by `world`.

use std::time::Duration;

use msk_mapping::event::Source;
use msk_mapping::machine::{
    Backoff, Condition, Configuration, ConsumptionMode, DeliveryId, End, Input,
    InvocationId as MachineId, Mapping, Offsets, OnFailure, Output, PollerId, Position,
    ProvisionedPollers, StartingPosition,
};
use msk_mapping::record::TopicPartition;
use msk_mapping::response::FailureReporting;
use msk_mapping::time::Time;

use crate::draft::Value;
use crate::fact::{GivenUp, InvocationId, RecordId, What};
use crate::happening::Happening;
use crate::ledger::{BROKERS, CLUSTER, TOPIC};
use crate::limits::{FETCH_RECORDS_MAX, START_MS};
use crate::oracle::Reporting;
use crate::plan::{Clusters, Plan, Schemas};
use crate::world::{BoxError, World};

impl World {
    pub(crate) fn mapping(plan: &Plan) -> Result<Mapping, BoxError> {
        let set = &plan.mapping;
        // Lambda has Queue mode for self-managed clusters only.
        let source = match (plan.clusters, plan.is_queue()) {
            (Clusters::TwoNameless, _) => Source::SelfManaged {
                bootstrap_servers: None,
            },
            (Clusters::One, true) => Source::SelfManaged {
                bootstrap_servers: Some(BROKERS.to_owned()),
            },
            (Clusters::One, false) => Source::Msk {
                arn: CLUSTER.to_owned(),
                bootstrap_servers: None,
            },
        };
        let mut configuration = Configuration::new(source, TOPIC, StartingPosition::TrimHorizon);
        if plan.is_queue() {
            configuration.consumption_mode = ConsumptionMode::Queue;
        }
        configuration.batch_size = Some(set.batch_size);
        configuration.maximum_batching_window_in_seconds = set.window_s;
        configuration.maximum_retry_attempts = set.retries;
        configuration.maximum_record_age_in_seconds = set.age_s;
        configuration.bisect_batch_on_function_error = set.bisects;
        configuration.function_response_types = match plan.terms.reporting {
            Reporting::Partial => FailureReporting::Partial,
            Reporting::WholeBatch => FailureReporting::WholeBatch,
        };
        if set.has_destination {
            let bucket = "arn:aws:s3:::simulated".to_owned();
            configuration.on_failure = Some(OnFailure::S3(bucket));
        }
        if set.filters {
            let passes = |value: Option<&[u8]>| value != Some(b"skip".as_slice());
            configuration.filter_criteria = Some(std::sync::Arc::new(passes));
        }
        configuration.provisioned_poller_config = Some(ProvisionedPollers {
            minimum: Some(i64::from(set.pollers)),
            maximum: None,
            group: None,
        });
        configuration.backoff = Backoff {
            first: Duration::from_millis(set.backoff_ms.0),
            most: Duration::from_millis(set.backoff_ms.1),
        };
        configuration.readings = set.readings;
        Ok(Mapping::new(configuration)?)
    }

    pub(crate) fn tell(&mut self, input: Input) {
        let now = Time::from_millis(START_MS.unsigned_abs() + self.now_ms);
        self.mapping.handle(now, input);
    }

    pub(crate) fn name(&self, partition: u32) -> TopicPartition {
        self.cluster.names[partition as usize].clone()
    }

    /// Does what the machine asks for.
    pub(crate) fn ask_mapping(&mut self) -> Result<(), BoxError> {
        while let Some(output) = self.mapping.poll() {
            match output {
                Output::Seek { partition, to, .. } => self.seek(number(&partition), to),
                Output::Resume { poller, partition } if self.plan.is_queue() => {
                    self.paces(poller.0, number(&partition), true);
                }
                Output::Pause { poller, partition } if self.plan.is_queue() => {
                    self.paces(poller.0, number(&partition), false);
                }
                Output::Acknowledge {
                    poller,
                    records,
                    with,
                } => self.plan_acknowledgement(poller, &records, with),
                Output::Resume { partition, .. } => {
                    self.cluster.logs[partition.partition() as usize].resumed = true;
                    self.plan_fetch(number(&partition));
                }
                Output::Pause { partition, .. } => {
                    self.cluster.logs[partition.partition() as usize].resumed = false;
                }
                Output::Invoke(batch) => {
                    let records = self.known(&batch.partitions);
                    self.invoke(Some(batch.id), batch.body, records)?;
                }
                Output::Commit {
                    poller,
                    partition,
                    position,
                } => self.plan_commit(poller, number(&partition), position),
                Output::Deliver(discarded) => {
                    let at = discarded
                        .records
                        .iter()
                        .map(|record| (number(&record.partition), record.offset));
                    let at: Vec<(u32, i64)> = at.collect();
                    self.given_up(&at, discarded.condition);
                    let fails = self.dice.polling.per_mille(self.plan.faults.delivery_fails);
                    let taken = self.is_quiet || !fails;
                    let wait_ms = self.dice.polling.between(1, 50);
                    let happening = Happening::DeliveryEnds {
                        id: discarded.id,
                        taken,
                    };
                    self.agenda.plan(self.now_ms + wait_ms, happening);
                }
                Output::Dropped(dropped) => {
                    let offsets = dropped.records.iter().flat_map(places);
                    let at: Vec<(u32, i64)> = offsets.collect();
                    self.given_up(&at, dropped.condition);
                }
                Output::WakeAt(at) => {
                    let at_ms = at.as_millis().saturating_sub(START_MS.unsigned_abs());
                    let at_ms = at_ms.max(self.now_ms);
                    if self.wake_ms != Some(at_ms) {
                        self.wake_ms = Some(at_ms);
                        self.agenda.plan(at_ms, Happening::Wake);
                    }
                }
                // To know, not to do.
                _ => {}
            }
        }
        Ok(())
    }

    fn known(&self, partitions: &[Offsets]) -> Vec<(RecordId, u32, i64)> {
        let places = partitions.iter().flat_map(places);
        places
            .map(|(partition, offset)| (self.polled[&(partition, offset)], partition, offset))
            .collect()
    }

    fn given_up(&self, places: &[(u32, i64)], condition: Condition) {
        let why = match condition {
            Condition::RecordAgeExceeded => GivenUp::Age,
            _ => GivenUp::Attempts,
        };
        for place in places {
            let record = self.polled[place];
            self.fact(What::GivenUp { record, why });
        }
    }

    pub(crate) fn wake(&mut self) {
        // One that was replaced by a later one does no harm.
        if self.wake_ms == Some(self.now_ms) {
            self.wake_ms = None;
        }
        self.tell(Input::Woken);
    }

    pub(crate) fn append(&mut self, record: RecordId) {
        let Some(appended) = self.cluster.append(record, self.now_ms) else {
            return;
        };
        self.fact(appended);
        let draft = &self.cluster.drafts[record as usize];
        let partition = draft.partition;
        match draft.value {
            // Nobody has to do it.
            Value::Filtered => self.fact(What::Erased { record }),
            Value::Number(_) => {
                if let Some(schema) = draft.schema {
                    self.fact(What::Framed {
                        record,
                        schema,
                        exists: Schemas::text(schema).is_some(),
                    });
                }
            }
            Value::Garbage(_) | Value::Tombstone => {}
        }
        match self.plan.is_queue() {
            true => self.plan_acquisitions(),
            false => self.plan_fetch(partition),
        }
    }

    fn seek(&mut self, partition: u32, to: Position) {
        let log = &mut self.cluster.logs[partition as usize];
        log.position = match to {
            Position::Offset(offset) => offset,
            Position::Beginning | Position::Timestamp(_) => log.start,
            Position::End => log.end,
        };
        self.plan_fetch(partition);
    }

    fn plan_fetch(&mut self, partition: u32) {
        let log = &mut self.cluster.logs[partition as usize];
        if log.resumed && log.owner.is_some() && log.has_more() && !log.fetching {
            log.fetching = true;
            let wait_ms = self.dice.polling.between(1, 30);
            self.agenda
                .plan(self.now_ms + wait_ms, Happening::Fetch(partition));
        }
    }

    pub(crate) fn fetch(&mut self, partition: u32) {
        let name = self.name(partition);
        let log = &mut self.cluster.logs[partition as usize];
        log.fetching = false;
        let Some(owner) = log.owner else { return };
        let poller = PollerId(owner);
        if !log.resumed {
            return;
        }
        if log.position < log.start || log.position > log.end {
            self.note(self.now_ms, || {
                format!("the position of orders-{partition} is out of range")
            });
            self.tell(Input::OutOfRange {
                poller,
                partition: name,
            });
            return;
        }
        let fetched = self.cluster.fetch(partition, FETCH_RECORDS_MAX);
        let log = &mut self.cluster.logs[partition as usize];
        let last = fetched.last().map(|(_, record)| record.offset);
        let all = fetched.len() < FETCH_RECORDS_MAX;
        log.position = match (last, all) {
            (_, true) => log.end,
            (Some(last), false) => last + 1,
            (None, false) => log.position,
        };
        let position = log.position;
        let mut records = Vec::with_capacity(fetched.len());
        for (id, record) in fetched {
            self.polled.insert((partition, record.offset), id);
            records.push(record);
        }
        if !records.is_empty() {
            self.tell(Input::Polled { poller, records });
        }
        if last.is_none_or(|last| last + 1 < position) {
            self.tell(Input::Advanced {
                poller,
                partition: name,
                position,
            });
        }
        self.plan_fetch(partition);
    }

    pub(crate) fn assign(&mut self, partition: u32, poller: u32) {
        let log = &mut self.cluster.logs[partition as usize];
        log.owner = Some(poller);
        log.epoch += 1;
        log.resumed = false;
        let committed = log.committed;
        self.note(self.now_ms, || {
            format!("poller {poller} is given orders-{partition}, committed {committed:?}")
        });
        let input = Input::Assigned {
            poller: PollerId(poller),
            partition: self.name(partition),
            committed,
        };
        self.tell(input);
    }

    /// Says that a partition is about to be taken, and in which epoch. *None: no poller has it at the moment.*
    pub(crate) fn revoking(&mut self, partition: u32) -> Option<u64> {
        let log = &self.cluster.logs[partition as usize];
        let (owner, epoch) = (log.owner?, log.epoch);
        self.note(self.now_ms, || {
            format!("orders-{partition} is about to be taken from poller {owner}")
        });
        let input = Input::Revoking {
            poller: PollerId(owner),
            partition: self.name(partition),
        };
        self.tell(input);
        Some(epoch)
    }

    /// Takes a partition from its poller. *None: it has none at the moment.*
    pub(crate) fn revoke(&mut self, partition: u32) -> Option<u32> {
        let log = &mut self.cluster.logs[partition as usize];
        let owner = log.owner.take()?;
        log.epoch += 1;
        log.resumed = false;
        self.note(self.now_ms, || {
            format!("orders-{partition} is taken from poller {owner}")
        });
        let input = Input::Revoked {
            poller: PollerId(owner),
            partition: self.name(partition),
        };
        self.tell(input);
        Some(owner)
    }

    fn plan_commit(&mut self, poller: PollerId, partition: u32, position: i64) {
        let refused =
            self.dice.polling.per_mille(self.plan.faults.commit_refused) && !self.is_quiet;
        let wait_ms = self.dice.polling.between(0, 20);
        let log = &mut self.cluster.logs[partition as usize];
        let at_ms = log.commits_until_ms.max(self.now_ms + wait_ms);
        log.commits_until_ms = at_ms;
        let happening = Happening::Commit {
            partition,
            epoch: log.epoch,
            poller: poller.0,
            position,
            refused,
        };
        self.agenda.plan(at_ms, happening);
    }

    pub(crate) fn commit(
        &mut self,
        partition: u32,
        epoch: u64,
        poller: u32,
        position: i64,
        refused: bool,
    ) {
        let log = &mut self.cluster.logs[partition as usize];
        if refused || log.epoch != epoch {
            self.note(self.now_ms, || {
                format!("the commit of orders-{partition}@{position} is refused")
            });
            if self.cluster.logs[partition as usize].epoch == epoch {
                let input = Input::CommitRefused {
                    poller: PollerId(poller),
                    partition: self.name(partition),
                    position,
                };
                self.tell(input);
            }
            return;
        }
        log.committed = Some(position);
        let log = log.id;
        self.fact(What::Committed { log, position });
    }

    pub(crate) fn delivery_ends(&mut self, id: DeliveryId, taken: bool) {
        self.tell(match taken {
            true => Input::Delivered { id },
            false => Input::DeliveryFailed { id },
        });
    }

    pub(crate) fn tell_ended(&mut self, id: MachineId, invocation: InvocationId, how: End) {
        let request_id = match how {
            End::Throttled => None,
            _ => Some(format!("invocation-{invocation}")),
        };
        self.tell(Input::Ended {
            id,
            request_id,
            how,
        });
    }
}

pub(crate) fn number(partition: &TopicPartition) -> u32 {
    partition.partition().cast_unsigned()
}

fn places(offsets: &Offsets) -> impl Iterator<Item = (u32, i64)> {
    let partition = number(&offsets.partition);
    offsets
        .offsets
        .iter()
        .map(move |offset| (partition, *offset))
}
