//! What happens, as lines for people: one each, made as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::Style;
use jiff::Timestamp;
use msk_mapping::driver::{Flight, Notice};
use msk_mapping::machine::{Because, Condition, Offsets};
use msk_mapping::response::Verdict;
use msk_mapping::{Ending, Report};

use super::answer;
use super::fates::{Fate, Fates, News};
use crate::text::clock;
use crate::text::columns::shown;
use crate::text::style::{BAD, DIM, GOOD, WARNING};

/// So many partitions of a batch are named, the others counted.
const PARTITIONS_SHOWN_MAX: usize = 3;

/// What has to be remembered between two lines, of each mapping by its topic.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The last trouble, which often comes again and again.
    troubles: BTreeMap<String, String>,
    /// The report of the invocation whose answer is read next.
    reports: BTreeMap<String, Report>,
}

pub(crate) fn begun(bootstrap: &str, produced: usize) -> String {
    let produced = match produced {
        0 => String::new(),
        1 => ", 1 record produced".to_owned(),
        records => format!(", {records} records produced"),
    };
    line(DIM, "broker", &format!("{bootstrap}{produced}"))
}

/// Something about the command itself, behind a word for what it is about.
pub(crate) fn remark(word: &str, text: &str) -> String {
    line(DIM, word, text)
}

impl Lines {
    /// None: nothing that people want to read a line of. The fates are those after the notice.
    pub(crate) fn notice(&mut self, topic: &str, notice: &Notice, fates: &Fates) -> Option<String> {
        if !matches!(notice, Notice::Trouble { .. } | Notice::Status(_)) {
            self.troubles.remove(topic);
        }
        match notice {
            Notice::Assigned {
                poller,
                partition,
                committed,
            } => {
                let from = committed.map_or_else(
                    || "the group has no offset".to_owned(),
                    |offset| format!("committed is {offset}"),
                );
                Some(line(
                    DIM,
                    "assigned",
                    &format!("{partition} to {poller}, {from}"),
                ))
            }
            Notice::Revoked { poller, partition } => {
                Some(line(DIM, "revoked", &format!("{partition} from {poller}")))
            }
            Notice::Ended { flight, report } => self.ended(topic, flight, report),
            Notice::NotStarted { flight, reason } => Some(line(
                BAD,
                "no start",
                &format!("{}: {reason}", batch(flight)),
            )),
            Notice::Answered { flight, verdict } => {
                let report = self.reports.remove(topic);
                let rejected = fates.of(topic).map_or(0, |topic| topic.rejected_last);
                Some(answered(flight, verdict, report.as_ref(), rejected))
            }
            Notice::Committed {
                partition,
                position,
            } => Some(line(
                DIM,
                "committed",
                &format!("{partition} at {position}"),
            )),
            Notice::Delivered {
                condition,
                invoke_count,
                records,
            } => {
                let text = match misfit(fates, topic, *condition, records) {
                    Some(why) => format!("{why}; at the destination"),
                    None => format!(
                        "{}: {condition} after {}; at the destination{}",
                        places(records),
                        count(*invoke_count as usize, "invocation"),
                        had_done(fates, topic, records)
                    ),
                };
                Some(line(WARNING, "given up", &text))
            }
            Notice::Undelivered {
                records, reason, ..
            } => {
                let text = format!("{}: {reason}", places(records));
                Some(line(BAD, "not taken", &text))
            }
            Notice::Dropped(dropped) => {
                let why = match dropped.because {
                    Because::NoDestination => "there is no --on-failure",
                    _ => "the destination did not accept them",
                };
                let (records, condition) = (&dropped.records, dropped.condition);
                if let Some(misfit) = misfit(fates, topic, condition, records) {
                    return Some(line(BAD, "dropped", &format!("{misfit}; {why}")));
                }
                let done = had_done(fates, topic, records);
                let text = format!("{}: {condition}; {why}{done}", places(records));
                Some(line(BAD, "dropped", &text))
            }
            Notice::Trouble { reason } => {
                let before = self.troubles.insert(topic.to_owned(), reason.clone());
                if before.as_ref() == Some(reason) {
                    return None;
                }
                Some(line(WARNING, "trouble", reason))
            }
            _ => None,
        }
    }

    /// Of a response the line comes with its reading.
    fn ended(&mut self, topic: &str, flight: &Flight, report: &Report) -> Option<String> {
        let (word, why) = match &report.ending {
            Ending::Response(_) => {
                self.reports.insert(topic.to_owned(), report.clone());
                return None;
            }
            Ending::FunctionError(error) => ("error", error.to_string()),
            Ending::InitError(error) => ("init error", error.to_string()),
            Ending::Crashed(crash) => ("crashed", crash.to_string()),
            Ending::TimedOut { during, after } => (
                "timed out",
                format!("{during}, after {} ms", after.as_millis()),
            ),
            _ => ("failed", String::new()),
        };
        let text = format!(
            "{}{}: {}",
            batch(flight),
            times(report),
            shown(why.lines().next().unwrap_or_default())
        );
        Some(line(BAD, word, &text))
    }
}

/// What the function's log told of a record, or of a topic.
pub(crate) fn news(news: &News) -> String {
    match news {
        News::Record(row) => {
            let style = match row.fate {
                Fate::Rejected => WARNING,
                _ => BAD,
            };
            let text = format!(
                "{}: {}: {}",
                row.place,
                shown(&row.reason.code),
                shown(&row.reason.why)
            );
            line(style, row.fate.name(), &text)
        }
        News::Unhandled(topic) => line(BAD, "no handler", &no_handler(topic)),
    }
}

pub(crate) fn no_handler(topic: &str) -> String {
    format!("the function has no handler for the topic {topic}: no handler took its records")
}

/// `orders-0@5: DESERIALIZATION_ERROR: the value (40 bytes): …`. None: it is no record that failed the check by its schemas.
fn misfit(fates: &Fates, topic: &str, condition: Condition, records: &[Offsets]) -> Option<String> {
    if !condition.is_of_schema() {
        return None;
    }
    let why = fates.of(topic).and_then(|topic| topic.misfit(records));
    let why = why.map_or_else(String::new, |why| format!(": {}", shown(why)));
    Some(format!("{}: {condition}{why}", places(records)))
}

/// What the function had done of records that are given up. Empty: nothing, or nobody knows.
fn had_done(fates: &Fates, topic: &str, records: &[Offsets]) -> String {
    match fates.of(topic).and_then(|topic| topic.done_of(records)) {
        None | Some(0) => String::new(),
        Some(done) => format!("; {done} of them were done by the function"),
    }
}

fn answered(flight: &Flight, verdict: &Verdict, report: Option<&Report>, rejected: u64) -> String {
    let times = report.map(times).unwrap_or_default();
    let batch = batch(flight);
    match verdict {
        Verdict::AllDone if rejected > 0 => line(
            WARNING,
            "settled",
            &format!("{batch}{times}: {rejected} of them rejected by the function"),
        ),
        Verdict::AllDone => line(GOOD, "done", &format!("{batch}{times}")),
        Verdict::SomeAgain => {
            let listed = report
                .map(|report| answer::listed(&report.ending))
                .unwrap_or_default();
            line(
                BAD,
                "redeliver",
                &format!("{batch}{times}: the response lists {}", places(&listed)),
            )
        }
        Verdict::WholeBatchAgain(fault) => line(
            BAD,
            "redeliver",
            &format!("{batch}{times}: the whole batch, since {fault}"),
        ),
        Verdict::FailuresIgnored { listed } => line(
            BAD,
            "overlooked",
            &format!(
                "{batch}{times}: the response lists {}, but the mapping does not read the list: set \
                 --function-response-types ReportBatchItemFailures",
                count(*listed, "record")
            ),
        ),
        Verdict::FailuresMisplaced { field, listed } => line(
            BAD,
            "overlooked",
            &format!(
                "{batch}{times}: the response lists {} under {}, where Lambda does not look: expected batchItemFailures \
                 at the top level, so the batch is committed",
                count(*listed, "record"),
                shown(field)
            ),
        ),
        _ => line(BAD, "answered", &format!("{batch}{times}")),
    }
}

/// `orders-0 0..5, orders-1 7 (7 records)`, and which attempt, if it is not the first.
fn batch(flight: &Flight) -> String {
    let mut text = places(&flight.partitions);
    if flight.attempt > 1 {
        let _ = write!(text, ", attempt {}", flight.attempt);
    }
    text
}

fn places(records: &[Offsets]) -> String {
    let mut shown: Vec<String> = records
        .iter()
        .take(PARTITIONS_SHOWN_MAX)
        .map(place)
        .collect();
    if records.len() > PARTITIONS_SHOWN_MAX {
        let more = records.len() - PARTITIONS_SHOWN_MAX;
        shown.push(format!("and {}", count(more, "more partition")));
    }
    match records.iter().map(|part| part.offsets.len()).sum() {
        1 => shown.join(", "),
        records => format!("{} ({})", shown.join(", "), count(records, "record")),
    }
}

fn place(part: &Offsets) -> String {
    match (part.offsets.iter().min(), part.offsets.iter().max()) {
        (Some(first), Some(last)) if first == last => format!("{}@{first}", part.partition),
        (Some(first), Some(last)) => format!("{}@{first}..{last}", part.partition),
        _ => part.partition.to_string(),
    }
}

/// `, 12.3 ms`, and how long the init took, if there was one.
fn times(report: &Report) -> String {
    let ms = |duration: std::time::Duration| duration.as_secs_f64() * 1_000.0;
    let mut text = format!(", {:.1} ms", ms(report.duration));
    if let Some(init) = report.init {
        let _ = write!(text, " (and {:.1} ms init)", ms(init));
    }
    text
}

pub(crate) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

fn line(style: Style, word: &str, text: &str) -> String {
    let now = Timestamp::from_millisecond(millis()).unwrap_or_default();
    let time = clock::of_day(now);
    format!("{DIM}{time}{DIM:#}  {style}{word:<10}{style:#} {text}\n")
}

#[expect(
    clippy::disallowed_methods,
    reason = "people compare it with their own clock"
)]
fn millis() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}

#[cfg(test)]
mod tests {
    use msk_mapping::driver::Notice;

    use super::{Fates, Lines};

    #[test]
    fn a_trouble_that_comes_again_is_told_once_of_each_mapping_though_they_alternate() {
        let mut lines = Lines::default();
        let trouble = |reason: &str| Notice::Trouble {
            reason: reason.to_owned(),
        };

        let told: Vec<bool> = ["orders", "clicks", "orders", "clicks"]
            .iter()
            .map(|topic| {
                let trouble = trouble(&format!("{topic} is away"));
                lines.notice(topic, &trouble, &Fates::default())
            })
            .map(|line| line.is_some())
            .collect();

        assert_eq!(told, [true, true, false, false]);
    }
}
