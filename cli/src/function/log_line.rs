//! A function's line as it is shown: a log line in JSON short, on one row; any other as it is. Asked by `dev` and `invoke`.

use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::Style;
use jiff::Timestamp;
use msk_mapping::LogLine;
use serde_json::{Map, Value};

use super::emf;
use crate::flags::output::Logs;
use crate::text::columns::one_row;
use crate::text::style::{BAD, DIM, WARNING};
use crate::text::{clock, cut};

/// Most characters of a field that are shown: it may be long, and may quote anything.
const FIELD_CHARS_MAX: usize = 1_000;
/// What is not shown of a line: what stands elsewhere in the row, or is the same in all lines of an invocation.
const HIDDEN: [&str; 24] = [
    "timestamp",
    "level",
    "message",
    "topic",
    "partition",
    "offset",
    "code",
    "problem",
    "request_id",
    "requestId",
    "AWSRequestId",
    "trace_id",
    "traceId",
    "xrayTraceId",
    "xray_trace_id",
    "traceparent",
    "tracestate",
    "span_id",
    "span",
    "spans",
    "target",
    "filename",
    "line_number",
    "threadId",
];

/// How a line is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As it was written.
    AsItIs,
    /// As this row, with colours.
    Short(String),
    /// Not at all.
    Hidden,
}

/// Writes a line to standard error, or as much of it as is shown there.
pub(crate) fn write(line: &LogLine, logs: Logs) {
    // A reader that has gone ends nothing.
    let _ = match of(line, logs) {
        Shown::Hidden => Ok(()),
        Shown::AsItIs => match cut::columns_of_stderr() {
            Some(_) => writeln!(std::io::stderr().lock(), "{}", cut::tamed(&line.text)),
            None => writeln!(std::io::stderr().lock(), "{}", line.text),
        },
        Shown::Short(row) => {
            let row = match cut::columns_of_stderr() {
                Some(columns) => cut::cut_with_a_mark(&row, columns),
                None => row,
            };
            writeln!(anstream::stderr().lock(), "{row}")
        }
    };
}

/// How a line is shown.
pub(crate) fn of(line: &LogLine, logs: Logs) -> Shown {
    match logs {
        Logs::None => Shown::Hidden,
        Logs::Raw => Shown::AsItIs,
        // What it says is shown in other words.
        Logs::Warn | Logs::All if emf::of(line).is_some() => Shown::Hidden,
        Logs::Warn | Logs::All => shown(&line.text, logs),
    }
}

/// How a line is shown that holds no metrics.
fn shown(line: &str, logs: Logs) -> Shown {
    if !line.starts_with('{') {
        return Shown::AsItIs;
    }
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(line) else {
        return Shown::AsItIs;
    };
    // JSON that somebody printed is no log line.
    let Some(level) = level(&fields) else {
        return Shown::AsItIs;
    };
    if logs == Logs::Warn && matches!(&*level, "TRACE" | "DEBUG" | "INFO") {
        return Shown::Hidden;
    }
    Shown::Short(row(&fields, &level))
}

/// None: it has none, so it is no log line.
fn level(fields: &Map<String, Value>) -> Option<String> {
    match fields.get("level")? {
        Value::String(level) => Some(level.to_ascii_uppercase()),
        // As bunyan and pino write them, with whose tools some formatters for `tracing` go.
        Value::Number(level) if message(fields).is_some() => {
            let names = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
            let tens = usize::try_from(level.as_u64()? / 10).ok()?;
            let name = names.get(tens.checked_sub(1)?);
            Some((*name.unwrap_or(&"FATAL")).to_owned())
        }
        _ => None,
    }
}

fn message(fields: &Map<String, Value>) -> Option<&Value> {
    fields.get("message").or_else(|| fields.get("msg"))
}

/// `07:58:50.123  WARN  record rejected orders-0@41 reject.json: the value (40 bytes) … attempts=0`.
fn row(fields: &Map<String, Value>, level: &str) -> String {
    let style = match level {
        "WARN" | "WARNING" => WARNING,
        "ERROR" | "FATAL" | "CRITICAL" => BAD,
        "TRACE" | "DEBUG" => DIM,
        _ => Style::new(),
    };
    let mut row = String::new();
    let stamp = fields.get("timestamp").or_else(|| fields.get("time"));
    if let Some(time) = stamp.and_then(time) {
        let _ = write!(row, "{DIM}{time}{DIM:#}  ");
    }
    let level = one_row(level, FIELD_CHARS_MAX);
    let _ = write!(row, "{style}{level:<5}{style:#}");
    let [message, place, reason] = [text(message(fields)), place(fields), reason(fields)];
    // The reason would go on with the message's words.
    let colon = place.is_empty() && !message.is_empty() && !reason.is_empty();
    let message = if colon { message + ":" } else { message };
    for part in [message, place, reason] {
        if !part.is_empty() {
            row.push(' ');
            row += &part;
        }
    }
    let others = fields.iter();
    let is_shown = |name: &str| match name {
        "msg" => fields.contains_key("message"),
        "time" => fields.contains_key("timestamp"),
        name => !HIDDEN.contains(&name),
    };
    let others = others.filter(|(name, _)| is_shown(name));
    for (name, value) in others {
        let _ = write!(
            row,
            " {DIM}{}={}{DIM:#}",
            one_row(name, FIELD_CHARS_MAX),
            text(Some(value))
        );
    }
    row
}

/// None: it is no time.
fn time(value: &Value) -> Option<String> {
    let time: Timestamp = value.as_str()?.parse().ok()?;
    Some(clock::of_day(time))
}

/// `orders-0@41`, as much of it as the line has: of its own, or of the spans that it stands in.
fn place(fields: &Map<String, Value>) -> String {
    let within = |name: &str| {
        let spans = fields.get("spans").and_then(Value::as_array);
        let spans = spans.into_iter().flatten().rev();
        let mut spans = fields.get("span").into_iter().chain(spans);
        spans.find_map(|span| span.get(name)).cloned()
    };
    let field = |name: &str| match fields.get(name).cloned().or_else(|| within(name)) {
        Some(value) => text(Some(&value)),
        None => String::new(),
    };
    let mut place = field("topic");
    for (name, mark) in [("partition", '-'), ("offset", '@')] {
        let part = field(name);
        if !part.is_empty() {
            place.push(mark);
            place += &part;
        }
    }
    place
}

/// The code and the problem of a record.
fn reason(fields: &Map<String, Value>) -> String {
    let parts = ["code", "problem"].map(|name| text(fields.get(name)));
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(": ")
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => one_row(text, FIELD_CHARS_MAX),
        Some(other) => one_row(&other.to_string(), FIELD_CHARS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::{Shown, shown};
    use crate::flags::output::Logs;

    /// Without the colours, and without the time, which is that of this machine's zone.
    fn row(line: &str, logs: Logs) -> Option<String> {
        match shown(line, logs) {
            Shown::Short(row) => {
                let plain = anstream::adapter::strip_str(&row).to_string();
                Some(plain.split_once("  ").unwrap().1.to_owned())
            }
            _ => None,
        }
    }

    const REJECTED: &str = r#"{"timestamp":"2026-11-27T04:30:36.826375Z","level":"WARN","message":"record rejected","request_id":"a0fa","topic":"orders","partition":0,"offset":41,"attempts":0,"code":"reject.json","problem":"the value\nis not JSON","target":"lambda_msk::log","span":{"requestId":"a0fa","xrayTraceId":"Root=1"}}"#;

    #[test]
    fn a_log_line_is_one_row_without_the_ids_of_its_invocation() {
        let row = row(REJECTED, Logs::Warn).unwrap();

        assert_eq!(
            row,
            "WARN  record rejected orders-0@41 reject.json: the value\\nis not JSON attempts=0"
        );
    }

    #[test]
    fn a_reason_without_a_place_stands_behind_a_colon() {
        let line = r#"{"timestamp":"2026-11-27T04:30:36Z","level":"WARN","message":"the registry did not deliver","problem":"it is down"}"#;

        let row = row(line, Logs::Warn).unwrap();

        assert_eq!(row, "WARN  the registry did not deliver: it is down");
    }

    #[test]
    fn the_place_of_a_handlers_line_may_stand_in_its_span() {
        let line = r#"{"timestamp":"2026-11-27T04:30:36Z","level":"WARN","message":"slow","order":{"id":7},"span":{"name":"record","topic":"orders","partition":2,"offset":9}}"#;

        let row = row(line, Logs::Warn).unwrap();

        assert_eq!(row, "WARN  slow orders-2@9 order={\"id\":7}");
    }

    #[test]
    fn lines_below_a_warning_are_hidden_unless_all_are_asked_for() {
        let line = r#"{"timestamp":"2026-11-27T04:30:36Z","level":"info","message":"batch ended"}"#;

        assert_eq!(shown(line, Logs::Warn), Shown::Hidden);
        assert_eq!(row(line, Logs::All).unwrap(), "INFO  batch ended");
    }

    #[test]
    fn levels_may_be_numbers() {
        let line = |level: u32| {
            format!(
                r#"{{"level":{level},"time":"2026-11-27T04:30:36Z","msg":"slow","order":7,"v":0}}"#
            )
        };

        let shown_as = |level| row(&line(level), Logs::Warn);
        assert_eq!(shown_as(30), None);
        assert_eq!(shown_as(40).unwrap(), "WARN  slow order=7 v=0");
        assert_eq!(shown_as(50).unwrap(), "ERROR slow order=7 v=0");
        assert_eq!(shown_as(70).unwrap(), "FATAL slow order=7 v=0");
        assert_eq!(shown(&line(30), Logs::Warn), Shown::Hidden);
        assert_eq!(shown(&line(3), Logs::Warn), Shown::AsItIs);
    }

    #[test]
    fn what_somebody_printed_is_shown_as_it_is() {
        for line in [
            "",
            "here I am",
            r#"{"order":7}"#,
            r#"{"level":3}"#,
            r#"{"level":"WARN""#,
            "thread 'main' panicked at src/main.rs:1:1:",
        ] {
            for logs in [Logs::Warn, Logs::All] {
                assert_eq!(shown(line, logs), Shown::AsItIs, "{line}");
            }
        }
    }

    #[test]
    fn a_level_that_is_not_known_is_shown() {
        let line = r#"{"timestamp":"2026-11-27T04:30:36Z","level":"NOTICE","message":"m"}"#;

        assert_eq!(row(line, Logs::Warn).unwrap(), "NOTICE m");
    }
}
