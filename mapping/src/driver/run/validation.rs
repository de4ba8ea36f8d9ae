//! Records on their way through the check by their schemas: between a member that polled them and the machine. Of each member one piece is checked at a time, so its
//! records keep their order; what a member says that depends on them waits behind them.
//!
//! A registry that cannot be asked stops the polling. Nothing is decided of any record meanwhile, so nothing is lost.

use super::checks::{Away, Lane, Outcome, Piece};
use super::state::Run;
use crate::driver::error::Error;
use crate::driver::member::{Command, Happening};
use crate::driver::notice::Notice;
use crate::limits::VALIDATIONS_WAITING_MAX;
use crate::machine::{Condition, Input, PollerId, Validated, Validity};
use crate::record::{Record, TopicPartition};
use crate::schemas::{Checked, Unavailable};

impl Run {
    /// Takes what has to wait for the records before it. Some: it need not.
    pub(super) fn awaits(&mut self, poller: PollerId, happening: Happening) -> Option<Happening> {
        let Some(validation) = &mut self.validation else {
            return Some(happening);
        };
        match &happening {
            Happening::Polled(records) => {
                for (record, _) in records {
                    self.at_end.remove(&record.partition);
                }
            }
            Happening::AtEnd(..) | Happening::OutOfRange(_) => {}
            #[cfg(feature = "share")]
            Happening::Acquired(_) | Happening::Lags(_) => {}
            _ => return Some(happening),
        }
        let lane = validation.lanes.entry(poller).or_default();
        lane.waiting.push_back(happening);
        self.advance(poller);
        None
    }

    /// Goes on with what waits of a member, up to the next records that are to be checked.
    fn advance(&mut self, poller: PollerId) {
        while let Some(happening) = self.next_waiting(poller) {
            let piece = match happening {
                Happening::Polled(records) => {
                    let current = |(record, epoch): &(Record, u64)| {
                        self.is_current(&record.partition, *epoch)
                    };
                    let records: Vec<_> = records.into_iter().filter(current).collect();
                    let (records, epochs) = records.into_iter().unzip();
                    Piece {
                        records,
                        epochs: Some(epochs),
                    }
                }
                #[cfg(feature = "share")]
                Happening::Acquired(records) => Piece {
                    records,
                    epochs: None,
                },
                other => {
                    self.hear(poller, other);
                    continue;
                }
            };
            let Some(validation) = &mut self.validation else {
                return;
            };
            if !piece.records.is_empty() {
                validation.lanes.entry(poller).or_default().busy = true;
                self.checks.spawn(validation.check(poller, piece));
            }
        }
        self.hold_back(poller);
    }

    fn next_waiting(&mut self, poller: PollerId) -> Option<Happening> {
        let lane = self.validation.as_mut()?.lanes.get_mut(&poller)?;
        if lane.busy {
            return None;
        }
        lane.waiting.pop_front()
    }

    /// A check has ended: goes on with its records, or tries again.
    pub(super) fn checked(&mut self, outcome: Outcome) {
        let Outcome {
            poller,
            checked,
            epochs,
        } = outcome;
        let Some(validation) = &mut self.validation else {
            return;
        };
        match checked {
            Ok(checked) => {
                validation.away = Away::default();
                validation.lanes.entry(poller).or_default().busy = false;
                self.take_checked(poller, checked, epochs.as_deref());
                self.advance(poller);
            }
            Err(Unavailable {
                records, reason, ..
            }) => {
                let said = validation.away.hear(&reason);
                let again = validation.check(poller, Piece { records, epochs });
                self.checks.spawn(again);
                if let Some(reason) = said {
                    self.notice(Notice::Trouble { reason });
                }
            }
        }
        let pollers: Vec<PollerId> = match &self.validation {
            Some(validation) => validation.lanes.keys().copied().collect(),
            None => Vec::new(),
        };
        pollers
            .into_iter()
            .for_each(|poller| self.hold_back(poller));
    }

    /// Hands the machine what is still wanted.
    fn take_checked(&mut self, poller: PollerId, checked: Vec<Checked>, epochs: Option<&[u64]>) {
        let mut records = Vec::new();
        for (
            index,
            Checked {
                validated, reason, ..
            },
        ) in checked.into_iter().enumerate()
        {
            let epoch = epochs.and_then(|epochs| epochs.get(index).copied());
            let partition = &validated.record.partition;
            if epoch.is_some_and(|epoch| !self.is_current(partition, epoch)) {
                continue;
            }
            if let (Some(reason), Validity::Invalid(fault)) = (reason, &validated.validity) {
                self.notice(invalid(&validated, (*fault).into(), reason));
            }
            records.push(validated);
        }
        if !records.is_empty() {
            self.handle(Input::Validated { poller, records });
        }
    }

    /// Whether records wait for their check.
    pub(super) fn is_validating(&self) -> bool {
        let waits = |lane: &Lane| lane.busy || !lane.waiting.is_empty();
        let validation = self.validation.as_ref();
        validation.is_some_and(|validation| validation.lanes.values().any(waits))
    }

    /// Why a run that is to end by itself cannot: nobody can check what waits.
    pub(super) fn registry_is_gone(&self) -> Option<Error> {
        let validation = self.validation.as_ref()?;
        validation
            .away
            .for_good(&self.mapping.configuration().topic)
    }

    /// Polls a partition, or pauses it, as the machine wants it; but not while its member is held back.
    pub(super) fn paces(&mut self, poller: PollerId, partition: TopicPartition, polls: bool) {
        if let Some(validation) = &mut self.validation {
            let key = (poller, partition.clone());
            match polls {
                true => validation.polled.insert(key),
                false => validation.polled.remove(&key),
            };
            let lane = validation.lanes.get(&poller);
            if lane.is_some_and(|lane| lane.held_back) {
                return;
            }
        }
        self.tell(poller, Command::paced(partition, polls));
    }

    /// Pauses a member of which too much waits, or all of them while the registry is away; and polls again what is to be polled.
    fn hold_back(&mut self, poller: PollerId) {
        let Some(validation) = &mut self.validation else {
            return;
        };
        let away = validation.away.since.is_some();
        let lane = validation.lanes.entry(poller).or_default();
        let full = lane.waiting.len() >= VALIDATIONS_WAITING_MAX;
        let holds = away || full || lane.held_back && !lane.waiting.is_empty();
        if holds == lane.held_back {
            return;
        }
        lane.held_back = holds;
        let polled: Vec<TopicPartition> = validation
            .polled
            .iter()
            .filter(|(by, _)| *by == poller)
            .map(|(_, partition)| partition.clone())
            .collect();
        for partition in polled {
            self.tell(poller, Command::paced(partition, !holds));
        }
    }
}

fn invalid(validated: &Validated, condition: Condition, reason: String) -> Notice {
    Notice::Invalid {
        partition: validated.record.partition.clone(),
        offset: validated.record.offset,
        condition,
        reason,
    }
}
