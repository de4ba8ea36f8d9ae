//! The function service: processes that come and go, invocations in them, and how those end. Called by `world`.

use std::sync::Arc;

use bytes::Bytes;
use lambda_msk::Consumer;
use lambda_msk::testing::Invoke;
use msk_mapping::machine::End;

use crate::calls::{Fate, describe, failure};
use crate::environment::{Freeze, Process};
use crate::fact::{EnvironmentId, InvocationId, RecordId, What};
use crate::function::{Answered, Inside, consumer, event, invocation};
use crate::limits::START_MS;
use crate::plan::Faults;
use crate::port::{Asked, Request};
use crate::world::{Event, Fault, World};

/// A process of the function.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) process: Process<Answered>,
    inside: Arc<Inside>,
    consumer: Consumer,
    /// *None: it waits for the next one.*
    pub(crate) busy: Option<InvocationId>,
    pub(crate) frozen: bool,
    pub(crate) dead: bool,
    pub(crate) freeze: Freeze,
    /// Calls since its invocation began, and at which one it is killed.
    calls: u64,
    killed_at_call: Option<u64>,
    /// How far its wall clock is ahead.
    pub(crate) ahead_ms: i64,
}

impl Environment {
    pub(crate) fn is_driven(&self) -> bool {
        self.process.is_running() && !self.frozen && !self.dead
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.is_some() && !self.dead
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.dead
    }
}

/// One invocation.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// *None: it is a dead letter that was fed back.*
    pub(crate) id: Option<msk_mapping::machine::InvocationId>,
    pub(crate) body: Bytes,
    pub(crate) records: Vec<(RecordId, u32, i64)>,
    pub(crate) environment: EnvironmentId,
    /// By its process's steady clock: when it began there, and how much time it then had. *None: its clock said that there was none.*
    pub(crate) given_ms: Option<u64>,
    pub(crate) began_ms: u64,
    /// It was frozen: its clocks are no measure of it.
    pub(crate) was_frozen: bool,
    /// Its answer has left the process.
    pub(crate) answered: bool,
    pub(crate) heard: bool,
}

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
        id: Option<msk_mapping::machine::InvocationId>,
        body: Bytes,
        records: Vec<(RecordId, u32, i64)>,
    ) -> Result<(), Fault> {
        let faults = self.faults();
        let number = self.invocations.len() as InvocationId;
        let throttled = id.is_some() && self.dice.service.per_mille(faults.throttle);
        let found = match throttled {
            true => None,
            false => self.free_environment(&faults)?,
        };
        let environment = found.unwrap_or_default();
        self.invocations.push(Delivered {
            id,
            body,
            records,
            environment: environment as EnvironmentId,
            given_ms: None,
            began_ms: 0,
            was_frozen: false,
            answered: false,
            heard: false,
        });
        if found.is_none() {
            let delivered = &self.invocations[number as usize];
            let records = delivered
                .records
                .iter()
                .map(|(record, ..)| *record)
                .collect();
            self.fact(What::Throttled { records });
            let end = End::Throttled;
            self.queue.plan(
                self.now_ms + 20,
                Event::Heard {
                    invocation: number,
                    end,
                },
            );
            return Ok(());
        }
        self.environments[environment].busy = Some(number);
        let wait_ms = self.dice.service.between(0, 15);
        self.queue
            .plan(self.now_ms + wait_ms, Event::Dispatch(number));
        Ok(())
    }

    fn free_environment(&mut self, faults: &Faults) -> Result<Option<usize>, Fault> {
        let free = self
            .environments
            .iter()
            .position(|environment| !environment.dead && environment.busy.is_none());
        if let Some(free) = free {
            if !self.dice.service.per_mille(faults.recycle) {
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
        let consumer = consumer(&self.plan, &inside)?;
        self.environments.push(Environment {
            process,
            inside,
            consumer,
            busy: None,
            frozen: false,
            dead: false,
            freeze: match self.plan.faults.steady_stops {
                true => Freeze::Stopped,
                false => Freeze::Running,
            },
            calls: 0,
            killed_at_call: None,
            ahead_ms,
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
        environment.process.pass(self.now_ms, environment.freeze);
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
        environment.inside.enter(
            number,
            records
                .iter()
                .map(|(record, partition, offset)| ((partition.cast_signed(), *offset), *record)),
        );
        let invoke = Invoke::new(event(&delivered.body))
            .request_id(format!("invocation-{number}"))
            .deadline_ms(deadline_ms)
            .on(environment.process.machine());
        let consumer = environment.consumer.clone();
        environment.process.run(invocation(consumer, invoke));
        let what = What::Delivered {
            invocation: number,
            environment: at as EnvironmentId,
            records: records.iter().map(|(record, ..)| *record).collect(),
            redrive: delivered.id.is_none(),
        };
        self.fact(what);
        self.queue
            .plan(self.now_ms + timeout_ms, Event::TimesOut(number));
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
            let event = Event::Kill {
                environment,
                invocation,
            };
            self.queue.plan(within(dice), event);
        }
        if dice.per_mille(faults.freeze) {
            // In the middle of its work, for so long that another one may take that over.
            let most = dice.pick(&[40, 120, 500]);
            let at_ms = self.now_ms + dice.between(0, most);
            let for_ms = dice.pick(&[200, timeout_ms / 2, timeout_ms, 40_000]);
            let for_ms = dice.between(1, for_ms);
            let event = Event::Freeze {
                environment,
                invocation,
                for_ms,
            };
            self.queue.plan(at_ms, event);
        }
        if dice.per_mille(faults.connection_lost) {
            self.queue
                .plan(within(dice), Event::LosesConnection(invocation));
        }
    }

    /// A process has asked something of the world, at its own time.
    pub(crate) fn asked(&mut self, at: usize) {
        let faults = self.faults();
        let environment = &mut self.environments[at];
        let now_ms = environment.process.at_ms();
        let asked = environment.process.port().take_asked();
        let Some(invocation) = environment.busy else {
            return;
        };
        for Asked { call, request } in asked {
            self.environments[at].calls += 1;
            let out = |(from, until): &(u64, u64)| (*from..*until).contains(&now_ms);
            let is_store = !matches!(request, Request::Send(_));
            let fate = match is_store && faults.outages_ms.iter().any(out) {
                true => Fate::refused(&mut self.dice.calls),
                false => Fate::of(&faults, &mut self.dice.calls),
            };
            self.note(now_ms, || {
                format!(
                    "environment {at}: {} {}",
                    describe(&request),
                    fate_text(&fate)
                )
            });
            if fate.is_fault {
                self.journal.write(now_ms, What::Faulted { invocation });
            }
            self.send(at as EnvironmentId, invocation, call, request, fate, now_ms);
            if self.environments[at].killed_at_call == Some(self.environments[at].calls) {
                self.now_ms = self.now_ms.max(now_ms);
                self.kill(at as EnvironmentId, invocation);
                return;
            }
        }
    }

    fn send(
        &mut self,
        environment: EnvironmentId,
        invocation: InvocationId,
        call: u64,
        request: Request,
        fate: Fate,
        now_ms: u64,
    ) {
        if let Some(late_ms) = fate.late_ms {
            let request = request.clone();
            self.queue.plan(
                now_ms + late_ms,
                Event::Late {
                    request,
                    invocation,
                },
            );
        }
        match fate.there_ms {
            Some(there_ms) => {
                let event = Event::Arrives {
                    environment,
                    call,
                    request,
                    invocation,
                    back_ms: fate.back_ms,
                    fails: fate.fails,
                };
                self.queue.plan(now_ms + there_ms, event);
            }
            None => {
                if let Some(back_ms) = fate.back_ms {
                    let reply = failure(&request);
                    let event = Event::Replies {
                        environment,
                        call,
                        reply,
                    };
                    self.queue.plan(now_ms + back_ms, event);
                }
            }
        }
    }

    pub(crate) fn arrives(
        &mut self,
        environment: EnvironmentId,
        call: u64,
        request: &Request,
        invocation: InvocationId,
        back_ms: Option<u64>,
        fails: bool,
    ) {
        let (reply, seen) = self.services.carry_out(request, invocation);
        for what in seen {
            self.fact(what);
        }
        if let Some(back_ms) = back_ms {
            let reply = match fails {
                true => failure(request),
                false => reply,
            };
            let event = Event::Replies {
                environment,
                call,
                reply,
            };
            self.queue.plan(self.now_ms + back_ms, event);
        }
    }

    pub(crate) fn late(&mut self, request: &Request, invocation: InvocationId) {
        self.note(self.now_ms, || {
            format!(
                "what invocation {invocation} had asked lands late: {}",
                describe(request)
            )
        });
        if matches!(request, Request::Read(_)) {
            return;
        }
        let (_, seen) = self.services.carry_out(request, invocation);
        for what in seen {
            self.fact(what);
        }
    }
}

impl Delivered {
    pub(crate) fn is_overdue(&self, own_ms: u64) -> bool {
        let took_ms = own_ms - self.began_ms;
        !self.was_frozen && self.given_ms.is_some_and(|given_ms| took_ms >= given_ms)
    }
}

fn fate_text(fate: &Fate) -> &'static str {
    match (fate.is_fault, fate.there_ms, fate.late_ms, fate.fails) {
        (false, ..) => "",
        (_, Some(_), None, true) => "(its answer is lost)",
        (_, None, None, _) => "(throttled)",
        (_, None, Some(_), _) => "(held back)",
        (_, Some(_), Some(_), _) => "(will land twice)",
        (_, Some(_), None, false) => "(slow)",
    }
}
