//! One process of a function: started, watched, read, ended. Every wait here is bounded.

#[cfg(target_os = "linux")]
mod strays;

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::error::Error;
use crate::function::{Function, LogLine, LogStream, Logs};
use crate::invocation::{Crash, Ending, Exit, Invocation, Phase};
use crate::limits::{DRAIN_MS, EXIT_GRACE_MS, LOG_LINE_BYTES_MAX, SHUTDOWN_GRACE_MS};
use crate::runtime_api::{Answer, Delivered, Readiness, RuntimeApi, request_id};

#[derive(Debug)]
pub(crate) struct Process {
    api: RuntimeApi,
    child: Child,
    /// The process group. None: it has been killed, and the system may give its id to another.
    group: Option<u32>,
    started: Instant,
    /// When the system says that it started. None: it ended before it could be asked.
    #[cfg(target_os = "linux")]
    started_at: Option<u64>,
    init: Option<Duration>,
    init_limit: Duration,
    logs: Vec<Pump>,
    peak_memory: Option<u64>,
}

/// A task that reads one of the process's two pipes.
#[derive(Debug)]
struct Pump {
    task: JoinHandle<()>,
    /// Asks for word once the pipe is empty.
    asks: mpsc::Sender<oneshot::Sender<()>>,
}

/// How one event ended in this process.
pub(crate) struct Outcome {
    pub(crate) request_id: Option<String>,
    pub(crate) ending: Ending,
    pub(crate) duration: Duration,
}

impl Outcome {
    /// Of an event that no process has taken.
    pub(crate) fn untaken(ending: Ending) -> Self {
        Self {
            request_id: None,
            ending,
            duration: Duration::ZERO,
        }
    }
}

impl Process {
    pub(crate) async fn start(function: &Function) -> Result<Self, Error> {
        let api = RuntimeApi::bind(function.identity()).await?;
        let mut child = function
            .command(&api)
            .spawn()
            .map_err(|source| Error::Start {
                command: function.program(),
                source,
            })?;
        let started = Instant::now();
        let mut logs = Vec::new();
        if let Logs::Lines(sink) = &function.logs {
            let out = child.stdout.take();
            logs.extend(out.map(|pipe| Pump::start(pipe, LogStream::Stdout, sink)));
            let err = child.stderr.take();
            logs.extend(err.map(|pipe| Pump::start(pipe, LogStream::Stderr, sink)));
        }
        let group = child.id();
        #[cfg(target_os = "linux")]
        let started_at = group.and_then(strays::started_at);
        Ok(Self {
            api,
            child,
            group,
            started,
            #[cfg(target_os = "linux")]
            started_at,
            init: None,
            init_limit: function.init_limit(),
            logs,
            peak_memory: None,
        })
    }

    /// How long the init took, or has taken until it failed. None: it is still going on.
    pub(crate) fn init(&self) -> Option<Duration> {
        self.init
    }

    pub(crate) fn peak_memory(&self) -> Option<u64> {
        self.peak_memory
    }

    /// Waits for the end of the init. Some: it failed, and the process has ended.
    pub(crate) async fn ready(&mut self) -> Result<Option<Ending>, Error> {
        let left = self.init_limit.saturating_sub(self.started.elapsed());
        let exited = tokio::select! {
            biased;
            _ = self.api.ready(left) => None,
            exited = self.child.wait() => Some(exited.map_err(|source| Error::Wait { source })?),
        };
        if exited.is_some() {
            // It may have reported why just before.
            self.api.drain().await;
        }
        let readiness = self.api.ready(Duration::ZERO).await;
        self.init = Some(self.started.elapsed());
        self.measure();
        let ending = match (readiness, exited) {
            (Readiness::Failed(error), _) => {
                // It is about to end: let its last log lines out.
                let _ = timeout(Duration::from_millis(EXIT_GRACE_MS), self.child.wait()).await;
                Ending::InitError(error)
            }
            (Readiness::Ready, None) => return Ok(None),
            (Readiness::Ready, Some(status)) => Ending::Crashed(Crash {
                during: Phase::Idle,
                exit: Exit::of(status),
            }),
            (Readiness::Starting, Some(status)) => Ending::Crashed(Crash {
                during: Phase::Init,
                exit: Exit::of(status),
            }),
            (Readiness::Starting, None) => Ending::TimedOut {
                during: Phase::Init,
                after: self.init_limit,
            },
        };
        self.end().await;
        Ok(Some(ending))
    }

    /// Whether it has ended since its last answer. Some: it has, and what was left of it is gone too.
    pub(crate) async fn ended(&mut self) -> Result<Option<Ending>, Error> {
        let exited = self.child.try_wait();
        let Some(status) = exited.map_err(|source| Error::Wait { source })? else {
            return Ok(None);
        };
        self.end().await;
        Ok(Some(Ending::Crashed(Crash {
            during: Phase::Idle,
            exit: Exit::of(status),
        })))
    }

    /// Hands over one event and waits for how it ends. After anything but an answer the process has ended.
    pub(crate) async fn deliver(&mut self, invocation: &Invocation) -> Result<Outcome, Error> {
        let request_id = request_id();
        let started = Instant::now();
        let (ending, duration) =
            match exchange(&self.api, &mut self.child, invocation, &request_id).await? {
                Ok(delivered) => {
                    self.measure();
                    let ending = match delivered.answer {
                        Answer::Response(body) => Ending::Response(body),
                        Answer::Error(error) => Ending::FunctionError(error),
                        Answer::TimedOut { taken } => {
                            let during = if taken {
                                Phase::Invocation
                            } else {
                                Phase::Idle
                            };
                            Ending::TimedOut {
                                during,
                                after: invocation.timeout(),
                            }
                        }
                    };
                    (ending, delivered.duration)
                }
                Err(status) => {
                    let taken = self.api.has_taken(&request_id);
                    let during = if taken {
                        Phase::Invocation
                    } else {
                        Phase::Idle
                    };
                    let duration = if taken {
                        started.elapsed()
                    } else {
                        Duration::ZERO
                    };
                    (
                        Ending::Crashed(Crash {
                            during,
                            exit: Exit::of(status),
                        }),
                        duration,
                    )
                }
            };
        if ending.leaves_the_process() {
            self.read_logs().await;
        } else {
            self.end().await;
        }
        let request_id = self.api.has_taken(&request_id).then_some(request_id);
        Ok(Outcome {
            request_id,
            ending,
            duration,
        })
    }

    /// Ends the process as Lambda does at the end of an environment: told first if it has registered an extension.
    pub(crate) async fn stop(mut self) {
        if self.api.has_extensions() {
            self.signal(Signal::Term);
            let _ = timeout(Duration::from_millis(SHUTDOWN_GRACE_MS), self.child.wait()).await;
        }
        self.end().await;
    }

    /// Reads what the process wrote before its answer: whoever is told of the answer has seen these lines.
    async fn read_logs(&self) {
        for pump in &self.logs {
            // A function that writes without a pause is not waited for.
            let _ = timeout(Duration::from_millis(DRAIN_MS), pump.empty()).await;
        }
    }

    /// Kills what is left of it, children included, and reads its last log lines.
    async fn end(&mut self) {
        self.signal(Signal::Kill);
        self.group = None;
        // Fails only if the process has ended already.
        let _ = self.child.start_kill();
        let _ = timeout(Duration::from_millis(EXIT_GRACE_MS), self.child.wait()).await;
        for Pump { task, .. } in self.logs.drain(..) {
            let abort = task.abort_handle();
            if timeout(Duration::from_millis(DRAIN_MS), task)
                .await
                .is_err()
            {
                abort.abort();
            }
        }
    }

    /// To the whole process group, which the process leads; a kill also to those of its children that lead sessions of their
    /// own. The group keeps its id as long as one process is in it.
    #[cfg(unix)]
    fn signal(&self, signal: Signal) {
        self.signal_group(signal);
        #[cfg(target_os = "linux")]
        if let Signal::Kill = signal {
            strays::kill(&self.api.address().to_string(), self.started_at);
        }
    }

    #[cfg(unix)]
    fn signal_group(&self, signal: Signal) {
        let group = self
            .group
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let signal = match signal {
                Signal::Term => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            // Fails only if the group has ended already.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    #[cfg(not(unix))]
    fn signal(&self, _signal: Signal) {}

    /// Keeps the last reading: there is none of a process that has ended.
    fn measure(&mut self) {
        if let Some(peak) = self.child.id().and_then(peak_memory) {
            self.peak_memory = Some(peak);
        }
    }
}

/// Delivers one event to a process and watches both. Err: the process has ended without an answer.
async fn exchange(
    api: &RuntimeApi,
    child: &mut Child,
    invocation: &Invocation,
    request_id: &str,
) -> Result<Result<Delivered, ExitStatus>, Error> {
    let delivery = api.deliver(invocation, request_id.to_owned());
    tokio::pin!(delivery);
    let status = tokio::select! {
        biased;
        delivered = &mut delivery => return delivered.map(Ok),
        exited = child.wait() => exited.map_err(|source| Error::Wait { source })?,
    };
    // What it wrote before it ended still counts, if it was an answer.
    tokio::select! {
        biased;
        delivered = &mut delivery => return delivered.map(Ok),
        () = api.drain() => {}
    }
    // The last connection may have brought the answer just as it closed.
    match timeout(Duration::ZERO, &mut delivery).await {
        Ok(delivered) => delivered.map(Ok),
        Err(_) => Ok(Err(status)),
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::Kill);
        for pump in &self.logs {
            pump.task.abort();
        }
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Term,
    Kill,
}

/// `VmHWM` of a process, in bytes. Other systems have no `/proc`.
fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

impl Pump {
    fn start(
        pipe: impl AsyncRead + Unpin + Send + 'static,
        stream: LogStream,
        sink: &Arc<dyn Fn(LogLine) + Send + Sync>,
    ) -> Self {
        let (asks, asked) = mpsc::channel(1);
        let task = tokio::spawn(pump(pipe, stream, Arc::clone(sink), asked));
        Self { task, asks }
    }

    /// Until there is nothing in the pipe, or no more of it.
    async fn empty(&self) {
        let (word, heard) = oneshot::channel();
        if self.asks.send(word).await.is_ok() {
            let _ = heard.await;
        }
    }
}

/// Reads a pipe to its end, line by line, with bounded memory.
async fn pump(
    pipe: impl AsyncRead + Unpin,
    stream: LogStream,
    sink: Arc<dyn Fn(LogLine) + Send + Sync>,
    mut asked: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        let room = (LOG_LINE_BYTES_MAX - line.len()) as u64;
        let read: io::Result<usize> = tokio::select! {
            biased;
            // What was read of a line when the other branch wins stays in `line`.
            read = async { (&mut pipe).take(room).read_until(b'\n', &mut line).await } => read,
            Some(word) = asked.recv() => {
                let _ = word.send(());
                continue;
            }
        };
        let ended = read.unwrap_or_default() == 0;
        if !line.is_empty() {
            let text =
                String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
            sink(LogLine { stream, text });
            line.clear();
        }
        // An error here is a pipe that is gone: as good as its end.
        if ended {
            return;
        }
    }
}
