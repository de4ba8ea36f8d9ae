//! Keys and values of an event's records, for people who ask to see them: as JSON, as text, or by their schemas. Used by `dev` and
//! `invoke`.

// Keys and values.
mod part;
// Why typed ones cannot be read.
mod unread;
// A registry's schemas.
#[cfg(feature = "schemas")]
mod by_schema;
#[cfg(not(feature = "schemas"))]
#[path = "payloads/absent.rs"]
mod by_schema;

use bytes::Bytes;
use lambda_msk::Record;
use lambda_msk::testing::Event;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

pub(crate) use self::by_schema::Reader;
use self::part::Part;
pub(crate) use self::unread::Unread;
use crate::text::columns::one_row;
use crate::text::style::DIM;

/// So many records of an event are shown; the others are counted.
const RECORDS_MAX: usize = 100;
/// Most characters of a key or a value that are shown.
const SHOWN_CHARS_MAX: usize = 2_000;

/// The records of one event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Payloads {
    pub(crate) rows: Vec<Row>,
    /// So many records are not among them.
    pub(crate) more: usize,
    /// Why typed payloads are shown by their size.
    pub(crate) remark: Option<String>,
}

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) place: String,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The records of an event. Empty for what is no event of Kafka: the delivery says so.
pub(crate) async fn read(body: &Bytes, reader: &Reader) -> Payloads {
    let Ok(mut records) = Event::from(body.clone()).records() else {
        return Payloads::default();
    };
    let more = records.len().saturating_sub(RECORDS_MAX);
    records.truncate(RECORDS_MAX);
    let (keys, of_keys) = parts(&records, Part::Key, reader).await;
    let (values, of_values) = parts(&records, Part::Value, reader).await;
    let rows = records.iter().zip(keys).zip(values);
    let remark = of_keys.or(of_values);
    let remark = remark.map(|it| format!("typed payloads are shown by their size: {}", it.text()));
    let row = |((record, key), value): ((&Record, String), String)| Row {
        place: format!(
            "{}-{}@{}",
            record.topic(),
            record.partition(),
            record.offset()
        ),
        key,
        value,
    };
    Payloads {
        rows: rows.map(row).collect(),
        more,
        remark,
    }
}

/// Keys and values that are typed, as JSON.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    /// Of each record. None: not typed, or it could not be read.
    pub(crate) keys: Vec<Option<Bytes>>,
    pub(crate) values: Vec<Option<Bytes>>,
    /// Why the first of those that could not be read could not.
    pub(crate) unread: Option<Unread>,
}

/// What is typed of records, for who shows it otherwise than [`read`].
pub(crate) async fn typed(records: &[Record], reader: &Reader) -> Typed {
    let mut typed = Typed::default();
    for part in [Part::Key, Part::Value] {
        let (read, unread) = typed_parts(records, part, reader).await;
        typed.unread = typed.unread.or(unread);
        let mut all = Vec::with_capacity(read.len());
        for (record, read) in records.iter().zip(read) {
            all.push(match read.flatten() {
                Some(Ok(json)) => Some(json),
                Some(Err(reason)) => {
                    let unread = || Unread::Because(format!("{record}: {reason}"));
                    typed.unread.get_or_insert_with(unread);
                    None
                }
                None => None,
            });
        }
        match part {
            Part::Key => typed.keys = all,
            Part::Value => typed.values = all,
        }
    }
    typed
}

/// What was read of a payload that is typed.
type Read = Option<Result<Bytes, String>>;

/// What was read of each key, or value, and why typed ones could not be. None: it is not typed.
async fn typed_parts(
    records: &[Record],
    part: Part,
    reader: &Reader,
) -> (Vec<Option<Read>>, Option<Unread>) {
    let is_typed = |record: &&Record| {
        let bytes = part.of(record);
        // The mapping may have made JSON of it.
        bytes.is_some_and(|bytes| part.is_typed(record, bytes) && !is_json(bytes))
    };
    let typed: Vec<&Record> = records.iter().filter(is_typed).collect();
    let (mut read, unread) = if typed.is_empty() {
        (Vec::new().into_iter(), None)
    } else {
        let (read, unread) = reader.read(&typed, part).await;
        (read.into_iter(), unread)
    };
    let each = records.iter().map(|record| {
        let typed = is_typed(&record);
        typed.then(|| read.next().flatten())
    });
    (each.collect(), unread)
}

/// The keys, or the values, of records, and why typed ones could not be read.
async fn parts(records: &[Record], part: Part, reader: &Reader) -> (Vec<String>, Option<Unread>) {
    let (read, unread) = typed_parts(records, part, reader).await;
    let shown = records.iter().zip(read).map(|(record, read)| {
        let Some(bytes) = part.of(record) else {
            return "null".to_owned();
        };
        let Some(read) = read else {
            return plain(bytes);
        };
        match read {
            Some(Ok(json)) => plain(&json),
            Some(Err(reason)) => format!(
                "({} bytes: {})",
                bytes.len(),
                one_row(&reason, SHOWN_CHARS_MAX)
            ),
            None => format!("({} bytes)", bytes.len()),
        }
    });
    (shown.collect(), unread)
}

impl Payloads {
    /// A line for each record, and what is to be said of the others.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let row = |row: &Row| {
            let Row { place, key, value } = row;
            format!("{place} {DIM}key{DIM:#} {key} {DIM}value{DIM:#} {value}")
        };
        let more = (self.more > 0).then(|| format!("{DIM}and {} more records{DIM:#}", self.more));
        let remark = self
            .remark
            .as_deref()
            .map(|remark| one_row(remark, SHOWN_CHARS_MAX));
        self.rows.iter().map(row).chain(more).chain(remark)
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let row = |row: &Row| json!({"record": row.place, "key": row.key, "value": row.value});
        json!({
            "records": self.rows.iter().map(row).collect::<Vec<_>>(),
            "more": self.more,
            "remark": self.remark,
        })
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Bytes without a schema: JSON and text as they are, on one row.
fn plain(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return format!("({} bytes)", bytes.len());
    };
    if is_json(bytes) {
        return one_row(&compact(text), SHOWN_CHARS_MAX);
    }
    if text.chars().any(|char| char.is_control() && char != '\n') {
        return format!("({} bytes)", bytes.len());
    }
    one_row(&format!("{text:?}"), SHOWN_CHARS_MAX)
}

/// JSON on one row: a line break in it stands between its tokens alone.
fn compact(json: &str) -> String {
    let lines = json.lines().map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
