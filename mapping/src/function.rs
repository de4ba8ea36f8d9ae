//! A function as its owner describes it: command, environment, size. [`Environment`](crate::Environment) runs it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;

use crate::clock;
use crate::limits::INIT_TIMEOUT_MS;
use crate::runtime_api::{Identity, RuntimeApi};

/// The region of a function when the environment names none.
const REGION: &str = "us-east-1";

/// A command that speaks the Lambda Runtime API, with its environment.
///
/// It inherits the environment of this process, then gets Lambda's variables, then those set here.
#[derive(Clone)]
pub struct Function {
    command: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    name: Option<String>,
    memory_mb: u32,
    init_timeout: Duration,
    pub(crate) logs: Logs,
}

/// Shows no values of the environment, which may be secrets.
impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&OsString> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Function")
            .field("command", &self.command)
            .field("args", &self.args)
            .field("env", &names)
            .field("directory", &self.directory)
            .field("name", &self.name)
            .field("memory_mb", &self.memory_mb)
            .field("init_timeout", &self.init_timeout)
            .finish_non_exhaustive()
    }
}

impl Function {
    /// A function that is this program. A name without `/` is looked up in `PATH`.
    pub fn new(command: impl Into<OsString>) -> Self {
        Self {
            command: command.into(),
            args: Vec::new(),
            env: Vec::new(),
            directory: None,
            name: None,
            memory_mb: 512,
            init_timeout: Duration::from_millis(INIT_TIMEOUT_MS),
            logs: Logs::Inherit,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment; the last setting of a name counts, also over Lambda's own variables, save
    /// `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Runs it in this folder, which is also its `LAMBDA_TASK_ROOT`. Default: that of this process.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Its name on Lambda. Default: that of the program.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The memory size that the function is told. It is not enforced. Default: 512.
    #[must_use]
    pub fn memory_mb(mut self, memory_mb: u32) -> Self {
        self.memory_mb = memory_mb;
        self
    }

    /// The longest time of its init. Default: 10 s, as on Lambda. Lambda stops a longer init and repeats it within the
    /// function's own time-out; here it ends as [`Ending::TimedOut`](crate::Ending::TimedOut).
    #[must_use]
    pub fn init_timeout(mut self, init_timeout: Duration) -> Self {
        self.init_timeout = init_timeout;
        self
    }

    /// The target of its standard output and error. Default: [`Logs::Inherit`].
    #[must_use]
    pub fn logs(mut self, logs: Logs) -> Self {
        self.logs = logs;
        self
    }

    /// The name and region that the function is told.
    pub fn identity(&self) -> Identity {
        let stem = || {
            Path::new(&self.command)
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
        };
        let name = self.name.clone().or_else(stem).unwrap_or_default();
        Identity::new(
            if name.is_empty() { "function" } else { &name },
            &self.region(),
        )
    }

    pub(crate) fn init_limit(&self) -> Duration {
        self.init_timeout
    }

    pub(crate) fn program(&self) -> String {
        self.command.to_string_lossy().into_owned()
    }

    /// The one region that SDK clients in the function would pick.
    fn region(&self) -> String {
        let given = |name: &str| {
            self.env
                .iter()
                .rev()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find_map(|name| given(name).or_else(|| std::env::var_os(name)))
            .map_or_else(
                || REGION.to_owned(),
                |region| region.to_string_lossy().into_owned(),
            )
    }

    /// The command, ready to start against this Runtime API.
    pub(crate) fn command(&self, api: &RuntimeApi) -> Command {
        let mut command = Command::new(&self.command);
        command
            .args(&self.args)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        self.logs.apply(&mut command);
        // Set by hand they would change how the function runs; inherited from the shell they are a mistake.
        command
            .env_remove("AWS_LAMBDA_MAX_CONCURRENCY")
            .env_remove("_X_AMZN_TRACE_ID");
        let name = api.identity().name();
        let region = api.identity().region();
        let root = self
            .directory
            .clone()
            .or_else(|| std::env::current_dir().ok())
            .unwrap_or_default();
        command
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                self.memory_mb.to_string(),
            )
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", log_stream())
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", region)
            .env("AWS_DEFAULT_REGION", region)
            .env("LAMBDA_TASK_ROOT", root)
            .env("_HANDLER", "bootstrap")
            .env("TZ", ":UTC")
            .envs(
                self.env
                    .iter()
                    .map(|(key, value)| (OsStr::new(key), OsStr::new(value))),
            )
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string());
        command
    }
}

/// `2026/11/22/[$LATEST]` and 32 digits, new for each process, as in CloudWatch.
fn log_stream() -> String {
    let seconds = i64::try_from(clock::since_epoch().as_secs()).unwrap_or_default();
    let date = jiff::Timestamp::from_second(seconds)
        .unwrap_or_default()
        .strftime("%Y/%m/%d");
    format!("{date}/[$LATEST]{:032x}", fastrand::u128(..))
}

/// The target of a function's output.
#[derive(Clone)]
pub enum Logs {
    /// Both streams to the standard error of this process, as they come.
    Inherit,
    /// Nowhere.
    Discard,
    /// Each line to this closure, which should return soon: the function's pipe waits for it.
    Lines(Arc<dyn Fn(LogLine) + Send + Sync>),
}

impl Logs {
    /// Each line to a closure.
    pub fn lines(sink: impl Fn(LogLine) + Send + Sync + 'static) -> Self {
        Self::Lines(Arc::new(sink))
    }

    fn apply(&self, command: &mut Command) {
        match self {
            Self::Inherit => command.stdout(std::io::stderr()).stderr(Stdio::inherit()),
            Self::Discard => command.stdout(Stdio::null()).stderr(Stdio::null()),
            Self::Lines(_) => command.stdout(Stdio::piped()).stderr(Stdio::piped()),
        };
    }
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inherit => "Inherit",
            Self::Discard => "Discard",
            Self::Lines(_) => "Lines(..)",
        })
    }
}

/// One line that a function wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// The stream.
    pub stream: LogStream,
    /// The line without its line break; bytes that are not UTF-8 are replaced. A line over 256 kB comes in pieces.
    pub text: String,
}

/// The stream that a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

#[cfg(test)]
mod tests {
    use super::Function;

    #[test]
    fn a_function_is_named_after_its_program() {
        let identity = Function::new("/opt/my orders.bin")
            .env("AWS_REGION", "eu-west-1")
            .identity();

        assert_eq!(
            identity.arn(),
            "arn:aws:lambda:eu-west-1:123456789012:function:my-orders"
        );
    }

    #[test]
    fn a_given_name_wins() {
        assert_eq!(
            Function::new("x").name("orders").identity().name(),
            "orders"
        );
    }
}
