//! What went wrong, in words, and what to do about it.

use msk_mapping::response::{NotAnEvent, Read, ResponseFault, Verdict};
use msk_mapping::{Crash, Ending, Exit, FunctionError, Phase, Report};

/// The most lines of a function's stack that are shown.
const STACK_LINES_MAX: usize = 20;
/// The most characters of a function's message that are shown.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// One delivery's trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What happened.
    pub(crate) what: String,
    /// The function's own words, if it had any.
    pub(crate) at: Vec<String>,
    /// What to do.
    pub(crate) help: String,
}

impl Problem {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            at: Vec::new(),
            help: help.into(),
        }
    }

    fn in_the_words_of(mut self, error: &FunctionError) -> Self {
        let message: String = error.message.chars().take(MESSAGE_CHARS_MAX).collect();
        self.at.push(format!("{}: {message}", error.error_type));
        self.at
            .extend(error.stack.iter().take(STACK_LINES_MAX).cloned());
        self
    }
}

/// None: everything was done.
pub(crate) fn problem(
    report: &Report,
    read: Option<&Read>,
    not_an_event: Option<&str>,
) -> Option<Problem> {
    let problem = match &report.ending {
        Ending::Response(_) => match (read, not_an_event) {
            (Some(read), _) if read.all_done() && is_empty(read) => Problem::new(
                "the event holds no record: the function had nothing to do",
                "Lambda's mapping never sends such an event: there are samples in events/, and\n\
                 `cargo msk event --topic orders` makes one",
            ),
            (Some(read), _) => verdict(read.verdict())?,
            (None, reason) => Problem::new(
                format!(
                    "the function answered, but the event is {}",
                    reason.unwrap_or("not Kafka's")
                ),
                "a Kafka function should answer such an event with an error: Lambda's mapping never sends it",
            ),
        },
        Ending::FunctionError(error) if error.error_type == "Function.ResponseSizeTooLarge" => {
            Problem::new(
                "the function's response is longer than Lambda takes",
                "answer with the failures alone",
            )
            .in_the_words_of(error)
        }
        Ending::FunctionError(error) => refused(error, not_an_event),
        Ending::InitError(error) => Problem::new(
            "the function could not start: it reported an error during its init",
            "mend what it names, and try again; --env NAME=VALUE sets a variable for it",
        )
        .in_the_words_of(error),
        Ending::Crashed(crash) => crashed(crash),
        Ending::TimedOut { during, after } => timed_out(*during, after.as_millis()),
        _ => Problem::new("the function did not answer", "see its output above"),
    };
    Some(problem)
}

/// The function's error for one event. Only lambda-msk's own code for it tells that partial reporting would help.
fn refused(error: &FunctionError, not_an_event: Option<&str>) -> Problem {
    let again = "the function answered with an error: Lambda sends the whole batch again";
    let problem = match not_an_event {
        Some(reason) => Problem::new(
            format!("the function refused the event, which is {reason}"),
            "that is as it should be: Lambda's mapping for Kafka never sends such an event;\n\
             there are samples in events/, and `cargo msk event --topic orders` makes one",
        ),
        None if error.error_type == "batch.incomplete" => {
            Problem::new(again, cure_of_incomplete(&error.message))
        }
        None => Problem::new(
            again,
            "an error means that no record counts as done; to have only the failed records again,\n\
             answer {\"batchItemFailures\":[…]} and set ReportBatchItemFailures in the mapping",
        ),
    };
    problem.in_the_words_of(error)
}

/// What to do about the first record that lambda-msk names: `… the first is orders-0@15 (reject.json, and no destination is set): …`.
fn cure_of_incomplete(message: &str) -> &'static str {
    if message.contains("(reject.no_handler, and no destination is set)") {
        "give its topic a handler (`.topic(…)`, or `.fallback(…)` for all others); or give such records a destination:\n\
         --env LAMBDA_MSK_ON_FAILURE=file:dead-letters.ndjson"
    } else if message.contains("(handler.missing)") {
        "give its topic a handler (`.topic(…)`, or `.fallback(…)` for all others), or the event a topic that has one;\n\
         --env LAMBDA_MSK_WHEN_UNHANDLED=reject (and `.from_env()` in the function) rejects such records"
    } else if message.contains(", and no destination is set)") {
        "why it was rejected stands in the function's own output; without a destination a rejected record holds up\n\
         its partition: --env LAMBDA_MSK_ON_FAILURE=file:dead-letters.ndjson (and `.from_env()` in the function)"
    } else if message.contains(", and the destination ") {
        "why it was rejected, and why the destination does not have it, stands in the function's own output:\n\
         without a destination that works, a rejected record holds up its partition"
    } else {
        "each record's reason stands in the function's own output; to have only those again,\n\
         --env LAMBDA_MSK_FAILURE_REPORTING=partial (and ReportBatchItemFailures in the mapping)"
    }
}

fn verdict(verdict: &Verdict) -> Option<Problem> {
    let problem = match verdict {
        Verdict::AllDone | Verdict::SomeAgain => return None,
        Verdict::FailuresIgnored { listed } => Problem::new(
            format!(
                "the function listed {listed} failure{}, but the mapping ignores the response's body: Lambda commits \
                 everything and those records are lost in silence",
                if *listed == 1 { "" } else { "s" }
            ),
            "set FunctionResponseTypes: [ReportBatchItemFailures] in the mapping, and leave\n\
             --function-response-types '[]' out here; or let the function answer with an error\n\
             (lambda-msk: LAMBDA_MSK_FAILURE_REPORTING=whole-batch)",
        ),
        Verdict::FailuresMisplaced { field, listed } => Problem::new(
            format!(
                "the function listed {listed} failure{} under {field}, where Lambda does not look: Lambda commits \
                 everything and those records are lost in silence",
                if *listed == 1 { "" } else { "s" }
            ),
            "answer {\"batchItemFailures\":[…]} with that very name at the top of the answer: no statusCode, no body,\n\
             and no text that holds JSON",
        ),
        Verdict::WholeBatchAgain(fault) => {
            let help = match fault {
                ResponseFault::NotJson { .. } => {
                    "answer with JSON: {\"batchItemFailures\":[]} if all is done"
                }
                ResponseFault::UnknownPartition { .. } => {
                    "itemIdentifier.partition is the key of the event's `records` map, as `orders-0`"
                }
                ResponseFault::UnknownOffset { .. } => "list only offsets of this very event",
                _ => {
                    "answer {\"batchItemFailures\":[{\"itemIdentifier\":{\"partition\":\"orders-0\",\"offset\":15}}]}"
                }
            };
            Problem::new(format!("{fault}: Lambda sends the whole batch again"), help)
        }
        _ => Problem::new(
            "the response could not be read",
            "see the function's output above",
        ),
    };
    Some(problem)
}

fn crashed(crash: &Crash) -> Problem {
    let help = match (crash.during, crash.exit) {
        (_, Exit::Signal(9)) => "SIGKILL from outside is mostly the system out of memory",
        (_, Exit::Signal(6)) => {
            "SIGABRT is mostly a panic with panic = \"abort\": keep unwinding in the profile"
        }
        (Phase::Init, _) => {
            "it ended before it asked for an event: its output stands above;\n\
             does it speak the Lambda Runtime API (AWS_LAMBDA_RUNTIME_API)?"
        }
        (_, Exit::Code(0)) => "a function never returns: it asks for the next event",
        _ => "its output stands above; a function never ends by itself",
    };
    Problem::new(format!("{}: {crash}", Crash::ERROR_TYPE), help)
}

fn timed_out(during: Phase, after_ms: u128) -> Problem {
    match during {
        Phase::Init => Problem::new(
            format!("the function did not ask for an event within {after_ms} ms and was killed"),
            "Lambda allows an init so much: do less before the first event;\n\
             does the command speak the Lambda Runtime API?",
        ),
        Phase::Idle => Problem::new(
            format!("the function did not take the event within {after_ms} ms and was killed"),
            "it answered the event before but never asked for the next: what blocks it?",
        ),
        _ => Problem::new(
            format!(
                "the function did not answer within {after_ms} ms and was killed: Lambda sends the whole batch again"
            ),
            "lambda-msk answers in time unless a handler holds the thread: move what blocks or computes for long into\n\
             tokio::task::spawn_blocking; else raise --timeout (and the function's on Lambda), or make the batch smaller",
        ),
    }
}

/// Whether there was no record to do.
pub(super) fn is_empty(read: &Read) -> bool {
    let mut partitions = read.partitions().iter();
    partitions.all(|partition| partition.offsets().is_empty())
}

/// Why it is no event of Kafka.
pub(super) fn not_kafka(not_an_event: &NotAnEvent) -> String {
    match std::error::Error::source(not_an_event) {
        Some(cause) => format!("{not_an_event}: {cause}"),
        None => not_an_event.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::cure_of_incomplete;

    fn cure(first: &str) -> &'static str {
        cure_of_incomplete(&format!(
            "1 failed and 0 unreached of 1 records; the first is orders-0@15 ({first}): Lambda redelivers the whole batch"
        ))
    }

    #[test]
    fn the_cure_fits_the_first_cause() {
        let destination = "LAMBDA_MSK_ON_FAILURE=file:";
        let partial = "LAMBDA_MSK_FAILURE_REPORTING=partial";
        let no_header = cure("reject.no_header, and no destination is set");
        let no_handler = cure("reject.no_handler, and no destination is set");
        let refused = cure("reject.json, and the destination did not confirm it");
        let late = cure("reject.json, and the destination did not confirm it in time");
        let failed = cure("handler.failed");
        let missing = cure("handler.missing");

        assert!(no_header.contains(destination) && !no_header.contains(partial));
        assert!(no_handler.contains(".topic(…)") && no_handler.contains(destination));
        assert!(missing.contains(".topic(…)") && !missing.contains(partial));
        assert!(refused.contains("why the destination does not have it"));
        assert_eq!(late, refused);
        assert!(failed.contains(partial) && !failed.contains(destination));
    }
}
