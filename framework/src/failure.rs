//! Failures: why a record was not done, and whether it is retried or rejected. Returned by handlers and extractors, read by `process`.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::caught::{caught, discard};
use crate::limits::ERROR_TEXT_BYTES_MAX;
use crate::record::RecordFault;

/// Any error that can cross threads.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A handler's failure, which decides what happens next: [`retry`](Self::retry) or [`reject`](Self::reject).
///
/// Any other error becomes a retry through `?`. Like `anyhow::Error`, this type does not implement [`std::error::Error`], so that `?` converts from every type that does;
/// [`into_error`](Self::into_error) converts it for helpers that return `anyhow::Result` or an enum of their own, and for anyhow's
/// `.context(…)`: `.map_err(Failure::into_error).context("shipping")`.
///
/// The error's text is written to the log and into dead letters, cut to
/// [`ERROR_TEXT_BYTES_MAX`] bytes. Keep payload out of it.
///
/// # Example
///
/// ```
/// use lambda_msk::Failure;
///
/// async fn ship(currency: &str) -> Result<(), Failure> {
///     let amount: u64 = "700".parse()?; // any error: retry
///     if currency.is_empty() {
///         return Err(Failure::reject("no currency").code("order.no_currency"));
///     }
/// #   let _ = amount;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
// rustc shows the next line where an error is asked for.
#[rustfmt::skip]
pub struct Failure { // No std::error::Error: `.map_err(Failure::into_error)` makes one, also for `.context(…)`.
    next: Next,
    source: BoxError,
    code: Option<&'static str>,
    after: Option<Duration>,
    whole: bool,
}

/// The next step for a record that was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Retried in this invocation while attempts and time are left, then redelivered by Lambda's mapping.
    Retry,
    /// Sent to the destination, never retried.
    Reject,
}

impl Failure {
    /// Creates a failure that may pass: the record is retried. Takes a message or an error: `Failure::retry("inventory is down")`, `.map_err(Failure::retry)?`.
    pub fn retry(why: impl Into<BoxError>) -> Self {
        Self::new(Next::Retry, why.into())
    }

    /// Creates a failure that no retry can help: the record goes to the destination. Without a destination, or if it does not confirm, the record is Failed and redelivered.
    pub fn reject(why: impl Into<BoxError>) -> Self {
        Self::new(Next::Reject, why.into())
    }

    fn new(next: Next, source: BoxError) -> Self {
        Self {
            next,
            source,
            code: None,
            after: None,
            whole: false,
        }
    }

    /// Sets the code for the dead letter and the log, such as `order.unknown_currency`, for alarms and readers of dead letters to match on.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Sets the minimum wait before the next attempt (an HTTP `Retry-After`). If less time is left, the record is Failed at once. No effect on a reject.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = Some(wait);
        self
    }

    /// Says that no record of the chunk is at fault: the database is down. The chunk is tried again whole, and never halved to find a culprit. Of use in a
    /// [batch handler](crate::batches) alone; no effect on a reject.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The next step: retry or reject.
    pub fn next(&self) -> Next {
        self.next
    }

    /// The error from which the failure was created.
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.source
    }

    /// The wait set by [`after`](Self::after). *None: back-off chooses.*
    pub fn wait(&self) -> Option<Duration> {
        self.after
    }

    /// Whether [`whole`](Self::whole) was set.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The code set by [`code`](Self::code). *None: none was set.*
    pub fn given_code(&self) -> Option<&'static str> {
        self.code
    }

    /// Converts the failure into an error, for helpers that return `anyhow::Result`, [`BoxError`] or a `thiserror` enum.
    ///
    /// The framework finds it anywhere in the [`source`](StdError::source) chain, so its next step, code and wait survive `?`,
    /// `.context(…)`, `#[from]` and `#[error(transparent)]`.
    pub fn into_error(self) -> FailureError {
        FailureError(Verdict(self))
    }

    /// What is kept of it. The error itself is the user's, also in its `Display` and its `drop`: it goes no further.
    pub(crate) fn reason(self) -> Reason {
        Reason {
            next: self.next,
            code: self.code,
            after: self.after,
            whole: self.whole,
            text: told(self.source),
        }
    }
}

/// What is kept of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) next: Next,
    /// *None: none was given.*
    pub(crate) code: Option<&'static str>,
    /// *None: back-off chooses.*
    pub(crate) after: Option<Duration>,
    /// No record of the chunk is at fault.
    pub(crate) whole: bool,
    /// The texts of the error and its causes, cut to the named length.
    pub(crate) text: String,
}

impl Reason {
    /// One of the framework's own, which may pass.
    pub(crate) fn retry(code: &'static str, text: String) -> Self {
        Self {
            next: Next::Retry,
            code: Some(code),
            after: None,
            whole: false,
            text,
        }
    }
}

impl<E: Into<BoxError>> From<E> for Failure {
    fn from(error: E) -> Self {
        let source: BoxError = error.into();
        let first: &(dyn StdError + 'static) = &*source;
        let verdict = std::iter::successors(Some(first), |error| StdError::source(*error))
            .find_map(|error| error.downcast_ref::<Verdict>());
        let plain = (Next::Retry, None, None, false);
        let (next, code, after, whole) = verdict.map_or(plain, |Verdict(failure)| {
            (failure.next, failure.code, failure.after, failure.whole)
        });
        Self {
            next,
            source,
            code,
            after,
            whole,
        }
    }
}

/// A [`Failure`] as an error: see [`Failure::into_error`].
#[derive(Debug)]
pub struct FailureError(Verdict);

/// Its own step of the chain, so that `#[error(transparent)]`, which skips the outer one, still leads here.
#[derive(Debug)]
struct Verdict(Failure);

impl fmt::Display for FailureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.0.next {
            Next::Retry => "to be retried",
            Next::Reject => "rejected",
        })
    }
}

impl StdError for FailureError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source.fmt(f)
    }
}

impl StdError for Verdict {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.source()
    }
}

/// The reason why an extractor cannot read a record: the record goes to the destination, and its handler does not run.
///
/// A reason that may pass is created with [`retry`](Self::retry): its record is Failed and redelivered, in place of being sent to the destination.
///
/// The message is written to the log and into the dead letter. Keep payload out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// The code, such as `tenant.missing`, for alarms and readers of dead letters to match on.
    pub code: &'static str,
    /// The reason in words.
    pub message: String,
    /// What happens to the record: [`Next::Reject`], or [`Next::Retry`] for a reason that may pass.
    pub next: Next,
}

impl Rejection {
    /// A topic has no handler and there is no fallback.
    pub(crate) const NO_HANDLER: &'static str = "reject.no_handler";
    /// A handler rejected without a code of its own.
    pub(crate) const BY_HANDLER: &'static str = "reject.handler";
    /// The attempts were used up, and the consumer was told to reject then.
    pub(crate) const EXHAUSTED: &'static str = "reject.attempts_exhausted";

    /// A record without the key by which it is known.
    pub(crate) const IDEMPOTENCY_KEY: &'static str = "reject.idempotency_key";
    /// A record whose key came before with another payload.
    pub(crate) const PAYLOAD_MISMATCH: &'static str = "reject.payload_mismatch";
    /// A record that was started once, and must not be started again.
    pub(crate) const AT_MOST_ONCE: &'static str = "reject.at_most_once";

    /// Of a record whose key came before with another payload.
    pub(crate) fn mismatch() -> Self {
        let message =
            "a record with the same idempotency key was delivered before with another payload";
        Self::new(Self::PAYLOAD_MISMATCH, message)
    }

    /// Creates a rejection with that code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            next: Next::Reject,
        }
    }

    /// Creates a reason that may pass, such as a schema registry that is down: the record is Failed at once and redelivered, and its lane stops. It is not tried again in this
    /// invocation, and it does not go to the destination, whatever [`WhenExhausted`](crate::WhenExhausted) says.
    pub fn retry(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            next: Next::Retry,
            ..Self::new(code, message)
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Rejection {}

impl From<Infallible> for Rejection {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<&RecordFault> for Rejection {
    fn from(fault: &RecordFault) -> Self {
        Self::new(fault.code, fault.to_string())
    }
}

/// The texts of an error and its causes, `a: b: c`, cut to the named length.
///
/// A cause whose text the level above already ends with (as with `#[error("…: {0}")]`) is not said twice.
///
/// `Display` of a user's error is the user's code: its panic costs the text, not the batch.
pub(crate) fn error_text(error: &(dyn StdError + 'static)) -> String {
    let text = caught(|| with_causes(error));
    cut(text.unwrap_or_else(|_| "(its `Display` panicked)".to_owned()))
}

/// [`error_text`] of an error that is dropped then: its `drop` may panic as well.
pub(crate) fn told(error: BoxError) -> String {
    let text = error_text(&*error);
    discard(error);
    text
}

fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if text.len() > ERROR_TEXT_BYTES_MAX {
            break;
        }
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// Cuts a text to the named length, at a character's border, and says how much is gone.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() <= ERROR_TEXT_BYTES_MAX {
        return text;
    }
    let whole = text.len();
    let end = text.floor_char_boundary(ERROR_TEXT_BYTES_MAX);
    text.truncate(end);
    text.push_str(&format!("… ({} bytes cut)", whole - end));
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failure, Next, Reason, cut, error_text};
    use crate::limits::ERROR_TEXT_BYTES_MAX;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Level {
        text: &'static str,
        source: Option<Box<Level>>,
    }

    /// An error of these texts, the outermost first.
    fn chain(texts: &[&'static str]) -> Level {
        let (text, causes) = texts.split_first().unwrap();
        let source = (!causes.is_empty()).then(|| Box::new(chain(causes)));
        Level { text, source }
    }

    #[test]
    fn an_errors_text_is_that_of_all_its_causes() {
        let text = error_text(&chain(&["shipping", "inventory", "connection refused"]));

        assert_eq!(text, "shipping: inventory: connection refused");
    }

    #[test]
    fn a_cause_that_the_level_above_has_said_is_not_said_twice() {
        let text = error_text(&chain(&["shipping: refused", "refused"]));

        assert_eq!(text, "shipping: refused");
    }

    #[test]
    fn a_text_of_the_greatest_length_is_whole_and_a_longer_one_is_cut_at_a_character() {
        let whole = "x".repeat(ERROR_TEXT_BYTES_MAX);
        // Each has two bytes, and the limit lies in the midst of one.
        let longer = format!("x{}", "é".repeat(ERROR_TEXT_BYTES_MAX / 2));

        assert_eq!(cut(whole.clone()), whole);
        let kept = format!("x{}", "é".repeat(ERROR_TEXT_BYTES_MAX / 2 - 1));
        assert_eq!(cut(longer), format!("{kept}… (2 bytes cut)"));
    }

    #[test]
    fn what_a_failure_says_is_found_again_in_the_error_made_of_it() {
        let wait = Duration::from_secs(7);
        let error = Failure::retry("busy")
            .code("order.busy")
            .after(wait)
            .whole()
            .into_error();

        let failure = Failure::from(anyhow::Error::from(error).context("shipping"));

        assert_eq!(failure.next(), Next::Retry);
        assert_eq!(failure.given_code(), Some("order.busy"));
        assert_eq!(failure.wait(), Some(wait));
        assert!(failure.is_whole());
        assert_eq!(failure.reason().text, "shipping: to be retried: busy");
    }

    #[test]
    fn an_error_that_panics_as_it_is_shown_and_as_it_is_dropped_costs_its_text() {
        #[derive(Debug)]
        struct Broken;
        impl std::fmt::Display for Broken {
            fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::panic::resume_unwind(Box::new("shown"))
            }
        }
        impl std::error::Error for Broken {}
        impl Drop for Broken {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("dropped"))
            }
        }

        let reason = Failure::retry(Broken).code("order.broken").reason();

        let kept = Reason {
            next: Next::Retry,
            code: Some("order.broken"),
            after: None,
            whole: false,
            text: "(its `Display` panicked)".to_owned(),
        };
        assert_eq!(reason, kept);
    }

    #[test]
    fn a_failure_says_what_it_was_made_of() {
        let failure = Failure::reject(chain(&["shipping", "refused"]));

        assert_eq!(failure.next(), Next::Reject);
        assert_eq!(failure.error().to_string(), "shipping");
        assert_eq!((failure.given_code(), failure.wait()), (None, None));
        assert_eq!(failure.reason().text, "shipping: refused");
    }
}
