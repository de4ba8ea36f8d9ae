//! Metrics of each invocation: one line a topic in CloudWatch's embedded metric format. Set by `builder`, written by `consumer`.

mod line;
mod memory;
mod tally;

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::context::Context;
use crate::limits::METRIC_NAMESPACE_BYTES_MAX;
use crate::meter::Meter;
use crate::metrics::line::write_line;
use crate::metrics::memory::Memory;
use crate::metrics::tally::tallies;
use crate::report::Report;

pub use crate::meter::MetricsBy;
pub(crate) use crate::metrics::line::Form;

/// The form of metrics and where they go, or that there are none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Metrics {
    /// One line an invocation and topic, in CloudWatch's embedded metric format.
    Emf(Emf),
    /// Nothing is measured.
    None,
}

impl From<Emf> for Metrics {
    fn from(emf: Emf) -> Self {
        Self::Emf(emf)
    }
}

/// Lines in CloudWatch's embedded metric format: CloudWatch Logs makes metrics of them, and no call leaves the function.
///
/// Each line is written before the response leaves, also when the invocation is an error. The guide lists the metrics.
///
/// # Example
///
/// ```
/// use lambda_msk::Consumer;
/// use lambda_msk::metrics::{Emf, MetricsBy};
///
/// let consumer = Consumer::builder()
///     .topic("orders", async || {})
///     .metrics(Emf::namespace("shop/orders").by(MetricsBy::Topic))
///     .build()?;
/// # Ok::<(), lambda_msk::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to `.metrics(…)`"]
pub struct Emf {
    pub(crate) namespace: Arc<str>,
    /// *None: code does not say.*
    pub(crate) by: Option<MetricsBy>,
    pub(crate) output: Output,
}

impl Emf {
    /// Sets CloudWatch's namespace: 1 to 255 letters, digits, spaces and `.-_/#:`, not beginning with `:` or `AWS/`. [`build`](crate::builder::Builder::build) refuses any other.
    pub fn namespace(namespace: impl Into<Arc<str>>) -> Self {
        Self {
            namespace: namespace.into(),
            by: None,
            output: Output::default(),
        }
    }

    /// Sets what metrics are counted for (`LAMBDA_MSK_METRICS_BY`).
    pub fn by(mut self, by: MetricsBy) -> Self {
        self.by = Some(by);
        self
    }

    /// Sets where the lines go, if not to standard output: to the CloudWatch agent outside Lambda, or to a test. One call of `write_all` has all lines of an invocation; it runs on the
    /// task of the invocation, so it must not block for long.
    pub fn output(mut self, output: impl Write + Send + 'static) -> Self {
        self.output = Output(Some(Arc::new(Mutex::new(output))));
        self
    }
}

/// Where lines go. *None: to standard output.*
#[derive(Clone, Default)]
pub(crate) struct Output(Option<Arc<Mutex<dyn Write + Send>>>);

impl Output {
    fn write(&self, lines: &[u8]) -> io::Result<()> {
        match &self.0 {
            None => write_to_standard_output(lines),
            Some(output) => {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                output.write_all(lines)?;
                output.flush()
            }
        }
    }
}

/// All of it in one write, and nothing of another thread in between.
///
/// Past the buffer of standard output, which holds back the text of a handler that has not ended its line: that stays there, and does not become the begin of ours.
#[cfg(unix)]
fn write_to_standard_output(lines: &[u8]) -> io::Result<()> {
    use std::os::fd::AsFd;

    let standard = io::stdout().lock();
    let mut file = std::fs::File::from(standard.as_fd().try_clone_to_owned()?);
    file.write_all(lines)
}

/// All of it in one write, and nothing of another thread in between.
#[cfg(not(unix))]
fn write_to_standard_output(lines: &[u8]) -> io::Result<()> {
    let mut standard = io::stdout().lock();
    standard.write_all(lines)?;
    standard.flush()
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "standard output",
            Some(_) => "a writer",
        })
    }
}

/// Writes the metrics of a consumer's invocations.
#[derive(Debug)]
pub(crate) struct Emitter {
    pub(crate) form: Form,
    pub(crate) output: Output,
    failed: AtomicBool,
    memory: Memory,
}

impl Emitter {
    pub(crate) fn new(form: Form, output: Output) -> Self {
        Self {
            form,
            output,
            failed: AtomicBool::new(false),
            memory: Memory::default(),
        }
    }

    /// Writes what one invocation came to.
    pub(crate) fn write(&self, meter: &Meter, report: &Report, context: &Context) {
        let mut lines = Vec::new();
        let now = context.clock.now();
        let memory_mb = self.memory.mb(now.as_millisecond());
        for tally in tallies(meter, report, now.as_millisecond(), self.form.by) {
            // Names and numbers: there is no way to fail.
            if write_line(&mut lines, &self.form, &tally, context, (now, memory_mb)).is_ok() {
                lines.push(b'\n');
            }
        }
        if lines.is_empty() {
            return;
        }
        if let Err(error) = self.output.write(&lines)
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "cannot write metrics: this is said once");
        }
    }
}

/// The level that a line of metrics has to bear, so that Lambda does not drop it: that of the function.
pub(crate) fn level_of(function: Option<&str>) -> &'static str {
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let function = function.unwrap_or_default();
    let same = |level: &&str| level.eq_ignore_ascii_case(function);
    levels.into_iter().find(same).unwrap_or("INFO")
}

/// CloudWatch's rules: `PutMetricData` and the embedded metric format's schema.
pub(crate) fn check_namespace(namespace: &str) -> Result<(), &'static str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b" .-_/#:".contains(&byte);
    // Only the begin of a long one is shown.
    if namespace.len() > METRIC_NAMESPACE_BYTES_MAX {
        return Err("expected a CloudWatch namespace of at most 255 characters");
    }
    if namespace.is_empty()
        || !namespace.bytes().all(legal)
        || namespace.trim().is_empty()
        || namespace.starts_with(':')
    {
        return Err(
            "expected a CloudWatch namespace of 1 to 255 letters, digits, spaces and `.-_/#:`, not beginning with `:`",
        );
    }
    match namespace.starts_with("AWS/") {
        true => Err("expected a namespace of your own: those that begin with `AWS/` are AWS's"),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_namespace, level_of};
    use crate::limits::METRIC_NAMESPACE_BYTES_MAX;

    #[test]
    fn a_namespace_is_one_that_cloudwatch_takes() {
        let longest = "n".repeat(255);
        for good in ["lambda-msk", "shop/orders #1: a_b.c", &longest] {
            assert_eq!(check_namespace(good), Ok(()), "{good}");
        }
        let too_long = "n".repeat(256);
        for bad in ["", " ", ":a", "é", "a\n", "AWS/Lambda", "a*", &too_long] {
            assert!(check_namespace(bad).is_err(), "{bad}");
        }
        let said = check_namespace(&too_long).unwrap_err();
        assert!(said.contains(&format!("at most {METRIC_NAMESPACE_BYTES_MAX}")));
    }

    #[test]
    fn the_level_is_the_functions_and_info_where_it_has_none() {
        assert_eq!(level_of(Some("ERROR")), "ERROR");
        assert_eq!(level_of(Some("fatal")), "FATAL");
        assert_eq!(level_of(Some("LOUD")), "INFO");
        assert_eq!(level_of(None), "INFO");
    }
}
