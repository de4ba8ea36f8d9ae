//! The function service: processes that come and go, invocations in them, and how those end. Called by `world`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use lambda_msk::testing::Invoke;
use msk_mapping::machine::{End, InvocationId as MachineId};

use crate::delivered::Delivered;
use crate::environment::Environment;
use crate::fact::{EnvironmentId, InvocationId, RecordId, What};
use crate::function::{consumer, event, invocation};
use crate::happening::Happening;
use crate::inside::Inside;
use crate::limits::START_MS;
use crate::plan::Faults;
use crate::process::{Freeze, Process};
use crate::world::{BoxError, World};

impl World {
    pub(crate) fn faults(&self) -> Faults {
        match self.is_quiet {
            true => Faults::default(),
            false => self.plan.faults.clone(),
        }
    }

    /// A batch is to be run, in a process that is free or new. Else it is throttled.
    pub(crate) fn invoke(
        &mut self,
        id: Option<MachineId>,
        body: Bytes,
        records: Vec<(RecordId, u32, i64)>,
    ) -> Result<(), BoxError> {
        let faults = self.faults();
        let number = self.invocations.len() as InvocationId;
        let throttled = id.is_some() && self.dice.service.per_mille(faults.throttle);
        let found = match throttled {
            true => None,
            false => self.free_environment(&faults)?,
        };
        let environment = found.unwrap_or_default();
        let is_seconds = self.is_seconds(&records);
        self.invocations.push(Delivered {
            id,
            body: match is_seconds {
                true => self.seconds_event(&body),
                false => body,
            },
            records,
            is_seconds,
            environment: environment as EnvironmentId,
            given_ms: None,
            began_ms: 0,
            was_begun: Arc::default(),
            was_frozen: false,
            answered: false,
            heard: false,
        });
        if found.is_none() {
            self.throttled(number);
            return Ok(());
        }
        self.environments[environment].busy.insert(number);
        let wait_ms = self.dice.service.between(0, 15);
        self.agenda
            .plan(self.now_ms + wait_ms, Happening::Dispatch(number));
        Ok(())
    }

    /// None of its records was seen.
    fn throttled(&mut self, number: InvocationId) {
        let delivered = &self.invocations[number as usize];
        let records = delivered.records.iter().map(|(record, ..)| *record);
        let records = records.collect();
        self.fact(What::Throttled { records });
        let happening = Happening::Heard {
            invocation: number,
            end: End::Throttled,
        };
        self.agenda.plan(self.now_ms + 20, happening);
    }

    /// What a process that starts now promises.
    fn is_at_most_once(&self) -> bool {
        let until_ms = self.plan.function.at_least_once_until_ms;
        self.plan.terms.at_most_once && until_ms.is_none_or(|until_ms| self.now_ms >= until_ms)
    }

    /// The function is deployed anew, in the middle of its work: some of those that are at it end with that, for the old one was bad.
    pub(crate) fn deployed(&mut self) {
        for at in 0..self.environments.len() {
            let environment = &self.environments[at];
            // An event that has not reached its process yet goes to another one.
            if let Some(number) = environment.busy.first().copied()
                && environment.is_alive()
                && self.invocations[number as usize].given_ms.is_some()
                && self.dice.service.per_mille(500)
            {
                self.kill(at as EnvironmentId, number);
            }
        }
        self.end_old_environments();
    }

    /// Ends processes of an earlier deployment, but for those that are at work.
    fn end_old_environments(&mut self) {
        let at_most_once = self.is_at_most_once();
        for at in 0..self.environments.len() {
            let environment = &self.environments[at];
            let old = environment.at_most_once != at_most_once;
            if old && environment.is_alive() && environment.busy.is_empty() {
                self.end_process(at);
            }
        }
    }

    fn free_environment(&mut self, faults: &Faults) -> Result<Option<usize>, BoxError> {
        self.end_old_environments();
        let at_most_once = self.is_at_most_once();
        let free = self.environments.iter().position(|environment| {
            let takes_one = environment.busy.len() < self.plan.function.at_once;
            let old = environment.at_most_once != at_most_once;
            !old && !environment.dead && !environment.frozen && takes_one
        });
        if let Some(free) = free {
            let idle = self.environments[free].busy.is_empty();
            if !idle || !self.dice.service.per_mille(faults.recycle) {
                return Ok(Some(free));
            }
            self.end_process(free);
        }
        let alive = self
            .environments
            .iter()
            .filter(|environment| !environment.dead);
        if alive.count() >= self.plan.function.environments_max {
            return Ok(None);
        }
        let number = self.environments.len();
        let off_ms = self.plan.faults.clock_off_ms;
        let ahead_ms = self.dice.service.around_zero(off_ms);
        let process = Process::start(self.now_ms, number as u32, ahead_ms)?;
        let inside = Inside::of(
            &process,
            number as EnvironmentId,
            &self.journal,
            &self.script,
        );
        if self.plan.terms.at_most_once && !at_most_once {
            let environment = number as EnvironmentId;
            self.fact(What::AtLeastOnce { environment });
        }
        let consumer = consumer(&self.plan, at_most_once, &inside)?;
        self.environments.push(Environment {
            process,
            inside,
            consumer,
            busy: BTreeSet::new(),
            frozen: false,
            dead: false,
            freeze: match self.plan.faults.steady_stops {
                true => Freeze::Stopped,
                false => Freeze::Running,
            },
            calls: 0,
            killed_at_call: None,
            ahead_ms,
            at_most_once,
        });
        Ok(Some(number))
    }

    /// The batch is in its process.
    pub(crate) fn dispatch(&mut self, number: InvocationId) {
        let faults = self.faults();
        let timeout_ms = self.plan.function.timeout_ms;
        let delivered = &mut self.invocations[number as usize];
        let at = delivered.environment as usize;
        let environment = &mut self.environments[at];
        if environment.dead {
            return self.throttled(number);
        }
        match environment.frozen {
            true => delivered.was_frozen = true,
            false => environment.process.pass(self.now_ms, environment.freeze),
        }
        let deadline_ms = START_MS.unsigned_abs() + self.now_ms + timeout_ms;
        let wall_ms = environment.process.wall_ms();
        delivered.given_ms = deadline_ms.checked_sub(wall_ms).filter(|given| *given > 0);
        delivered.began_ms = environment.process.own_ms();
        environment.calls = 0;
        environment.killed_at_call = match self.dice.service.per_mille(faults.kill_at_call) {
            true => Some(self.dice.service.between(1, 8)),
            false => None,
        };
        let records = &delivered.records;
        // As its cluster counts its partitions.
        let each = self.plan.records.partitions;
        let places = records.iter().map(|(record, partition, offset)| {
            (((partition % each).cast_signed(), *offset), *record)
        });
        environment.inside.enter(number, places);
        let invoke = Invoke::new(event(&delivered.body))
            .request_id(format!("invocation-{number}"))
            .deadline_ms(deadline_ms)
            .on(environment.process.machine());
        let consumer = environment.consumer.clone();
        let was_begun = Arc::clone(&delivered.was_begun);
        let run = invocation(number, consumer, invoke);
        environment.process.run(number, async move {
            was_begun.store(true, Ordering::Relaxed);
            run.await
        });
        let what = What::Delivered {
            invocation: number,
            environment: at as EnvironmentId,
            records: records.iter().map(|(record, ..)| *record).collect(),
            redrive: delivered.id.is_none(),
        };
        let was_frozen = delivered.was_frozen;
        self.fact(what);
        if was_frozen {
            // Before it began.
            self.fact(What::Faulted { invocation: number });
        }
        self.agenda
            .plan(self.now_ms + timeout_ms, Happening::TimesOut(number));
        self.plan_troubles_of(number, at as EnvironmentId, &faults);
    }

    fn plan_troubles_of(
        &mut self,
        invocation: InvocationId,
        environment: EnvironmentId,
        faults: &Faults,
    ) {
        let timeout_ms = self.plan.function.timeout_ms;
        let dice = &mut self.dice.service;
        // Most invocations are over soon.
        let within = |dice: &mut crate::dice::Dice| {
            let most = dice.pick(&[50, 500, timeout_ms]);
            self.now_ms + dice.between(0, most)
        };
        if dice.per_mille(faults.kill) {
            let happening = Happening::Kill {
                environment,
                invocation,
            };
            self.agenda.plan(within(dice), happening);
        }
        if dice.per_mille(faults.freeze) {
            // In the middle of its work, for so long that another one may take that over.
            let most = dice.pick(&[40, 120, 500]);
            let at_ms = self.now_ms + dice.between(0, most);
            let for_ms = dice.pick(&[200, timeout_ms / 2, timeout_ms, 40_000]);
            let for_ms = dice.between(1, for_ms);
            let happening = Happening::Freeze {
                environment,
                invocation,
                for_ms,
            };
            self.agenda.plan(at_ms, happening);
        }
        if dice.per_mille(faults.connection_lost) {
            self.agenda
                .plan(within(dice), Happening::LosesConnection(invocation));
        }
    }
}
