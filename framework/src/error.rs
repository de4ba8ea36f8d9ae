//! Errors that end an invocation, or keep a function from starting. A record's own failure is never one of these.

use std::error::Error as StdError;
use std::fmt;

use crate::failure::{BoxError, error_text};
use crate::response::Incomplete;

pub use crate::event::EventError;

/// An error that ends an invocation, or keeps a function from starting.
///
/// The `Debug` form is the text with all causes, since Rust prints that form when `main` returns an error.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The event is not a Kafka event, or is malformed. No handler ran.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Some records are not done, and Lambda redelivers the whole batch.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    /// The consumer's configuration is invalid.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The code in `main` before [`run`](crate::run) failed.
    #[error("the function could not start")]
    Init(#[source] BoxError),
    /// The process does not run under a Lambda Runtime API.
    #[error(
        "`{variable}` is not set, or not as Lambda sets it: this is a Lambda function, so start it with `cargo msk invoke` or `cargo lambda watch`, or deploy it"
    )]
    #[non_exhaustive]
    NotInLambda {
        /// The variable that Lambda would have set.
        variable: &'static str,
    },
    /// The Lambda Runtime API could not be reached, or gave up on the function.
    #[error("the Lambda Runtime API failed")]
    Runtime(#[source] BoxError),
}

impl Error {
    /// The error's code, which Lambda shows as `errorType`: `event.not_kafka`, `batch.incomplete`, `configuration.invalid`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Event(error) => error.code(),
            Self::Incomplete(_) => "batch.incomplete",
            Self::Configuration(_) => "configuration.invalid",
            Self::Init(_) => "init.failed",
            Self::NotInLambda { .. } => "runtime.not_in_lambda",
            Self::Runtime(_) => "runtime.failed",
        }
    }

    /// The text with all causes.
    pub(crate) fn text(&self) -> String {
        error_text(self)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text(), self.code())
    }
}

/// All faults in a consumer's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationError {
    faults: Vec<ConfigurationFault>,
}

/// One fault in a consumer's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigurationFault {
    /// The place of the fault: an environment variable (`LAMBDA_MSK_CONCURRENCY`) or a method of the builder (`.topic("orders", …)`).
    pub place: String,
    /// The expected and the found value, and the cure.
    pub reason: String,
}

impl ConfigurationFault {
    /// Creates a fault at `place`.
    pub fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            reason: reason.into(),
        }
    }
}

impl ConfigurationError {
    pub(crate) fn new(faults: Vec<ConfigurationFault>) -> Self {
        Self { faults }
    }

    /// All faults: first those of the code, then those of the environment.
    pub fn faults(&self) -> &[ConfigurationFault] {
        &self.faults
    }
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            1 => f.write_str("1 fault in the configuration: ")?,
            count => write!(f, "{count} faults in the configuration: ")?,
        }
        for (index, ConfigurationFault { place, reason }) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{place}: {reason}")?;
        }
        Ok(())
    }
}

impl StdError for ConfigurationError {}
