//! A run as one JSON document, for scripts.

use std::time::Duration;

use msk_mapping::response::{Again, Event, NotAnEvent, Partition, Read, Verdict};
use msk_mapping::{Ending, FunctionError};
use serde_json::{Value, json};

use super::delivery::Delivery;
use super::explain;
use super::heard::Heard;
use crate::flags::response_types::ResponseTypes;
use crate::function::dead_letters::DeadLetters;
use crate::function::said::{Place, Reason};
use crate::text::plain;
use crate::verdict::Verdict as CameTo;

/// So many records that were not done are named; the others are counted.
const ROWS_MAX: usize = 1_000;

/// All that a run says beside its deliveries.
pub(crate) struct RunDocument<'a> {
    pub(crate) function: &'a str,
    /// The length of each, and what it is.
    pub(crate) events: &'a [(usize, Result<Event, NotAnEvent>)],
    pub(crate) response_types: ResponseTypes,
    /// The records of each event. None: nobody asked to see them.
    pub(crate) payloads: Option<&'a [Value]>,
    pub(crate) deliveries: &'a [Value],
    /// None: the function's destination is no file.
    pub(crate) dead_letters: Option<&'a DeadLetters>,
    pub(crate) heard: &'a Heard,
    pub(crate) verdict: CameTo,
}

impl RunDocument<'_> {
    pub(crate) fn document(&self) -> String {
        let event = |(bytes, event): &(usize, Result<Event, NotAnEvent>)| {
            json!({
                "bytes": bytes,
                "records": event.as_ref().ok().map(Event::records),
                "notKafka": event.as_ref().err().map(explain::not_kafka),
            })
        };
        let mut rows = self.heard.rows();
        let more = rows.len().saturating_sub(ROWS_MAX);
        rows.truncate(ROWS_MAX);
        let record = |(place, became, reason): &(&Place, &str, &Reason)| json!({"record": place.to_string(), "outcome": became, "code": reason.code, "why": reason.why});
        let mut document = json!({
            "function": self.function,
            "event": self.events.first().map(event),
            "events": self.events.len(),
            "functionResponseTypes": self.response_types.list(),
            "deliveries": self.deliveries,
            "deadLetters": self.dead_letters.map(|letters| {
                json!({"file": letters.path, "added": letters.count})
            }),
            "rejected": self.heard.rejected(),
            "unhandled": self.heard.unhandled,
            "records": rows.iter().map(record).collect::<Vec<_>>(),
            "recordsMore": more,
            "allDone": self.verdict == CameTo::AllDone,
            "verdict": self.verdict.name(),
            "exitCode": self.verdict.exit_code(),
        });
        if let Some(payloads) = self.payloads {
            document["payloads"] = payloads.into();
        }
        format!("{:#}\n", plain::json(document))
    }
}

pub(crate) fn delivery(delivery: &Delivery) -> Value {
    let report = &delivery.report;
    let problem = delivery
        .problem
        .as_ref()
        .map(|problem| json!({"what": problem.what, "help": problem.help}));
    json!({
        "delivery": delivery.number,
        "requestId": report.request_id,
        "ending": ending(&report.ending),
        "answerMeans": delivery.answer.as_ref().map(|answer| &answer.means),
        "initMs": report.init.map(ms),
        "durationMs": ms(report.duration),
        "peakMemoryBytes": report.peak_memory,
        "verdict": delivery.read.as_ref().map(|read| verdict(read.verdict())),
        "partitions": delivery.read.as_ref().map(|read| partitions(read, &delivery.heard)),
        "rejected": delivery.heard.rejected(),
        "metrics": metrics(delivery),
        "problem": problem,
        "allDone": delivery.verdict() == CameTo::AllDone,
    })
}

/// What the function measured of each topic. Empty: it has written no line of metrics.
fn metrics(delivery: &Delivery) -> Value {
    let topics = delivery.heard.measured().iter();
    let topics = topics.map(|(topic, measured)| {
        let rate = delivery.records_per_second(measured);
        (topic.to_owned(), measured.json(rate))
    });
    Value::Object(topics.collect())
}

fn ending(ending: &Ending) -> Value {
    let with = |kind: &str, error: &FunctionError| {
        json!({
            "kind": kind,
            "errorType": error.error_type,
            "errorMessage": error.message,
            "stackTrace": error.stack,
        })
    };
    match ending {
        Ending::Response(body) => match serde_json::from_slice::<Value>(body) {
            Ok(body) => json!({"kind": "response", "body": body}),
            Err(_) => json!({"kind": "response", "text": String::from_utf8_lossy(body)}),
        },
        Ending::FunctionError(error) => with("function-error", error),
        Ending::InitError(error) => with("init-error", error),
        Ending::Crashed(crash) => {
            json!({"kind": "crashed", "errorType": ending.error_type(), "errorMessage": crash.to_string()})
        }
        Ending::TimedOut { during, after } => {
            json!({"kind": "timed-out", "errorType": ending.error_type(), "during": during.to_string(), "afterMs": ms(*after)})
        }
        _ => json!({"kind": "unknown", "errorType": ending.error_type()}),
    }
}

fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::AllDone => "all-done",
        Verdict::SomeAgain => "some-again",
        Verdict::WholeBatchAgain(_) => "whole-batch-again",
        Verdict::FailuresIgnored { .. } => "failures-ignored",
        Verdict::FailuresMisplaced { .. } => "failures-misplaced",
        _ => "unknown",
    }
}

fn partitions(read: &Read, heard: &Heard) -> Vec<Value> {
    let next = |partition: &Partition, again: Again| json!({"commit": partition.commit(), "again": partition.sent_again(again)});
    let partition = |partition: &Partition| {
        let rejected = heard.rejected_of(partition.key());
        json!({
            "partition": partition.key(),
            "records": partition.offsets().len(),
            "done": partition.done().saturating_sub(rejected),
            "rejected": rejected,
            "again": partition.again(),
            "from": partition.from(),
            "onlyListed": next(partition, Again::OnlyListed),
            "fromLowest": next(partition, Again::FromLowest),
        })
    };
    read.partitions().iter().map(partition).collect()
}

/// Milliseconds to three digits: the precision of a local measurement.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
