//! An execution environment: one function, one process at a time, restarted after it has ended.

use crate::error::Error;
use crate::function::Function;
use crate::invocation::{Crash, Ending, Invocation, Phase, Report};
use crate::process::{Outcome, Process};
use crate::runtime_api::check;

/// An execution environment, as Lambda calls it: it runs one process of a function, and gives it one event at a time.
///
/// The process starts with the first event and stays for the next one. After an init error, a crash or a time-out the
/// next event starts a new process. If the process ended after its last response, the event also goes to a new one, and
/// the report tells of the old one ([`Report::replaced`]). For several events at once, run several environments.
/// When this is dropped, the process and its children are killed.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), msk_mapping::Error> {
/// let function = Function::new("sh").args(["-c", "exit 3"]).logs(Logs::Discard);
/// let mut environment = Environment::new(function);
/// let report = environment.invoke(&Invocation::new("{}", Duration::from_secs(3))).await?;
/// let Ending::Crashed(crash) = report.ending else { panic!() };
/// assert_eq!(crash.to_string(), "the function's process ended during its init with exit code 3");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Environment {
    function: Function,
    process: Option<Process>,
}

impl Environment {
    /// An environment without a process yet.
    pub fn new(function: Function) -> Self {
        Self {
            function,
            process: None,
        }
    }

    /// The function it runs.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Delivers one event and waits for its end: at most the function's init limit, the event's time-out, and a few
    /// seconds to end a process. If this is dropped before, the process is killed.
    ///
    /// # Errors
    ///
    /// [`Error`] if the event was not sent: it is too large, or the command does not start. The function's own failures
    /// are the report's [`Ending`].
    pub async fn invoke(&mut self, invocation: &Invocation) -> Result<Report, Error> {
        check(invocation)?;
        // Kept here and not in `self` while it works: dropped with this future, it takes the process with it.
        let mut replaced = None;
        if let Some(mut process) = self.process.take() {
            match warm(&mut process, invocation).await? {
                Warm::Took(outcome) => {
                    return Ok(self.reported(process, outcome, false, None));
                }
                Warm::Gone(ending) => replaced = Some(ending),
            }
        }
        let mut process = Process::start(&self.function).await?;
        let outcome = match process.ready().await? {
            Some(ending) => Outcome::untaken(ending),
            None => process.deliver(invocation).await?,
        };
        Ok(self.reported(process, outcome, true, replaced))
    }

    /// The report of a process, which stays for the next event if it can take one.
    fn reported(
        &mut self,
        process: Process,
        outcome: Outcome,
        cold: bool,
        replaced: Option<Ending>,
    ) -> Report {
        let report = Report {
            request_id: outcome.request_id,
            ending: outcome.ending,
            init: if cold { process.init() } else { None },
            duration: outcome.duration,
            peak_memory: process.peak_memory(),
            replaced,
        };
        if report.ending.leaves_the_process() {
            self.process = Some(process);
        }
        report
    }

    /// Ends the process: as on Lambda, one that has registered an extension is sent `SIGTERM` first and has 500 ms.
    pub async fn stop(self) {
        if let Some(process) = self.process {
            process.stop().await;
        }
    }
}

/// What became of an event that was meant for a process which waited.
enum Warm {
    /// The process took the event.
    Took(Outcome),
    /// The process did not take the event, and has ended so.
    Gone(Ending),
}

/// Offers an event to a process that has answered the one before. A process that has ended, or that never asks for an event
/// again, has not seen this one: what it came to is no outcome of this event.
async fn warm(process: &mut Process, invocation: &Invocation) -> Result<Warm, Error> {
    if let Some(ending) = process.ended().await? {
        return Ok(Warm::Gone(ending));
    }
    let outcome = process.deliver(invocation).await?;
    let untaken = matches!(
        &outcome.ending,
        Ending::Crashed(Crash {
            during: Phase::Idle,
            ..
        }) | Ending::TimedOut {
            during: Phase::Idle,
            ..
        }
    );
    Ok(if untaken {
        Warm::Gone(outcome.ending)
    } else {
        Warm::Took(outcome)
    })
}
