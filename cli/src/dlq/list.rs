//! `cargo msk dlq list`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::document::Foreign;
use super::flags;
use super::letter::{Content, Letter, Span};
use super::source::{Found, Read};
use crate::fault::{Fault, print, print_document};
use crate::text::columns::{Table, shown};
use crate::text::style::{BAD, BOLD, DIM};

/// So many places of other things are named.
const PLACES_SHOWN_MAX: usize = 3;
/// Longest reason in a row.
const MESSAGE_CHARS_MAX: usize = 60;

/// List the letters of a source, and count them by their reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is taken out: messages of a queue are visible to others again at once.

Examples:
  cargo msk dlq list --from https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dlq
  cargo msk dlq list --from file:dead-letters.ndjson --since 2h --json | jq .groups

Exit codes: 0 listed; 2 wrong arguments, or the source failed.")]
pub(crate) struct Args {
    #[command(flatten)]
    from: flags::From,
    /// Count the letters by this.
    #[arg(long, value_enum, value_name = "FIELD", default_value = "code")]
    group_by: GroupBy,
    /// Leave out letters that are older: 90s, 15m, 2h, 7d. Letters that do not tell their time stay.
    #[arg(long, value_name = "AGE", value_parser = flags::age)]
    since: Option<Duration>,
    /// Write one JSON document to standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GroupBy {
    Code,
    Topic,
    Hour,
}

impl GroupBy {
    fn of(self, letter: &Letter) -> String {
        match self {
            Self::Code => letter.code.clone(),
            Self::Topic => letter.topic().to_owned(),
            Self::Hour => letter.written.map_or_else(
                || "unknown".to_owned(),
                |at| at.strftime("%Y-%m-%dT%H:00Z").to_string(),
            ),
        }
    }
}

pub(crate) async fn run(args: &Args) -> Result<ExitCode, Fault> {
    let (mut source, read) = super::look::look(&args.from).await?;
    let Read { found, more, until } = read;
    source.close().await?;
    let oldest = args.since.map(flags::before);
    let (letters, others) = parted(&found);
    let young = |letter: &&(&Found, &Letter)| match (oldest, letter.1.written) {
        (Some(oldest), Some(written)) => written >= oldest,
        _ => true,
    };
    let letters: Vec<(&Found, &Letter)> = letters.iter().filter(young).copied().collect();
    let reached = super::reached::of(
        &args.from,
        source.brokers(),
        letters.iter().map(|(_, it)| *it),
    )
    .await?;
    if args.json {
        let mut document = document(args, &letters, &others, &reached);
        document["complete"] = json!(more.is_nothing());
        document["until"] = json!(until.map(|at| format!("{at:.3}")));
        print_document(format!("{document:#}\n").as_bytes())?;
    } else {
        let mut text = text(args, &letters, &others, &reached);
        if let Some(until) = until.filter(|_| !letters.is_empty()) {
            text += &format!("the source's retention may delete the first from {until:.0} on\n");
        }
        print(&(text + &more.text()))?;
    }
    Ok(ExitCode::SUCCESS)
}

type Others<'f> = BTreeMap<Foreign, Vec<&'f str>>;

/// The letters, and what else lies there, by its kind.
pub(crate) fn parted(found: &[Found]) -> (Vec<(&Found, &Letter)>, Others<'_>) {
    let (mut letters, mut others) = (Vec::new(), Others::new());
    for one in found {
        match &one.letter {
            Ok(letter) => letters.push((one, letter)),
            Err(foreign) => others.entry(*foreign).or_default().push(&one.at),
        }
    }
    (letters, others)
}

fn groups(by: GroupBy, letters: &[(&Found, &Letter)]) -> Vec<(String, usize)> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for (_, letter) in letters {
        *groups.entry(by.of(letter)).or_default() += 1;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    if by != GroupBy::Hour {
        groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    }
    groups
}

fn text(
    args: &Args,
    letters: &[(&Found, &Letter)],
    others: &Others<'_>,
    reached: &super::reached::Reached,
) -> String {
    let mut text = String::new();
    if !letters.is_empty() {
        let mut table = Table::new(["ID", "RECORD", "REDRIVES", "WRITTEN", "CODE", "WHY"], 0);
        for (_, letter) in letters {
            let written = letter.written.map(|at| format!("{at:.0}"));
            let why: String = shown(&letter.message)
                .chars()
                .take(MESSAGE_CHARS_MAX)
                .collect();
            let row = [
                letter.id.clone(),
                shown(&letter.place()),
                letter.redrives.to_string(),
                written.unwrap_or_default(),
                shown(&letter.code),
                why,
            ];
            table.push(row, anstyle::Style::new());
        }
        text += &table.text();
        text += "\n";
    }
    text += &format!("{BOLD}{}{BOLD:#}\n", count(letters.len(), "dead letter"));
    for (group, count) in groups(args.group_by, letters) {
        text += &format!("  {count:>6}  {}\n", shown(&group));
    }
    text += &reached.text();
    text += &others_text(others);
    text
}

/// `1 letter`, `2 letters`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// What else lies there: it is left alone.
pub(crate) fn others_text(others: &Others<'_>) -> String {
    let number: usize = others.values().map(Vec::len).sum();
    if number == 0 {
        return String::new();
    }
    let mut text = format!(
        "{BAD}{} left where found, since no dead letter{BAD:#}\n",
        count(number, "other thing")
    );
    for (foreign, places) in others {
        let named = places.iter().take(PLACES_SHOWN_MAX).copied();
        let named: Vec<String> = named.map(shown).collect();
        let more = places.len().saturating_sub(PLACES_SHOWN_MAX);
        let more = if more == 0 {
            String::new()
        } else {
            format!(", and {more} more")
        };
        text += &format!(
            "  {:>6}  {} {DIM}({}{more}){DIM:#}\n",
            places.len(),
            foreign.what(),
            named.join(", ")
        );
    }
    text
}

fn document(
    args: &Args,
    letters: &[(&Found, &Letter)],
    others: &Others<'_>,
    reached: &super::reached::Reached,
) -> Value {
    let groups: BTreeMap<String, usize> = groups(args.group_by, letters).into_iter().collect();
    let rows: Vec<Value> = letters.iter().map(|(found, it)| row(found, it)).collect();
    let mut document = json!({
        "source": args.from.from,
        "count": letters.len(),
        "groups": groups,
        "letters": rows,
        "others": others_json(others),
    });
    if let Some(reached) = reached.json() {
        document["coordinatesOnly"] = reached;
    }
    document
}

pub(crate) fn others_json(others: &Others<'_>) -> Value {
    let other = |(foreign, places): (&Foreign, &Vec<&str>)| {
        let shown: Vec<&&str> = places.iter().take(PLACES_SHOWN_MAX).collect();
        json!({"what": foreign.what(), "count": places.len(), "at": shown})
    };
    others.iter().map(other).collect()
}

/// A letter in JSON, without its payload.
pub(crate) fn row(found: &Found, letter: &Letter) -> Value {
    let span = |span: &Span| {
        json!({
            "topic": span.topic,
            "partition": span.partition,
            "firstOffset": span.first,
            "lastOffset": span.last,
            "firstTimestamp": span.first_ms,
            "lastTimestamp": span.last_ms,
        })
    };
    let spans: Vec<Value> = letter.spans.iter().map(span).collect();
    json!({
        "id": letter.id,
        "shape": letter.shape.name(),
        "code": letter.code,
        "message": letter.message,
        "records": spans,
        "payload": match &letter.content {
            Content::Event(_) => "here",
            Content::Coordinates => "coordinates only",
            Content::Elsewhere(_) => "elsewhere",
        },
        "written": letter.written.map(|at| format!("{at:.3}")),
        "attempts": letter.attempts,
        "redrives": letter.redrives,
        "functionArn": letter.function_arn,
        "group": letter.group,
        "eventSourceArn": letter.arn,
        "bootstrapServers": letter.brokers,
        "at": found.at,
    })
}
