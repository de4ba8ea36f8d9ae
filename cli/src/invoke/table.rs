//! A delivery as text for people.

use std::fmt::Write;
use std::time::Duration;

use anstyle::Style;
use msk_mapping::Ending;
use msk_mapping::response::{Again, Partition, Read, Verdict as Answered};

use super::delivery::Delivery;
use super::heard::Heard;
use crate::function::dead_letters::DeadLetters;
use crate::function::payloads::Payloads;
use crate::text::columns::{Table, shown};
use crate::text::cut;
use crate::text::style::{BAD, BOLD, DIM, ERROR, GOOD, WARNING};
use crate::verdict::Verdict;

/// So many records that were not done are shown; the others are counted.
const ROWS_MAX: usize = 10;
/// A list of offsets names at most so many runs.
const RUNS_MAX: usize = 4;

pub(crate) fn delivery(delivery: &Delivery) -> String {
    let mut text = String::new();
    let report = &delivery.report;
    if delivery.times > 1 {
        let _ = write!(
            text,
            "{DIM}delivery {} of {}: {DIM:#}",
            delivery.number, delivery.times
        );
    }
    let (style, outcome) = outcome(delivery);
    let _ = writeln!(text, "{style}{outcome}{style:#}");
    if let Some(answer) = &delivery.answer {
        let _ = writeln!(text, "\nThe function's response:\n  {}", answer.text);
        for line in answer.means.lines() {
            let _ = writeln!(text, "  {DIM}{line}{DIM:#}");
        }
    }
    if let Some(read) = &delivery.read {
        text += "\n";
        text += &partitions(read, &delivery.heard, report.duration);
        if !read.partitions().is_empty() {
            text += "\n";
            text += &next(read);
        }
    }
    if let Some(problem) = &delivery.problem {
        let (style, word) = if delivery.verdict() == Verdict::AllDone {
            (WARNING, "warning")
        } else {
            (ERROR, "error")
        };
        let _ = writeln!(
            text,
            "\n{style}{word}{style:#}{BOLD}: {}{BOLD:#}",
            problem.what
        );
        for line in problem.at.iter().flat_map(|at| at.lines()) {
            let _ = writeln!(text, "  {line}");
        }
        for (number, line) in problem.help.lines().enumerate() {
            let _ = match number {
                0 => writeln!(text, "  {BOLD}help{BOLD:#}: {line}"),
                _ => writeln!(text, "        {line}"),
            };
        }
    }
    let init = report
        .init
        .map_or_else(|| "warm".to_owned(), |init| format!("{} ms", ms(init)));
    let peak = report
        .peak_memory
        .map_or_else(|| "unknown".to_owned(), megabytes);
    let duration = ms(report.duration);
    let _ = writeln!(
        text,
        "\n{DIM}init {init} · duration {duration} ms · peak memory {peak}{DIM:#}"
    );
    for (topic, measured) in delivery.heard.measured().iter() {
        let rate = delivery.records_per_second(measured);
        let _ = writeln!(text, "{DIM}{topic}: {}{DIM:#}", measured.text(rate));
    }
    if delivery.number < delivery.times {
        text += "\n";
    }
    text
}

/// The records of an event. Empty for what is no event of Kafka.
pub(crate) fn payloads(payloads: &Payloads, columns: Option<usize>) -> String {
    let lines = payloads.lines().map(|line| {
        let line = format!("  {line}");
        match columns {
            Some(columns) => cut::cut_with_a_mark(&line, columns) + "\n",
            None => line + "\n",
        }
    });
    let text: String = lines.collect();
    if text.is_empty() {
        return text;
    }
    format!("Records of the event:\n{text}\n")
}

/// What became of records that were not done, why, and where the rejected ones are. Empty if all were done.
pub(crate) fn records(heard: &Heard, letters: Option<&DeadLetters>) -> String {
    let mut text = String::new();
    for topic in &heard.unhandled {
        let _ = writeln!(
            text,
            "\n{ERROR}error{ERROR:#}{BOLD}: the function has no handler for the topic {topic}{BOLD:#}\n  \
             {BOLD}help{BOLD:#}: name the topic in the function: `.topic(…)` or `.fallback(…)`"
        );
    }
    let rows = heard.rows();
    if !rows.is_empty() {
        let mut table = Table::new(["RECORD", "OUTCOME", "CODE", "WHY"], 1);
        for (place, became, reason) in rows.iter().take(ROWS_MAX) {
            let style = if *became == "rejected" { WARNING } else { BAD };
            let cells = [
                place.to_string(),
                (*became).to_owned(),
                shown(&reason.code),
                shown(&reason.why),
            ];
            table.push(cells, style);
        }
        text += "\n";
        text += &table.text();
        if rows.len() > ROWS_MAX {
            let _ = writeln!(text, "  … and {} more", rows.len() - ROWS_MAX);
        }
    }
    let letters = letters.filter(|letters| letters.count > 0);
    let place = letters.map_or_else(
        || "at the function's destination".to_owned(),
        |letters| format!("in {}", letters.path.display()),
    );
    match heard.rejected() {
        0 => return text,
        1 => text += &format!("\n1 record was rejected and is {place}.\n"),
        count => text += &format!("\n{count} records were rejected and are {place}.\n"),
    }
    if let Some(letters) = letters {
        let _ = writeln!(
            text,
            "  Each line is JSON: the reason, and under `payload` an event with that record alone.\n  \
             `cargo msk invoke --event {}` delivers them again, one by one. Lambda does not redeliver rejected records.",
            letters.path.display()
        );
    }
    text
}

fn outcome(delivery: &Delivery) -> (Style, &'static str) {
    let verdict = delivery.read.as_ref().map(Read::verdict);
    let heard = &delivery.heard;
    match (&delivery.report.ending, verdict) {
        (Ending::Response(_), _) if !heard.unhandled.is_empty() => {
            (BAD, "no handler for the topic")
        }
        (Ending::Response(_), Some(Answered::AllDone)) if heard.verdict() == Verdict::SomeLost => {
            (BAD, "some records are lost")
        }
        (Ending::Response(_), Some(Answered::AllDone)) if heard.rejected() > 0 => {
            (WARNING, "some records were rejected")
        }
        (Ending::Response(_), Some(Answered::AllDone))
            if delivery.verdict() != Verdict::AllDone =>
        {
            (BAD, "no records in the event")
        }
        (Ending::Response(_), Some(Answered::AllDone)) => (GOOD, "all done"),
        (Ending::Response(_), Some(Answered::SomeAgain)) => (BAD, "some records were not done"),
        (
            Ending::Response(_),
            Some(Answered::FailuresIgnored { .. } | Answered::FailuresMisplaced { .. }),
        ) => (BAD, "records would be lost"),
        (Ending::Response(_), Some(_)) => (BAD, "a response that Lambda cannot use"),
        (Ending::Response(_), None) if delivery.of_another_source => (GOOD, "answered"),
        (Ending::Response(_), None) => (BAD, "a response to an event that cannot be read"),
        (Ending::FunctionError(_), _) => (BAD, "function error"),
        (Ending::InitError(_), _) => (BAD, "init error"),
        (Ending::Crashed(_), _) => (BAD, "crashed"),
        (Ending::TimedOut { .. }, _) => (BAD, "timed out"),
        _ => (BAD, "failed"),
    }
}

fn partitions(read: &Read, heard: &Heard, duration: Duration) -> String {
    let head = [
        "PARTITION",
        "RECORDS",
        "DONE",
        "REJECTED",
        "NOT DONE",
        "FROM",
        "MS",
    ];
    let mut table = Table::new(head, 1);
    for partition in read.partitions() {
        let rejected = heard.rejected_of(partition.key());
        let from = partition
            .from()
            .map_or_else(|| "-".to_owned(), |from| from.to_string());
        let style = match (partition.again(), rejected) {
            (0, 0) => Style::new(),
            (0, _) => WARNING,
            _ => BAD,
        };
        let row = [
            partition.key().to_owned(),
            partition.offsets().len().to_string(),
            partition.done().saturating_sub(rejected).to_string(),
            rejected.to_string(),
            partition.again().to_string(),
            from,
            String::new(),
        ];
        table.push(row, style);
    }
    let sum = |count: fn(&Partition) -> usize| read.partitions().iter().map(count).sum::<usize>();
    let rejected = usize::try_from(heard.rejected()).unwrap_or(usize::MAX);
    let total = [
        "total".to_owned(),
        sum(|partition| partition.offsets().len()).to_string(),
        sum(Partition::done).saturating_sub(rejected).to_string(),
        rejected.to_string(),
        sum(Partition::again).to_string(),
        String::new(),
        ms(duration),
    ];
    table.push(total, BOLD);
    table.text()
}

/// What Lambda would do next, under each of the two readings of what is redelivered. Once, where they agree.
fn next(read: &Read) -> String {
    let agree = read.partitions().iter().all(|partition| {
        partition.sent_again(Again::OnlyListed) == partition.sent_again(Again::FromLowest)
    });
    if agree {
        let head = "What Lambda would do next (only-listed and from-lowest agree):\n";
        return head.to_owned() + &plan(read, Again::FromLowest);
    }
    format!(
        "What Lambda would do next, under each reading of its documentation:\n\n  \
         {BOLD}only-listed: the listed records are redelivered{BOLD:#}\n{}\n  \
         {BOLD}from-lowest: all records from the lowest listed one on are redelivered{BOLD:#}\n{}",
        plan(read, Again::OnlyListed),
        plan(read, Again::FromLowest),
    )
}

fn plan(read: &Read, reading: Again) -> String {
    let mut table = Table::new(["PARTITION", "COMMIT", "REDELIVERED"], 2);
    for partition in read.partitions() {
        let commit = partition
            .commit()
            .map_or_else(|| "nothing".to_owned(), |commit| commit.to_string());
        let again = partition.sent_again(reading);
        let style = if again.is_empty() { Style::new() } else { BAD };
        table.push(
            [
                partition.key().to_owned(),
                commit,
                runs(&again, partition.offsets()),
            ],
            style,
        );
    }
    table.text()
}

/// `12..14, 20 (4 records)`: offsets that follow each other in the event are one run, gaps or not.
fn runs(again: &[i64], offsets: &[i64]) -> String {
    if again.is_empty() {
        return "nothing".to_owned();
    }
    let mut ascending = offsets.to_vec();
    ascending.sort_unstable();
    ascending.dedup();
    let place = |offset: &i64| ascending.binary_search(offset).unwrap_or_default();
    let runs: Vec<String> = again
        .chunk_by(|a, b| place(b) == place(a) + 1)
        .map(|run| match run {
            [only] => only.to_string(),
            [first, .., last] => format!("{first}..{last}"),
            [] => String::new(),
        })
        .collect();
    let shown = runs[..runs.len().min(RUNS_MAX)].join(", ");
    let more = if runs.len() > RUNS_MAX { ", …" } else { "" };
    match again.len() {
        1 => shown,
        records => format!("{shown}{more} ({records} records)"),
    }
}

fn ms(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1_000.0)
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / 1_000_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::{megabytes, runs};

    #[test]
    fn offsets_are_shown_as_runs_of_the_event() {
        let offsets = [10, 11, 15, 16, 20];

        assert_eq!(runs(&[], &offsets), "nothing");
        assert_eq!(runs(&[15], &offsets), "15");
        assert_eq!(runs(&[11, 15, 20], &offsets), "11..15, 20 (3 records)");
    }

    #[test]
    fn a_long_list_is_cut() {
        let offsets: Vec<i64> = (0..20).collect();
        let odd: Vec<i64> = (0..20).filter(|offset| offset % 2 == 1).collect();

        assert_eq!(runs(&odd, &offsets), "1, 3, 5, 7, … (10 records)");
    }

    #[test]
    fn memory_is_in_millions_of_bytes() {
        assert_eq!(megabytes(14_260_000), "14.2 MB");
    }
}
