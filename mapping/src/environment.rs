//! An execution environment: one function, one process at a time, started anew when it has ended.

use std::time::Duration;

use crate::error::Error;
use crate::function::Function;
use crate::invocation::{Ending, Invocation, Report};
use crate::process::Process;
use crate::runtime_api::check;

/// What Lambda calls an execution environment: it runs one process of a function and gives it one event at a time.
///
/// The process starts with the first event and stays for the next one. After an init error, a crash or a time-out it is
/// gone, and the next event starts a new one. For several events at once, run several environments.
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

    /// Delivers one event and waits for how it ends: at most the function's init limit, the event's time-out, and a few
    /// seconds to end a process. If this is dropped before, the process is killed.
    ///
    /// # Errors
    ///
    /// [`Error`] if the event was not sent: it is too large, or the command does not start. What the function does
    /// wrong is the report's [`Ending`].
    pub async fn invoke(&mut self, invocation: &Invocation) -> Result<Report, Error> {
        check(invocation)?;
        // Kept here and not in `self` while it works: dropped with this future, it takes the process with it.
        let mut process = match self.process.take() {
            Some(process) => process,
            None => Process::start(&self.function).await?,
        };
        let cold = process.init().is_none();
        let failed = if cold { process.ready().await? } else { None };
        let report = match failed {
            Some(ending) => report(&process, None, ending, Duration::ZERO, cold),
            None => {
                let outcome = process.deliver(invocation).await?;
                report(
                    &process,
                    outcome.request_id,
                    outcome.ending,
                    outcome.duration,
                    cold,
                )
            }
        };
        if report.ending.leaves_the_process() {
            self.process = Some(process);
        }
        Ok(report)
    }

    /// Ends the process: as on Lambda, one that has registered an extension is sent `SIGTERM` first and has 500 ms.
    pub async fn stop(self) {
        if let Some(process) = self.process {
            process.stop().await;
        }
    }
}

fn report(
    process: &Process,
    request_id: Option<String>,
    ending: Ending,
    duration: Duration,
    cold: bool,
) -> Report {
    let init = if cold { process.init() } else { None };
    Report {
        request_id,
        ending,
        init,
        duration,
        peak_memory: process.peak_memory(),
    }
}
