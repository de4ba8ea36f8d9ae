//! How a run stands, and how it stood at the end, as text for people: tables and sums. Used by `live` and `show`.

use std::fmt::Write;

use anstyle::Style;
use msk_mapping::driver::{PartitionReport, Status};

use super::fates::{Fate, Fates, Row, Topic};
use super::lines::count;
use crate::function::measured::Measured;
use crate::text::columns::{Table, shown};
use crate::text::style::{BAD, BOLD, GOOD, WARNING};
use crate::verdict::Verdict;

/// So many records that were not done are shown; the others are counted.
pub(crate) const ROWS_SHOWN_MAX: usize = 10;

/// How it stood at the end.
pub(crate) fn ended(
    ends: &[Status],
    fates: &Fates,
    measured: &Measured,
    verdict: Verdict,
) -> String {
    let mut text = so_far(ends, fates, measured);
    if verdict != Verdict::AllDone {
        let _ = writeln!(
            text,
            "\n  {BAD}{}{BAD:#}: exit code {}",
            verdict.name().replace('-', " "),
            verdict.exit_code()
        );
    }
    text
}

/// How it stood, without what it came to.
pub(crate) fn so_far(ends: &[Status], fates: &Fates, measured: &Measured) -> String {
    let mut text = String::new();
    for status in ends {
        text += "\n";
        if ends.len() > 1 {
            let _ = writeln!(text, "{BOLD}{}{BOLD:#}", status.topic);
        }
        text += &partitions(status);
        text += "\n";
        text += &summary(status, fates);
        if let Some(measured) = measured.of(&status.topic) {
            let rate = measured.records_per_second();
            let _ = writeln!(text, "  {}", measured.text(rate));
        }
    }
    text + &records(&fates.rows())
}

/// What a reader must not overlook, and what to do.
pub(crate) fn problem(what: &str, help: &str) -> String {
    format!("\n{BAD}error{BAD:#}{BOLD}: {what}{BOLD:#}\n  {BOLD}help{BOLD:#}: {help}\n")
}

/// What became of the records that were not done. Empty: there is none.
pub(crate) fn records(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["RECORD", "OUTCOME", "CODE", "WHY"], 1);
    for row in rows.iter().take(ROWS_SHOWN_MAX) {
        let style = match row.fate {
            Fate::Rejected | Fate::GivenUp => WARNING,
            Fate::Dropped | Fate::Lost | Fate::Failed => BAD,
        };
        let cells = [
            row.place.to_string(),
            row.fate.name().to_owned(),
            shown(&row.reason.code),
            shown(&row.reason.why),
        ];
        table.push(cells, style);
    }
    let mut text = format!("\n{}", table.text());
    if rows.len() > ROWS_SHOWN_MAX {
        let _ = writeln!(text, "  … and {} more", rows.len() - ROWS_SHOWN_MAX);
    }
    text
}

/// Most partitions of a local topic are empty.
fn has_records(partition: &&PartitionReport) -> bool {
    partition.committed.is_some() || partition.lag != Some(0)
}

pub(crate) fn partitions(status: &Status) -> String {
    let mut table = Table::new(
        [
            "PARTITION",
            "COMMITTED",
            "LAG",
            "WAITING",
            "IN FLIGHT",
            "RETRYING",
        ],
        1,
    );
    let unknown = || "-".to_owned();
    let row = |report: &PartitionReport| {
        [
            report.partition.to_string(),
            report
                .committed
                .map_or_else(unknown, |offset| offset.to_string()),
            report.lag.map_or_else(unknown, |lag| lag.to_string()),
            report.waiting.to_string(),
            (report.in_flight + report.delivering).to_string(),
            report.retrying.to_string(),
        ]
    };
    let partitions: Vec<&PartitionReport> = status.partitions.iter().filter(has_records).collect();
    if partitions.is_empty() {
        return String::new();
    }
    for partition in partitions {
        let style = if partition.retrying > 0 {
            BAD
        } else {
            Style::new()
        };
        table.push(row(partition), style);
    }
    table.text()
}

pub(crate) fn summary(status: &Status, fates: &Fates) -> String {
    let metrics = &status.metrics;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut text = format!(
        "  {} polled, {}, {} committed",
        count(number(metrics.polled), "record"),
        count(number(metrics.invocations), "invocation"),
        metrics.committed
    );
    let fates = fates.of(&status.topic);
    let rejected = fates.map_or(0, Topic::rejected);
    let done = fates.map_or(0, |topic| topic.done_of_given_up);
    let of_them = match done {
        0 => String::new(),
        done => format!(" ({done} of them were done by the function)"),
    };
    let more = [
        (metrics.filtered_out, Style::new(), "filtered out", ""),
        (metrics.invalid, BAD, "not valid by their schemas", ""),
        (metrics.failed_invocations, BAD, "failed", ""),
        (rejected, WARNING, "rejected by the function", ""),
        (
            metrics.delivered,
            WARNING,
            "given up, at the destination",
            &*of_them,
        ),
        (metrics.dropped, BAD, "given up and dropped", &*of_them),
        (status.overlooked, BAD, "failed and overlooked", ""),
    ];
    for (number, style, what, of_them) in more {
        if number > 0 {
            let what = if what == "failed" {
                format!("{number} of the invocations failed")
            } else {
                format!("{number} {what}{of_them}")
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
