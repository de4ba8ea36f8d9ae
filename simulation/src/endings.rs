//! How invocations end, and how the mapping hears of it: answers that are lost or come twice, time-outs, kills, freezes, lost connections. Called by `world`.

use msk_mapping::machine::End;

use crate::fact::{Answer, EnvironmentId, InvocationId, What};
use crate::function::Answered;
use crate::happening::Happening;
use crate::world::World;

impl World {
    /// A function has answered, at its process's own time.
    pub(crate) fn answered(&mut self, at: usize, number: InvocationId, answered: Answered) {
        let answered = match self.invocations[number as usize].is_seconds {
            true => answered.map(|body| self.seconds_answer(&body)),
            false => answered,
        };
        let environment = &mut self.environments[at];
        let now_ms = environment.process.at_ms();
        let own_ms = environment.process.own_ms();
        environment.busy.remove(&number);
        environment.inside.leave(number);
        let delivered = &mut self.invocations[number as usize];
        delivered.answered = true;
        let late = delivered.is_overdue(own_ms);
        let answer = match &answered {
            Some(body) => Answer::Listed(listed(body)),
            None => Answer::Error,
        };
        if late {
            self.journal
                .write(now_ms, What::Overdue { invocation: number });
        }
        let what = What::Answered {
            invocation: number,
            answer,
        };
        self.journal.write(now_ms, what);
        let end = match answered {
            Some(body) => End::Response(body.into()),
            None => End::FunctionError,
        };
        let faults = self.faults();
        let dice = &mut self.dice.service;
        if dice.per_mille(faults.answer_lost) {
            if dice.per_mille(500) {
                let end = End::Crashed;
                self.agenda.plan(
                    now_ms + dice.between(0, 500),
                    Happening::Heard {
                        invocation: number,
                        end,
                    },
                );
            }
            return;
        }
        if dice.per_mille(faults.answer_twice) {
            let again = Happening::Heard {
                invocation: number,
                end: end.clone(),
            };
            self.agenda.plan(now_ms + dice.between(0, 3_000), again);
        }
        self.agenda.plan(
            now_ms + dice.between(0, 10),
            Happening::Heard {
                invocation: number,
                end,
            },
        );
    }

    /// The service ends an invocation whose time is over; its process with it.
    pub(crate) fn times_out(&mut self, number: InvocationId) {
        let delivered = &self.invocations[number as usize];
        let at = delivered.environment as usize;
        if !delivered.answered
            && self.environments[at].busy.contains(&number)
            && !self.environments[at].dead
        {
            let own_ms = self.environments[at].process.own_ms();
            if delivered.is_overdue(own_ms) {
                self.fact(What::Overdue { invocation: number });
            }
            self.end_process(at);
        }
        let end = End::TimedOut;
        self.agenda.plan(
            self.now_ms,
            Happening::Heard {
                invocation: number,
                end,
            },
        );
    }

    pub(crate) fn kill(&mut self, environment: EnvironmentId, number: InvocationId) {
        let at = environment as usize;
        if self.environments[at].dead || !self.environments[at].busy.contains(&number) {
            return;
        }
        if let Some(at_ms) = self.is_ahead(at) {
            let happening = Happening::Kill {
                environment,
                invocation: number,
            };
            return self.agenda.plan(at_ms, happening);
        }
        self.end_process(at);
        // Or only the time-out tells.
        if self.dice.service.per_mille(700) {
            let wait_ms = self.dice.service.between(0, 200);
            let end = End::Crashed;
            self.agenda.plan(
                self.now_ms + wait_ms,
                Happening::Heard {
                    invocation: number,
                    end,
                },
            );
        }
    }

    /// Until then a handler of the process holds its processor: what it does meanwhile is known already, so nothing can befall it before.
    fn is_ahead(&self, at: usize) -> Option<u64> {
        let at_ms = self.environments[at].process.at_ms();
        (at_ms > self.now_ms).then_some(at_ms)
    }

    pub(crate) fn end_process(&mut self, at: usize) {
        let environment = &mut self.environments[at];
        environment.process.kill();
        environment.dead = true;
        environment.busy.clear();
        self.fact(What::Killed {
            environment: at as EnvironmentId,
        });
    }

    pub(crate) fn freeze(&mut self, environment: EnvironmentId, number: InvocationId, for_ms: u64) {
        if let Some(at_ms) = self.is_ahead(environment as usize) {
            let happening = Happening::Freeze {
                environment,
                invocation: number,
                for_ms,
            };
            return self.agenda.plan(at_ms, happening);
        }
        let frozen = &mut self.environments[environment as usize];
        if frozen.dead || !frozen.busy.contains(&number) || frozen.frozen {
            return;
        }
        frozen.frozen = true;
        for invocation in frozen.busy.clone() {
            self.invocations[invocation as usize].was_frozen = true;
            self.fact(What::Faulted { invocation });
        }
        self.note(self.now_ms, || {
            format!("environment {environment} is frozen for {for_ms} ms")
        });
        self.agenda
            .plan(self.now_ms + for_ms, Happening::Thaw(environment));
        // Whoever waits for a frozen process may take it for dead.
        if self.dice.service.per_mille(400) {
            let wait_ms = self.dice.service.between(0, 500);
            let happening = Happening::LosesConnection(number);
            self.agenda.plan(self.now_ms + wait_ms, happening);
        }
    }

    pub(crate) fn thaw(&mut self, environment: EnvironmentId) {
        let thawed = &mut self.environments[environment as usize];
        if !thawed.frozen || thawed.dead {
            return;
        }
        thawed.frozen = false;
        thawed.process.pass(self.now_ms, thawed.freeze);
        self.note(self.now_ms, || format!("environment {environment} goes on"));
    }

    /// The mapping believes that the function has crashed, while it runs on.
    pub(crate) fn loses_connection(&mut self, number: InvocationId) {
        let delivered = &self.invocations[number as usize];
        if delivered.answered {
            return;
        }
        self.note(self.now_ms, || {
            format!("the connection to invocation {number} is lost")
        });
        let end = End::Crashed;
        self.agenda.plan(
            self.now_ms,
            Happening::Heard {
                invocation: number,
                end,
            },
        );
    }

    pub(crate) fn heard(&mut self, number: InvocationId, end: End) {
        let delivered = &mut self.invocations[number as usize];
        let Some(id) = delivered.id else { return };
        if delivered.heard && end == End::TimedOut {
            return;
        }
        delivered.heard = true;
        self.note(self.now_ms, || {
            format!(
                "the mapping hears of invocation {number}: {}",
                end_text(&end)
            )
        });
        self.tell_ended(id, number, end);
    }
}

/// What a partial answer lists, read anew from its text.
fn listed(body: &str) -> Vec<(String, i64)> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let failures = body["batchItemFailures"].as_array().cloned();
    let item = |failure: &serde_json::Value| {
        let item = &failure["itemIdentifier"];
        let partition = item["partition"].as_str().unwrap_or_default().to_owned();
        (partition, item["offset"].as_i64().unwrap_or(-1))
    };
    failures.unwrap_or_default().iter().map(item).collect()
}

fn end_text(end: &End) -> String {
    match end {
        End::Response(body) => String::from_utf8_lossy(body).into_owned(),
        other => format!("{other:?}"),
    }
}
