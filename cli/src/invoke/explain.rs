//! Each failure in words, with its cure.

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
                "the event has no records: the function had nothing to do",
                "Lambda's mapping never sends such an event: there are samples in events/, and\n\
                 `cargo msk event --topic orders` makes one",
            ),
            (Some(read), _) => verdict(read.verdict())?,
            (None, reason) => Problem::new(
                format!(
                    "the function answered, but the event is {}",
                    reason.unwrap_or("not Kafka's")
                ),
                "a Kafka function should return an error for this event: Lambda's mapping never sends it",
            ),
        },
        Ending::FunctionError(error) if error.error_type == "Function.ResponseSizeTooLarge" => {
            Problem::new(
                "the function's response is longer than Lambda accepts",
                "return only the failures",
            )
            .in_the_words_of(error)
        }
        Ending::FunctionError(error) => refused(error, not_an_event),
        Ending::InitError(error) => Problem::new(
            "the function could not start: it reported an error during its init",
            "fix what the error names, and try again; --env NAME=VALUE sets a variable of the function",
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
    let again = "the function returned an error: Lambda redelivers the whole batch";
    let problem = match not_an_event {
        Some(reason) => Problem::new(
            format!("the function refused the event, which is {reason}"),
            "this is correct: Lambda's mapping for Kafka never sends such an event;\n\
             there are samples in events/, and `cargo msk event --topic orders` makes one",
        ),
        None if error.error_type == "batch.incomplete" => {
            Problem::new(again, cure_of_incomplete(&error.message))
        }
        None => Problem::new(
            again,
            "after an error no record counts as done; to have only the failed records redelivered,\n\
             return {\"batchItemFailures\":[…]} and set ReportBatchItemFailures in the mapping",
        ),
    };
    problem.in_the_words_of(error)
}

/// What to do about the first record that lambda-msk names: `… the first is orders-0@15 (reject.json, and no destination is set): …`.
fn cure_of_incomplete(message: &str) -> &'static str {
    if message.contains("(reject.no_handler, and no destination is set)") {
        "add a handler for its topic (`.topic(…)`, or `.fallback(…)` for all others), or set a destination:\n\
         --env LAMBDA_MSK_ON_FAILURE=file:dead-letters.ndjson"
    } else if message.contains("(handler.missing)") {
        "add a handler for its topic (`.topic(…)`, or `.fallback(…)` for all others), or deliver an event of another topic;\n\
         --env LAMBDA_MSK_WHEN_UNHANDLED=reject (and `.from_env()` in the function) rejects such records"
    } else if message.contains(", and no destination is set)") {
        "the function's own output says why it was rejected; without a destination a rejected record blocks\n\
         its partition: --env LAMBDA_MSK_ON_FAILURE=file:dead-letters.ndjson (and `.from_env()` in the function)"
    } else if message.contains(", and the destination ") {
        "the function's own output says why it was rejected, and why the destination does not have it:\n\
         without a working destination, a rejected record blocks its partition"
    } else {
        "the function's own output gives each record's reason; to have only these records redelivered, set\n\
         --env LAMBDA_MSK_FAILURE_REPORTING=partial (and ReportBatchItemFailures in the mapping)"
    }
}

fn verdict(verdict: &Verdict) -> Option<Problem> {
    let problem = match verdict {
        Verdict::AllDone | Verdict::SomeAgain => return None,
        Verdict::FailuresIgnored { listed } => Problem::new(
            format!(
                "the function listed {listed} failure{}, but the mapping ignores the response's body: Lambda commits \
                 the whole batch, and these records are lost",
                if *listed == 1 { "" } else { "s" }
            ),
            "set FunctionResponseTypes: [ReportBatchItemFailures] in the mapping, and leave\n\
             --function-response-types '[]' out here; or have the function return an error\n\
             (lambda-msk: LAMBDA_MSK_FAILURE_REPORTING=whole-batch)",
        ),
        Verdict::FailuresMisplaced { field, listed } => Problem::new(
            format!(
                "the function listed {listed} failure{} under {field}, where Lambda does not look: Lambda commits \
                 the whole batch, and these records are lost",
                if *listed == 1 { "" } else { "s" }
            ),
            "return {\"batchItemFailures\":[…]} with exactly this name at the top level: no statusCode, no body,\n\
             and no JSON inside a string",
        ),
        Verdict::WholeBatchAgain(fault) => {
            let help = match fault {
                ResponseFault::NotJson { .. } => {
                    "return JSON: {\"batchItemFailures\":[]} if all records are done"
                }
                ResponseFault::UnknownPartition { .. } => {
                    "itemIdentifier.partition is a key of the event's `records` map, such as `orders-0`"
                }
                ResponseFault::UnknownOffset { .. } => "list only offsets of this event",
                _ => {
                    "return {\"batchItemFailures\":[{\"itemIdentifier\":{\"partition\":\"orders-0\",\"offset\":15}}]}"
                }
            };
            Problem::new(format!("{fault}: Lambda redelivers the whole batch"), help)
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
        (_, Exit::Signal(9)) => {
            "SIGKILL from outside usually means that the system ran out of memory"
        }
        (_, Exit::Signal(6)) => {
            "SIGABRT usually means a panic with panic = \"abort\": set panic = \"unwind\" in the profile"
        }
        (Phase::Init, _) => {
            "it ended before it asked for an event: see its output above, and check that it speaks\n\
             the Lambda Runtime API (AWS_LAMBDA_RUNTIME_API)"
        }
        (_, Exit::Code(0)) => "a function must not return: it asks for the next event",
        _ => "see its output above; a function must not end by itself",
    };
    Problem::new(format!("{}: {crash}", Crash::ERROR_TYPE), help)
}

fn timed_out(during: Phase, after_ms: u128) -> Problem {
    match during {
        Phase::Init => Problem::new(
            format!("the function did not ask for an event within {after_ms} ms and was killed"),
            "Lambda allows an init no more time: do less before the first event,\n\
             and check that the command speaks the Lambda Runtime API",
        ),
        Phase::Idle => Problem::new(
            format!("the function did not take the event within {after_ms} ms and was killed"),
            "it answered the previous event and never asked for the next one: find what blocks it",
        ),
        _ => Problem::new(
            format!(
                "the function did not answer within {after_ms} ms and was killed: Lambda redelivers the whole batch"
            ),
            "lambda-msk answers in time unless a handler blocks the thread: move blocking calls and long computations into\n\
             tokio::task::spawn_blocking; otherwise raise --timeout (and the function's on Lambda), or use smaller batches",
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
