//! What happens, as lines for people: one each, made as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::Style;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use msk_mapping::driver::{Flight, Lane, Notice, Status};
use msk_mapping::machine::{Because, Offsets};
use msk_mapping::response::Verdict;
use msk_mapping::{Ending, Report};

use crate::columns::Table;
use crate::style::{BAD, BOLD, DIM, GOOD, WARNING};

/// So many partitions of a batch are named, the others counted.
const PARTITIONS_SHOWN_MAX: usize = 3;
/// A function's error may be long, and may quote what it likes: so much of it is shown.
const MESSAGE_CHARS_MAX: usize = 200;

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
    /// None: nothing that people want to read a line of.
    pub(crate) fn notice(&mut self, topic: &str, notice: &Notice) -> Option<String> {
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
                Some(answered(flight, verdict, report.as_ref()))
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
                let text = format!(
                    "{}: {condition} after {}; at the destination",
                    places(records),
                    count(*invoke_count as usize, "invocation")
                );
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
                    _ => "the destination has not taken it",
                };
                let text = format!("{}: {}; {why}", places(&dropped.records), dropped.condition);
                Some(line(BAD, "lost", &text))
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
        let text = format!("{}{}: {}", batch(flight), times(report), cut(&why));
        Some(line(BAD, word, &text))
    }
}

fn answered(flight: &Flight, verdict: &Verdict, report: Option<&Report>) -> String {
    let times = report.map(times).unwrap_or_default();
    let batch = batch(flight);
    match verdict {
        Verdict::AllDone => line(GOOD, "done", &format!("{batch}{times}")),
        Verdict::SomeAgain => {
            let listed = report
                .map(|report| listed(&report.ending))
                .unwrap_or_default();
            line(
                BAD,
                "again",
                &format!("{batch}{times}: the answer lists {}", places(&listed)),
            )
        }
        Verdict::WholeBatchAgain(fault) => line(
            BAD,
            "again",
            &format!("{batch}{times}: the whole batch, since {fault}"),
        ),
        Verdict::FailuresIgnored { listed } => line(
            BAD,
            "overlooked",
            &format!(
                "{batch}{times}: the answer lists {}, and the mapping does not read it: \
                 --function-response-types ReportBatchItemFailures",
                count(*listed, "record")
            ),
        ),
        Verdict::FailuresMisplaced { field, listed } => line(
            BAD,
            "overlooked",
            &format!(
                "{batch}{times}: the answer lists {} under {}, where Lambda does not look: expected batchItemFailures \
                 at the top of the answer, so the batch is committed",
                count(*listed, "record"),
                cut(field)
            ),
        ),
        _ => line(BAD, "answered", &format!("{batch}{times}")),
    }
}

/// What a partial answer lists, as it stands there.
fn listed(ending: &Ending) -> Vec<Offsets> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        batch_item_failures: Vec<Item>,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        item_identifier: Identifier,
    }

    #[derive(serde::Deserialize)]
    struct Identifier {
        partition: String,
        offset: i64,
    }

    let Ending::Response(body) = ending else {
        return Vec::new();
    };
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Vec::new();
    };
    let mut listed: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for Item { item_identifier } in answer.batch_item_failures {
        listed
            .entry(item_identifier.partition)
            .or_default()
            .push(item_identifier.offset);
    }
    let offsets = |(key, offsets): (String, Vec<i64>)| {
        let (topic, partition) = key.rsplit_once('-')?;
        Some(Offsets {
            partition: msk_mapping::record::TopicPartition::new(topic, partition.parse().ok()?),
            offsets,
        })
    };
    listed.into_iter().filter_map(offsets).collect()
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

fn cut(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    match first.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &first[..at]),
        None => first.to_owned(),
    }
}

pub(crate) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

fn line(style: Style, word: &str, text: &str) -> String {
    let now = Zoned::new(
        Timestamp::from_millisecond(millis()).unwrap_or_default(),
        TimeZone::system(),
    );
    let time = now.strftime("%H:%M:%S%.3f");
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

/// How it stood at the end.
pub(crate) fn ended(ends: &[Status]) -> String {
    if ends.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n");
    for status in ends {
        text += &lanes(status);
        text += "\n";
        text += &summary(status);
    }
    text
}

/// Of a topic with many partitions on a desk most are empty.
fn has_records(lane: &&Lane) -> bool {
    lane.committed.is_some() || lane.lag != Some(0)
}

pub(crate) fn lanes(status: &Status) -> String {
    let mut table = Table::new(
        [
            "PARTITION",
            "COMMITTED",
            "LAG",
            "WAITING",
            "IN FLIGHT",
            "AGAIN",
        ],
        1,
    );
    let unknown = || "-".to_owned();
    let row = |lane: &Lane| {
        [
            lane.partition.to_string(),
            lane.committed
                .map_or_else(unknown, |offset| offset.to_string()),
            lane.lag.map_or_else(unknown, |lag| lag.to_string()),
            lane.waiting.to_string(),
            (lane.in_flight + lane.delivering).to_string(),
            lane.retrying.to_string(),
        ]
    };
    let lanes: Vec<&Lane> = status.partitions.iter().filter(has_records).collect();
    if lanes.is_empty() {
        return String::new();
    }
    for lane in lanes {
        let style = if lane.retrying > 0 { BAD } else { Style::new() };
        table.push(row(lane), style);
    }
    table.text()
}

pub(crate) fn summary(status: &Status) -> String {
    let metrics = &status.metrics;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut text = format!(
        "  {} polled, {}, {} committed",
        count(number(metrics.polled), "record"),
        count(number(metrics.invocations), "invocation"),
        metrics.committed
    );
    let more = [
        (metrics.filtered_out, Style::new(), "filtered out"),
        (metrics.failed_invocations, BAD, "failed"),
        (metrics.delivered, WARNING, "given up, at the destination"),
        (metrics.dropped, BAD, "given up and lost"),
        (status.overlooked, BAD, "failed and overlooked"),
    ];
    for (number, style, what) in more {
        if number > 0 {
            let what = if what == "failed" {
                format!("{number} of the invocations failed")
            } else {
                format!("{number} {what}")
            };
            let _ = write!(text, ", {style}{what}{style:#}");
        }
    }
    match status.lag() {
        Some(0) => format!("{text}; {GOOD}lag 0{GOOD:#}\n"),
        Some(lag) => format!("{text}; {BOLD}lag {lag}{BOLD:#}\n"),
        None => format!("{text}; lag unknown\n"),
    }
}

#[cfg(test)]
mod tests {
    use msk_mapping::driver::Notice;

    use super::Lines;

    #[test]
    fn a_trouble_that_comes_again_is_told_once_of_each_mapping_though_they_alternate() {
        let mut lines = Lines::default();
        let trouble = |reason: &str| Notice::Trouble {
            reason: reason.to_owned(),
        };

        let told: Vec<bool> = ["orders", "clicks", "orders", "clicks"]
            .iter()
            .map(|topic| lines.notice(topic, &trouble(&format!("{topic} is away"))))
            .map(|line| line.is_some())
            .collect();

        assert_eq!(told, [true, true, false, false]);
    }
}
