//! One event on its way to a function, and the end of the invocation.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

/// One event for a function, with its time-out.
#[derive(Clone)]
pub struct Invocation {
    pub(crate) body: Bytes,
    pub(crate) timeout: Duration,
}

impl Invocation {
    /// An event and the function's time-out, which counts from the moment the function takes the event.
    pub fn new(body: impl Into<Bytes>, timeout: Duration) -> Self {
        Self {
            body: body.into(),
            timeout,
        }
    }

    /// The event, as the function gets it.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The longest time that the function may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Shows no bytes of the event.
impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("body_bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// The end of an invocation. Lambda's mapping commits only after [`Ending::Response`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The function returned a response. The bytes are as it sent them and need not be JSON: see [`response`](crate::response).
    Response(Bytes),
    /// The function reported an error, or sent a response that Lambda refuses. The process lives on.
    FunctionError(FunctionError),
    /// The function reported that it cannot start. Its process has ended, or was ended.
    InitError(FunctionError),
    /// The process ended by itself.
    Crashed(Crash),
    /// The function did not answer in time, and was killed.
    TimedOut {
        /// What the function was doing.
        during: Phase,
        /// The time that it had.
        after: Duration,
    },
}

impl Ending {
    /// Lambda's word for this ending, as in the `errorType` that callers see. None: the function answered.
    pub fn error_type(&self) -> Option<&str> {
        match self {
            Self::Response(_) => None,
            Self::FunctionError(error) | Self::InitError(error) => Some(&error.error_type),
            Self::Crashed(_) => Some(Crash::ERROR_TYPE),
            Self::TimedOut { .. } => Some("Sandbox.Timedout"),
        }
    }

    /// Whether the process can take another event.
    pub(crate) fn leaves_the_process(&self) -> bool {
        matches!(self, Self::Response(_) | Self::FunctionError(_))
    }
}

/// Shows no bytes of the response, which may contain records.
impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(body) => f
                .debug_struct("Response")
                .field("body_bytes", &body.len())
                .finish(),
            Self::FunctionError(error) => f.debug_tuple("FunctionError").field(error).finish(),
            Self::InitError(error) => f.debug_tuple("InitError").field(error).finish(),
            Self::Crashed(crash) => f.debug_tuple("Crashed").field(crash).finish(),
            Self::TimedOut { during, after } => f
                .debug_struct("TimedOut")
                .field("during", during)
                .field("after", after)
                .finish(),
        }
    }
}

/// What a function was doing when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// From the start of the process to its first request for an event.
    Init,
    /// Between two events: it had answered the last one, and had not taken this one.
    Idle,
    /// It had taken the event.
    Invocation,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "during its init",
            Self::Idle => "between two events",
            Self::Invocation => "during the invocation",
        })
    }
}

/// An error in the words of the function, read from the body it sent: `errorType`, `errorMessage`, `stackTrace`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionError {
    /// `errorType`; without one the header `Lambda-Runtime-Function-Error-Type`; without both `Runtime.Unknown`.
    pub error_type: String,
    /// `errorMessage`; the whole body if that is not such a JSON object.
    pub message: String,
    /// `stackTrace`, one entry a line. Most Rust functions send none.
    pub stack: Vec<String>,
}

impl FunctionError {
    pub(crate) fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.to_owned(),
            message: message.into(),
            stack: Vec::new(),
        }
    }

    /// Reads what a function sent. Nothing is refused: a wrong body is itself the message.
    pub(crate) fn read(body: &[u8], header: Option<&str>) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            error_type: Option<String>,
            error_message: Option<String>,
            #[serde(default)]
            stack_trace: serde_json::Value,
        }

        let fallback = || {
            header
                .filter(|value| !value.is_empty())
                .unwrap_or("Runtime.Unknown")
                .to_owned()
        };
        match serde_json::from_slice::<Wire>(body) {
            Ok(wire) => Self {
                error_type: wire.error_type.unwrap_or_else(fallback),
                message: wire.error_message.unwrap_or_default(),
                stack: match wire.stack_trace {
                    serde_json::Value::Array(lines) => lines.iter().map(line).collect(),
                    _ => Vec::new(),
                },
            },
            Err(_) => Self {
                error_type: fallback(),
                message: String::from_utf8_lossy(body).into_owned(),
                stack: Vec::new(),
            },
        }
    }
}

/// Some runtimes send a stack as text, others as arrays of file, line and name.
fn line(entry: &serde_json::Value) -> String {
    entry
        .as_str()
        .map_or_else(|| entry.to_string(), str::to_owned)
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)
    }
}

/// A process that ended without a word to the Runtime API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Crash {
    /// What it was doing.
    pub during: Phase,
    /// How it ended.
    pub exit: Exit,
}

impl Crash {
    /// Lambda's name for every such ending, exit code 0 included.
    pub const ERROR_TYPE: &'static str = "Runtime.ExitError";
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the function's process ended {} with {}",
            self.during, self.exit
        )
    }
}

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// It returned this code. A function that returns 0 has crashed as well: it should never return.
    Code(i32),
    /// This signal ended it: 9 is `SIGKILL` (often out of memory), 6 is `SIGABRT`, 11 is `SIGSEGV`.
    Signal(i32),
}

impl Exit {
    pub(crate) fn of(status: std::process::ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(signal);
        }
        Self::Code(status.code().unwrap_or(-1))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "signal {number} ({name})"),
                None => write!(f, "signal {number}"),
            },
        }
    }
}

/// Only those whose numbers Linux and macOS share.
fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        2 => "SIGINT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// One invocation, measured.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The id under which the function saw the event. None: it did not start, so it saw nothing.
    pub request_id: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// From the start of the process to its first request for an event, or to its end. None: the process was warm.
    pub init: Option<Duration>,
    /// From the moment the function took the event to its answer or end. Zero: it never took it.
    pub duration: Duration,
    /// The most resident memory of the process so far, in bytes (`VmHWM`), without its children. None: not on Linux, or
    /// the process ended before it was read.
    pub peak_memory: Option<u64>,
    /// The end of the previous process, which waited for the event and never took it: of the event this says
    /// nothing, but the function ends, or hangs, after its responses. None: no process was replaced.
    pub replaced: Option<Ending>,
}

#[cfg(test)]
mod tests {
    use super::{Exit, FunctionError};

    #[test]
    fn an_error_is_read_from_its_body() {
        let body = br#"{"errorType":"Oops","errorMessage":"no","stackTrace":["a",["f.rs",3]]}"#;

        let error = FunctionError::read(body, Some("unhandled"));

        assert_eq!(error.to_string(), "Oops: no");
        assert_eq!(error.stack, ["a", r#"["f.rs",3]"#]);
    }

    #[test]
    fn an_error_body_that_is_not_json_is_the_message() {
        assert_eq!(
            FunctionError::read(b"bad", Some("My.Type")).to_string(),
            "My.Type: bad"
        );
        assert_eq!(
            FunctionError::read(b"bad", None).to_string(),
            "Runtime.Unknown: bad"
        );
    }

    #[test]
    fn an_exit_names_its_signal() {
        assert_eq!(Exit::Signal(9).to_string(), "signal 9 (SIGKILL)");
        assert_eq!(Exit::Signal(64).to_string(), "signal 64");
        assert_eq!(Exit::Code(3).to_string(), "exit code 3");
    }
}
