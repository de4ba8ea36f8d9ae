//! Calls of processes on their way to store, destination and registry, and the answers on theirs back. Called by `world`.

use crate::calls::{Fate, describe, failure};
use crate::fact::{EnvironmentId, InvocationId, What};
use crate::happening::Happening;
use crate::ledger::note_read;
use crate::port::{Asked, Request};
use crate::world::World;

impl World {
    /// A process has asked something of the world, at its own time.
    pub(crate) fn asked(&mut self, at: usize) {
        let faults = self.faults();
        let environment = &mut self.environments[at];
        let process_ms = environment.process.at_ms();
        for asked in environment.process.port().take_asked() {
            let Asked {
                call,
                at_ms: now_ms,
                invocation,
                request,
            } = asked;
            self.environments[at].calls += 1;
            let out = |(from, until): &(u64, u64)| (*from..*until).contains(&now_ms);
            let schemas = self.plan.schemas.as_ref().filter(|_| !self.is_quiet);
            let fate = match request {
                Request::Fetch(_) => Fate::of_fetch(schemas, now_ms, &mut self.dice.schemas),
                Request::Send(_) => Fate::of_send(&faults, &mut self.dice.calls),
                Request::Read(_) | Request::Swap(_) => match faults.outages_ms.iter().any(out) {
                    true => Fate::refused(&mut self.dice.calls),
                    false => Fate::of(&faults, &mut self.dice.calls),
                },
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
            if fate.holds_up {
                self.journal.write(now_ms, What::HeldUp { invocation });
            }
            self.send(at as EnvironmentId, invocation, call, request, fate, now_ms);
            if self.environments[at].killed_at_call == Some(self.environments[at].calls) {
                self.now_ms = self.now_ms.max(process_ms);
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
            self.agenda.plan(
                now_ms + late_ms,
                Happening::Late {
                    request,
                    invocation,
                },
            );
        }
        match fate.there_ms {
            Some(there_ms) => {
                let happening = Happening::Arrives {
                    environment,
                    call,
                    request,
                    invocation,
                    back_ms: fate.back_ms,
                    fails: fate.fails,
                };
                self.agenda.plan(now_ms + there_ms, happening);
            }
            None => {
                if let Some(back_ms) = fate.back_ms {
                    let reply = failure(&request);
                    let happening = Happening::Replies {
                        environment,
                        call,
                        reply,
                    };
                    self.agenda.plan(now_ms + back_ms, happening);
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
        let read = match request {
            Request::Read(id) => note_read(id, None, invocation, call),
            _ => None,
        };
        for what in seen.into_iter().chain(read) {
            self.fact(what);
        }
        if let Some(back_ms) = back_ms {
            let reply = match fails {
                true => failure(request),
                false => reply,
            };
            let happening = Happening::Replies {
                environment,
                call,
                reply,
            };
            self.agenda.plan(self.now_ms + back_ms, happening);
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

fn fate_text(fate: &Fate) -> &'static str {
    match (fate.is_fault, fate.there_ms, fate.late_ms, fate.fails) {
        (false, None, _, true) => "(out of reach)",
        (false, None, ..) => "(never answered)",
        (false, ..) => "",
        (_, Some(_), None, true) => "(its answer is lost)",
        (_, None, None, _) => "(throttled)",
        (_, None, Some(_), _) => "(held back)",
        (_, Some(_), Some(_), _) => "(will land twice)",
        (_, Some(_), None, false) => "(slow)",
    }
}
