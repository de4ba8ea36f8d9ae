//! What a function of lambda-msk says of its records in its log. Read by `dev` and `invoke`; other functions say nothing of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// So many records are kept with their reasons; the others are counted.
const RECORDS_MAX: usize = 10_000;
/// So many invocations may be between their first line and their last one.
const OPEN_MAX: usize = 1_000;

/// A record by where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}@{}", self.topic, self.partition, self.offset)
    }
}

/// How the function says that a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is at the function's destination.
    Rejected,
    /// It comes again.
    Failed,
    /// It does not come again, and is nowhere.
    Lost,
}

/// Why a record is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: String,
    pub(crate) why: String,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// How a record ended that was not done.
    Record {
        request: String,
        place: Place,
        end: End,
        reason: Reason,
        /// Why a record that was to be rejected has failed, as the destination's code. Empty: it was not to be rejected.
        destination: String,
    },
    /// How many of an invocation's records were rejected, also those without a line of their own.
    Batch { request: String, rejected: u64 },
    /// No handler takes the records of a topic.
    Unhandled { topic: String },
}

/// The code of a record that no handler takes: rejected, and failed.
const UNHANDLED: [&str; 2] = ["reject.no_handler", "handler.missing"];

impl Reason {
    pub(crate) fn is_unhandled(&self) -> bool {
        UNHANDLED.contains(&&*self.code)
    }
}

/// The fields that are read; other lines have others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    message: Cow<'a, str>,
    request_id: Cow<'a, str>,
    topic: Cow<'a, str>,
    partition: Option<i32>,
    offset: Option<i64>,
    code: Cow<'a, str>,
    destination: Cow<'a, str>,
    problem: Cow<'a, str>,
    rejected: Option<u64>,
}

/// What begins the lines that are read.
const MESSAGES: [&str; 4] = [
    "record rejected",
    "record failed",
    "record lost",
    "batch ended",
];
const NO_HANDLER: &str = "no handler for the records of a topic";

/// None: the line says nothing of a record.
pub(crate) fn read(line: &str) -> Option<Said> {
    // Most lines of most functions are others.
    let message = MESSAGES
        .iter()
        .chain([&NO_HANDLER])
        .find(|message| line.contains(**message))?;
    let fields = if line.starts_with('{') {
        serde_json::from_str(line).ok()?
    } else {
        text(line, message)?
    };
    said(fields)
}

fn said(fields: Fields<'_>) -> Option<Said> {
    let request = fields.request_id.into_owned();
    let end = match &*fields.message {
        "record rejected" => End::Rejected,
        "record failed" => End::Failed,
        lost if lost.starts_with("record lost") => End::Lost,
        "batch ended" => {
            let rejected = fields.rejected?;
            return Some(Said::Batch { request, rejected });
        }
        none if none.starts_with(NO_HANDLER) => {
            let topic = fields.topic.into_owned();
            return Some(Said::Unhandled { topic });
        }
        _ => return None,
    };
    Some(Said::Record {
        request,
        place: Place {
            topic: fields.topic.into_owned(),
            partition: fields.partition?,
            offset: fields.offset?,
        },
        end,
        reason: Reason {
            code: fields.code.into_owned(),
            why: fields.problem.into_owned(),
        },
        destination: fields.destination.into_owned(),
    })
}

/// A line of `AWS_LAMBDA_LOG_FORMAT=Text`: the message, then each field as `name=value`, texts in quotes.
fn text<'a>(line: &'a str, message: &'a str) -> Option<Fields<'a>> {
    let (_, rest) = line.split_once(message)?;
    let mut fields = Fields {
        message: message.into(),
        ..Fields::default()
    };
    for (name, value) in Pairs(rest) {
        match name {
            "request_id" => fields.request_id = value,
            "topic" => fields.topic = value,
            "partition" => fields.partition = value.parse().ok(),
            "offset" => fields.offset = value.parse().ok(),
            "code" => fields.code = value,
            "destination" => fields.destination = value,
            "problem" => fields.problem = value,
            "rejected" => fields.rejected = value.parse().ok(),
            _ => {}
        }
    }
    Some(fields)
}

/// The `name=value` of a line; words between them are passed over.
struct Pairs<'a>(&'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let equals = self.0.find('=')?;
        let (before, after) = (&self.0[..equals], &self.0[equals + 1..]);
        let name = before.rsplit(' ').next().unwrap_or(before);
        if let Some(quoted) = after.strip_prefix('"') {
            let end = closing(quoted)?;
            self.0 = &quoted[end + 1..];
            return Some((name, unescaped(&quoted[..end])));
        }
        let end = after.find(' ').unwrap_or(after.len());
        self.0 = &after[end..];
        Some((name, after[..end].into()))
    }
}

/// Where the quote that ends a text stands.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// A text as Rust's `Debug` escapes it.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (char, false) => plain.push(char),
            (_, true) => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('u') => {
                    let digits: String = chars.by_ref().take_while(|char| *char != '}').collect();
                    let number = u32::from_str_radix(digits.trim_start_matches('{'), 16);
                    plain.extend(number.ok().and_then(char::from_u32));
                }
                Some(other) => plain.push(other),
                None => {}
            },
        }
    }
    plain.into()
}

/// The rejected records of a run, each once, however often it is told of.
#[derive(Debug, Default)]
pub(crate) struct Rejected {
    records: BTreeMap<Place, Reason>,
    /// Told of by number alone.
    uncounted: u64,
    /// Of invocations that have not ended: how many of their rejected records had a line.
    open: HashMap<String, u64>,
}

impl Rejected {
    /// Whether the record is new to it.
    pub(crate) fn add(&mut self, place: Place, reason: Reason) -> bool {
        if self.records.contains_key(&place) {
            return false;
        }
        if self.records.len() < RECORDS_MAX {
            self.records.insert(place, reason);
        } else {
            self.uncounted += 1;
        }
        true
    }

    /// A record that lies at the destination, of which the log may say nothing, or that it was one of so many.
    pub(crate) fn add_letter(&mut self, place: Place, reason: Reason) {
        if self.add(place, reason) {
            self.uncounted = self.uncounted.saturating_sub(1);
        }
    }

    /// Those of another invocation too.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (place, reason) in &other.records {
            self.add(place.clone(), reason.clone());
        }
        self.uncounted += other.uncounted;
    }

    /// A line of an invocation about one record.
    pub(crate) fn line(&mut self, request: &str) {
        if self.open.len() < OPEN_MAX || self.open.contains_key(request) {
            *self.open.entry(request.to_owned()).or_default() += 1;
        }
    }

    /// An invocation has ended, and its last line gave the number of all its rejected records. How many it rejected.
    pub(crate) fn ended(&mut self, request: &str, rejected: u64) -> u64 {
        let lines = self.open.remove(request).unwrap_or_default();
        self.uncounted += rejected.saturating_sub(lines);
        rejected.max(lines)
    }

    pub(crate) fn count(&self) -> u64 {
        self.records.len() as u64 + self.uncounted
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &Reason)> {
        self.records.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Place, Reason, Rejected, Said, read};

    fn place(offset: i64) -> Place {
        Place {
            topic: "orders".to_owned(),
            partition: 1,
            offset,
        }
    }

    fn reason(code: &str, why: &str) -> Reason {
        Reason {
            code: code.to_owned(),
            why: why.to_owned(),
        }
    }

    #[test]
    fn both_formats_of_the_log_say_the_same() {
        let json = r#"{"timestamp":"t","level":"WARN","message":"record rejected","request_id":"r1","topic":"orders","partition":1,"offset":41,"attempts":0,"code":"reject.json","problem":"a \"b\" at `.`","target":"lambda_msk::log"}"#;
        let text = r#"t  WARN Lambda runtime invoke{requestId="r1"}: lambda_msk::log: record rejected request_id="r1" topic="orders" partition=1 offset=41 attempts=0 code="reject.json" problem="a \"b\" at `.`""#;

        let said = Said::Record {
            request: "r1".to_owned(),
            place: place(41),
            end: End::Rejected,
            reason: reason("reject.json", "a \"b\" at `.`"),
            destination: String::new(),
        };
        assert_eq!(read(json), Some(said.clone()));
        assert_eq!(read(text), Some(said));
    }

    #[test]
    fn a_record_that_was_to_be_rejected_has_its_rejections_code_and_the_destinations() {
        let json = r#"{"level":"ERROR","message":"record failed","request_id":"r1","topic":"orders","partition":1,"offset":41,"attempts":0,"code":"reject.json","destination":"destination.missing","problem":"no"}"#;
        let text = r#"t ERROR lambda_msk::log: record failed request_id="r1" topic="orders" partition=1 offset=41 attempts=0 code="reject.json" destination="destination.missing" problem="no""#;

        let said = Said::Record {
            request: "r1".to_owned(),
            place: place(41),
            end: End::Failed,
            reason: reason("reject.json", "no"),
            destination: "destination.missing".to_owned(),
        };
        assert_eq!(read(json), Some(said.clone()));
        assert_eq!(read(text), Some(said));
    }

    #[test]
    fn a_line_that_only_quotes_the_words_says_nothing() {
        for line in [
            "record rejected",
            "a record failed today",
            r#"{"message":"my record failed","topic":"orders","partition":1,"offset":1}"#,
            r#"{"note":"batch ended""#,
            r#"record lost topic="orders"#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_record_that_is_rejected_twice_counts_once_and_those_without_a_line_count() {
        let mut rejected = Rejected::default();
        for offset in [1, 2, 1] {
            rejected.add(place(offset), reason("reject.json", "no"));
            rejected.line("r1");
        }

        rejected.ended("r1", 5);
        rejected.ended("r2", 0);

        assert_eq!(rejected.count(), 4);
        assert_eq!(rejected.iter().count(), 2);
    }
}
