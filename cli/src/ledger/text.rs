//! Partitions as text for people.

use std::fmt::Write;

use jiff::Timestamp;
use lambda_msk::idempotency::{BoxStore, IdempotencyStore, Lease, PartitionState, SettledRange};

use super::found::{Found, Which};
use crate::text::style::{BAD, BOLD, DIM, GOOD, WARNING};

/// A list names at most so many ranges.
const RANGES_MAX: usize = 8;

pub(crate) fn found(which: &Which, store: &BoxStore, found: &Found, now_ms: u64) -> String {
    let mut text = String::new();
    for (partition, state) in &found.known {
        let topic = &which.topic;
        let _ = writeln!(text, "{BOLD}{topic}-{partition}{BOLD:#}");
        text += &self::state(state, now_ms);
        text += "\n";
    }
    let store = store.describe();
    if !found.unknown.is_empty() {
        let (word, partitions) = partitions(&found.unknown);
        let _ = writeln!(
            text,
            "{DIM}{store} has no entry for {word} {partitions}: their records run.{DIM:#}"
        );
    }
    if found.known.is_empty() {
        let Which {
            namespace,
            cluster,
            topic,
            ..
        } = which;
        let _ = writeln!(
            text,
            "\nLooked for {namespace}/{cluster}/{topic}/PARTITION. The key in a dead letter begins like this\n\
             (`failure.idempotencyKey`): compare the two, and the table and its region."
        );
    }
    text
}

fn state(state: &PartitionState, now_ms: u64) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {DIM}{name:<10}{DIM:#}{value}");
    };
    let settled = state.settled(..);
    let (rejected, done): (Vec<_>, Vec<_>) = settled.iter().partition(|range| range.rejected);
    match state.unreadable() {
        Some(why) => line("unreadable", format!(" {BAD}{why}{BAD:#}")),
        None => {
            line("done", offsets(&done));
            line("rejected", offsets(&rejected));
            if let Some(at_ms) = settled.iter().map(|range| range.at_ms).max() {
                line(
                    "settled",
                    format!("last at {} (to the minute)", time(at_ms)),
                );
            }
            let highest = state.highest();
            let highest = highest.map_or_else(
                || "no batch was recorded yet".to_owned(),
                |offset| format!("{offset}, in the batches so far"),
            );
            line("highest", highest);
            if let Some(offset) = state.reported() {
                line(
                    "reported",
                    format!("{WARNING}{offset}, reported to Lambda and not redelivered{WARNING:#}"),
                );
            }
        }
    }
    line("lease", lease(state.lease().as_ref(), now_ms));
    line("data", format!("{} bytes", state.data_bytes()));
    let expires_ms = state.expires_s().saturating_mul(1000);
    let gone = if expires_ms < now_ms {
        "past since"
    } else {
        "at"
    };
    line("expires", format!("{gone} {}", time(expires_ms)));
    text
}

fn lease(lease: Option<&Lease>, now_ms: u64) -> String {
    let Some(lease) = lease else {
        return format!("{GOOD}free{GOOD:#}");
    };
    let state = lease_state(lease, now_ms);
    let style = if lease.is_live(now_ms) { WARNING } else { GOOD };
    format!(
        "{style}{state}{style:#}\n            until {} by its holder {}",
        time(lease.until_ms),
        lease.holder.owner
    )
}

/// `held, for 8.2 s more`.
pub(crate) fn lease_state(lease: &Lease, now_ms: u64) -> String {
    let tenths = |tenths: u64| format!("{}.{} s", tenths / 10, tenths % 10);
    // What is left is never shown as nothing.
    let (past, left) = (
        |ms: u64| tenths(ms / 100),
        |ms: u64| tenths(ms.div_ceil(100)),
    );
    match now_ms.checked_sub(lease.until_ms) {
        None => format!("held, for {} more", left(lease.until_ms - now_ms)),
        Some(over) if lease.is_live(now_ms) => format!(
            "expired {} ago, but clocks may differ: free in {}",
            past(over),
            left(lease.free_ms() - now_ms)
        ),
        Some(over) => format!("expired {} ago, and not released: free", past(over)),
    }
}

/// `3 offsets: 10..11, 15`.
pub(crate) fn offsets(ranges: &[&SettledRange]) -> String {
    if ranges.is_empty() {
        return "none".to_owned();
    }
    let count: u64 = ranges.iter().map(|range| range.count()).sum();
    let word = if count == 1 { "offset" } else { "offsets" };
    let shown = ranges
        .iter()
        .take(RANGES_MAX)
        .map(|range| range_text(range));
    let shown: Vec<String> = shown.collect();
    let more = match ranges.len().saturating_sub(RANGES_MAX) {
        0 => String::new(),
        more => format!(
            ", and {more} more ranges up to {}",
            ranges[ranges.len() - 1].last
        ),
    };
    format!("{count} {word}: {}{more}", shown.join(", "))
}

fn range_text(range: &SettledRange) -> String {
    match range.count() {
        1 => range.first.to_string(),
        _ => format!("{}..{}", range.first, range.last),
    }
}

/// `partitions`, `3..7, 9`.
pub(crate) fn partitions(numbers: &[i32]) -> (&'static str, String) {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
        [first, .., last] => format!("{first}..{last}"),
        [only] => only.to_string(),
        [] => String::new(),
    });
    let word = if numbers.len() == 1 {
        "partition"
    } else {
        "partitions"
    };
    (word, runs.collect::<Vec<_>>().join(", "))
}

fn time(ms: u64) -> String {
    let time = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| "the end of time".to_owned(), |time| time.to_string())
}
