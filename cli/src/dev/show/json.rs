//! What happens, as JSON for scripts: one object a line, each with `event`.

use msk_mapping::driver::{Flight, Notice, PartitionReport, Status};
use msk_mapping::machine::{Because, Offsets};
use msk_mapping::response::Verdict;
use msk_mapping::{Ending, Report};
use serde_json::{Value, json};

use super::end::End;
use super::fates::{Fates, News, Row, Topic};
use super::lines;
use super::summary::ROWS_SHOWN_MAX;
use crate::fault::Fault;
use crate::function::measured::Measured;
use crate::function::payloads::Payloads;
use crate::text::plain;

/// One line, without an escape sequence in any text of it.
pub(crate) fn line(value: &Value) -> String {
    format!("{}\n", plain::json(value.clone()))
}

pub(crate) fn begun(bootstrap: &str, produced: usize) -> Value {
    json!({"event": "begun", "bootstrapServers": bootstrap, "produced": produced})
}

pub(crate) fn remark(text: &str) -> Value {
    json!({"event": "remark", "text": text})
}

/// What the function's log told of a record, or of a topic.
pub(crate) fn news(news: &News) -> Value {
    match news {
        News::Record(row) => {
            let mut value = record(row);
            value["event"] = "record".into();
            value["topic"] = row.place.topic.as_str().into();
            value
        }
        News::Unhandled(topic) => {
            json!({"event": "unhandled", "topic": topic, "reason": lines::no_handler(topic)})
        }
    }
}

/// The keys and values of an event's records.
pub(crate) fn payloads(topic: &str, payloads: &Payloads) -> Value {
    let mut value = payloads.json();
    value["event"] = "payloads".into();
    value["topic"] = topic.into();
    value
}

/// What the function measured. Null: it has written no line of metrics.
fn metrics(measured: &Measured, topic: &str) -> Value {
    let topic = measured.of(topic);
    topic
        .map(|topic| topic.json(topic.records_per_second()))
        .into()
}

fn record(row: &Row) -> Value {
    json!({
        "record": row.place.to_string(),
        "outcome": row.fate.name().replace(' ', "-"),
        "code": row.reason.code,
        "why": row.reason.why,
    })
}

/// The last line: `exitCode` is that of the command.
pub(crate) fn ended(ends: &[Status], fates: &Fates, measured: &Measured, end: &End<'_>) -> Value {
    let mut value = stood(ends, fates, measured);
    value["verdict"] = end.verdict.name().into();
    value["exitCode"] = end.verdict.exit_code().into();
    let nothing = end.nothing.iter();
    value["nothingRead"] = nothing
        .map(|why| json!({"topic": why.topic, "because": why.because, "what": why.what, "help": why.help}))
        .collect();
    value
}

/// The last line of a run that could not go on.
pub(crate) fn broken(ends: &[Status], fates: &Fates, measured: &Measured, fault: &Fault) -> Value {
    let mut value = stood(ends, fates, measured);
    value["verdict"] = fault.verdict().into();
    value["exitCode"] = fault.exit_code().into();
    value["error"] = fault.plain_text().into();
    value
}

fn stood(ends: &[Status], fates: &Fates, measured: &Measured) -> Value {
    let mapping = |at: &Status| {
        let mut value = status(at);
        value["metrics"] = metrics(measured, &at.topic);
        let fates = fates.of(&at.topic);
        value["rejected"] = fates.map_or(0, Topic::rejected).into();
        value["doneOfGivenUp"] = fates.map_or(0, |topic| topic.done_of_given_up).into();
        value
    };
    let rows = fates.rows();
    json!({
        "event": "end",
        "mappings": ends.iter().map(mapping).collect::<Vec<_>>(),
        "records": rows.iter().take(ROWS_SHOWN_MAX).map(record).collect::<Vec<_>>(),
        "recordsMore": rows.len().saturating_sub(ROWS_SHOWN_MAX),
        "unhandled": fates.unhandled().collect::<Vec<_>>(),
    })
}

/// None: there is nothing in it for a script. Each names the topic: every mapping counts its invocations from 0.
pub(crate) fn notice(
    topic: &str,
    notice: &Notice,
    fates: &Fates,
    measured: &Measured,
) -> Option<Value> {
    let mut value = happened(notice)?;
    if matches!(notice, Notice::Status(_)) {
        value["metrics"] = metrics(measured, topic);
    }
    if let (Notice::Answered { verdict, .. }, Some(topic)) = (notice, fates.of(topic))
        && topic.rejected_last > 0
    {
        value["rejected"] = topic.rejected_last.into();
        if *verdict == Verdict::AllDone {
            value["verdict"] = "some-rejected".into();
        }
    }
    let done = match notice {
        Notice::Delivered { records, .. } => Some(records),
        Notice::Dropped(dropped) => Some(&dropped.records),
        _ => None,
    };
    if let Some(records) = done {
        value["done"] = fates
            .of(topic)
            .and_then(|topic| topic.done_of(records))
            .into();
    }
    value["topic"] = topic.into();
    Some(value)
}

fn happened(notice: &Notice) -> Option<Value> {
    Some(match notice {
        Notice::Assigned {
            poller,
            partition,
            committed,
        } => {
            json!({"event": "assigned", "poller": poller.0, "partition": partition.to_string(), "committed": committed})
        }
        Notice::Revoked { poller, partition } => {
            json!({"event": "revoked", "poller": poller.0, "partition": partition.to_string()})
        }
        Notice::Invoking(flight) => invoking(flight),
        Notice::Ended { flight, report } => ended_invocation(flight, report),
        Notice::NotStarted { flight, reason } => {
            json!({"event": "not-started", "invocation": flight.id.number(), "reason": reason})
        }
        Notice::Answered { flight, verdict } => answered(flight, verdict),
        Notice::Committed {
            partition,
            position,
        } => {
            json!({"event": "committed", "partition": partition.to_string(), "position": position})
        }
        Notice::Invalid {
            partition,
            offset,
            condition,
            reason,
        } => {
            json!({"event": "invalid", "record": format!("{partition}@{offset}"), "condition": condition.as_str(), "reason": reason})
        }
        Notice::Delivered {
            condition,
            invoke_count,
            records,
        } => {
            json!({"event": "delivered", "condition": condition.as_str(), "approximateInvokeCount": invoke_count, "records": offsets(records)})
        }
        Notice::Undelivered {
            condition,
            invoke_count,
            records,
            reason,
        } => {
            json!({"event": "undelivered", "condition": condition.as_str(), "approximateInvokeCount": invoke_count, "records": offsets(records), "reason": reason})
        }
        Notice::Dropped(dropped) => json!({
            "event": "dropped",
            "condition": dropped.condition.as_str(),
            "because": match dropped.because {
                Because::NoDestination => "no-destination",
                _ => "delivery-failed",
            },
            "records": offsets(&dropped.records),
        }),
        Notice::Trouble { reason } => json!({"event": "trouble", "reason": reason}),
        Notice::Status(at) => {
            let mut value = status(at);
            value["event"] = "status".into();
            value
        }
        _ => return None,
    })
}

fn invoking(flight: &Flight) -> Value {
    json!({
        "event": "invoking",
        "invocation": flight.id.number(),
        "poller": flight.poller.0,
        "attempt": flight.attempt,
        "bytes": flight.bytes,
        "records": offsets(&flight.partitions),
    })
}

fn ended_invocation(flight: &Flight, report: &Report) -> Value {
    let message = match &report.ending {
        Ending::FunctionError(error) | Ending::InitError(error) => Some(error.message.clone()),
        Ending::Crashed(crash) => Some(crash.to_string()),
        _ => None,
    };
    json!({
        "event": "ended",
        "invocation": flight.id.number(),
        "requestId": report.request_id,
        "ending": match &report.ending {
            Ending::Response(_) => "response",
            Ending::FunctionError(_) => "function-error",
            Ending::InitError(_) => "init-error",
            Ending::Crashed(_) => "crashed",
            Ending::TimedOut { .. } => "timed-out",
            _ => "unknown",
        },
        "errorType": report.ending.error_type(),
        "errorMessage": message,
        "durationMs": ms(report.duration),
        "initMs": report.init.map(ms),
    })
}

fn answered(flight: &Flight, verdict: &Verdict) -> Value {
    let (name, reason) = match verdict {
        Verdict::AllDone => ("all-done", None),
        Verdict::SomeAgain => ("some-again", None),
        Verdict::WholeBatchAgain(fault) => ("whole-batch-again", Some(fault.to_string())),
        Verdict::FailuresIgnored { listed } => {
            ("failures-ignored", Some(format!("{listed} were listed")))
        }
        Verdict::FailuresMisplaced { field, listed } => (
            "failures-misplaced",
            Some(format!("{listed} were listed under {field}")),
        ),
        _ => ("unknown", None),
    };
    json!({"event": "answered", "invocation": flight.id.number(), "verdict": name, "reason": reason})
}

fn offsets(records: &[Offsets]) -> Value {
    let pairs = records
        .iter()
        .map(|part| (part.partition.to_string(), json!(part.offsets)));
    Value::Object(pairs.collect())
}

fn status(status: &Status) -> Value {
    let metrics = &status.metrics;
    json!({
        "topic": status.topic,
        "partitions": status.partitions.iter().map(stands).collect::<Vec<_>>(),
        "lag": status.lag(),
        "caughtUp": status.caught_up,
        "topicPartitions": status.topic_partitions,
        "elsewhere": status.elsewhere.values().sum::<i64>(),
        "inFlight": status.in_flight,
        "environments": status.environments,
        "polled": metrics.polled,
        "filteredOut": metrics.filtered_out,
        "invalid": metrics.invalid,
        "invoked": metrics.invoked,
        "failedInvoke": metrics.failed_invoke,
        "committed": metrics.committed,
        "delivered": metrics.delivered,
        "dropped": metrics.dropped,
        "overlooked": status.overlooked,
        "invocations": metrics.invocations,
        "failedInvocations": metrics.failed_invocations,
    })
}

fn stands(report: &PartitionReport) -> Value {
    json!({
        "partition": report.partition.to_string(),
        "poller": report.poller.0,
        "committed": report.committed,
        "lag": report.lag,
        "waiting": report.waiting,
        "inFlight": report.in_flight,
        "retrying": report.retrying,
        "delivering": report.delivering,
    })
}

/// Milliseconds to three digits: the precision of a local measurement.
fn ms(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
