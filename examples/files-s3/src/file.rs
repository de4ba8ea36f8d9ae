//! Files: which records each holds, its name, its lines. Called by the handler.

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Span;
use jiff::civil::date;
use lambda_msk::Record;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Records of one partition and one day, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `TOPIC/YYYY-MM-DD/TOPIC+PARTITION+FIRST+LAST`, without its ending.
    pub name: String,
    /// SHA-256 of the lines, in hex: it tells this file from any other of the name.
    pub lines_sha256: String,
    /// The lines, compressed.
    pub gzip: Vec<u8>,
}

/// A record as a line of JSON.
///
/// Key and value are text, and `null` where the record has none. Bytes that are no UTF-8 are written in base64, and then alone a field says so.
#[derive(Serialize)]
struct Line<'r> {
    topic: &'r str,
    partition: i32,
    offset: i64,
    /// Milliseconds since 1970, or -1.
    timestamp: i64,
    key: Option<Text<'r>>,
    value: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_encoding: Option<&'static str>,
}

/// Bytes in JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Text<'r> {
    AsItIs(&'r str),
    Base64(String),
}

impl<'r> Text<'r> {
    fn of(bytes: &'r [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::AsItIs(text),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    fn encoding(&self) -> Option<&'static str> {
        matches!(self, Self::Base64(_)).then_some("base64")
    }
}

impl<'r> Line<'r> {
    fn of(record: &'r Record) -> Self {
        let (key, value) = (record.key().map(Text::of), record.value().map(Text::of));
        Self {
            topic: record.topic(),
            partition: record.partition(),
            offset: record.offset(),
            timestamp: record.timestamp_millis(),
            key_encoding: key.as_ref().and_then(Text::encoding),
            value_encoding: value.as_ref().and_then(Text::encoding),
            key,
            value,
        }
    }
}

const DAY_MILLIS: i64 = 86_400_000;

/// The day of a record's time in UTC, `YYYY-MM-DD`. `unknown`: the record has no time, or one outside the years 0 to 9999.
fn day(record: &Record) -> String {
    let millis = record.timestamp_millis();
    let since_1970 = Span::new().try_days(millis.div_euclid(DAY_MILLIS));
    match since_1970.and_then(|days| date(1970, 1, 1).checked_add(days)) {
        // Kafka says -1 of a record that has no time.
        Ok(day) if millis != -1 && day.year() >= 0 => day.to_string(),
        _ => "unknown".to_owned(),
    }
}

/// The files that these records make: one for each partition and day. The same records make the same files, byte for byte, in whatever order they come.
///
/// # Errors
///
/// None in practice: all is written to memory.
pub fn files<'r>(records: impl IntoIterator<Item = &'r Record>) -> io::Result<Vec<File>> {
    let mut parts: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
    for record in records {
        let part = (record.topic(), record.partition(), day(record));
        parts.entry(part).or_default().push(record);
    }
    let file = |((topic, partition, day), mut records): (_, Vec<&Record>)| {
        records.sort_by_key(|record| record.offset());
        let offset = |record: Option<&&Record>| record.map_or(0, |record| record.offset());
        let (first, last) = (offset(records.first()), offset(records.last()));
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, &Line::of(record))?;
            lines.push(b'\n');
        }
        let lines_sha256 = hex(&Sha256::digest(&lines));
        // No time and no name in the header: the same lines are the same bytes.
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&lines)?;
        Ok(File {
            name: format!("{topic}/{day}/{topic}+{partition}+{first:019}+{last:019}"),
            lines_sha256,
            gzip: gzip.finish()?,
        })
    };
    parts.into_iter().map(file).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use lambda_msk::Record;
    use lambda_msk::testing::{Event, Sample};

    use super::{File, files, hex};
    use sha2::{Digest, Sha256};

    use crate::TOPIC;

    fn sample(partition: i32, offset: i64, timestamp: i64) -> Sample {
        let sample = Sample::new(TOPIC, partition).offset(offset);
        sample.timestamp(timestamp).key("k").value("v")
    }

    fn records(samples: Vec<Sample>) -> Vec<Record> {
        let event = Event::msk().records(samples).build();
        event.records().expect("an event")
    }

    fn names(files: &[File]) -> Vec<&str> {
        files.iter().map(|file| &*file.name).collect()
    }

    fn lines(file: &File) -> String {
        let mut lines = String::new();
        let mut gzip = GzDecoder::new(&*file.gzip);
        gzip.read_to_string(&mut lines).expect("gzip of UTF-8");
        lines
    }

    #[test]
    fn a_file_holds_the_records_of_one_partition_and_of_one_day_in_utc() {
        const MIDNIGHT: i64 = 1_767_225_600_000; // 2026-01-01T00:00Z
        let records = records(vec![
            sample(0, 7, MIDNIGHT - 1),
            sample(0, 8, MIDNIGHT),
            sample(0, 9, MIDNIGHT - 1),
            sample(0, i64::MAX, -1),
            sample(11, 3, 0),
            sample(11, 4, -2),
            sample(11, 5, i64::MAX),
            // The last day of four digits, and the first that has more.
            sample(12, 1, 253_402_300_799_999),
            sample(12, 2, 253_402_300_800_000),
            // The first day of the year 0, and the last before it.
            sample(13, 1, -62_167_219_200_000),
            sample(13, 2, -62_167_219_200_001),
            sample(14, 1, 1_709_164_800_000),
        ]);

        let files = files(&records).expect("files");

        let expected = [
            "T/2025-12-31/T+0+0000000000000000007+0000000000000000009",
            "T/2026-01-01/T+0+0000000000000000008+0000000000000000008",
            "T/unknown/T+0+9223372036854775807+9223372036854775807",
            "T/1969-12-31/T+11+0000000000000000004+0000000000000000004",
            "T/1970-01-01/T+11+0000000000000000003+0000000000000000003",
            "T/unknown/T+11+0000000000000000005+0000000000000000005",
            "T/9999-12-31/T+12+0000000000000000001+0000000000000000001",
            "T/unknown/T+12+0000000000000000002+0000000000000000002",
            "T/0000-01-01/T+13+0000000000000000001+0000000000000000001",
            "T/unknown/T+13+0000000000000000002+0000000000000000002",
            "T/2024-02-29/T+14+0000000000000000001+0000000000000000001",
        ];
        assert_eq!(names(&files), expected.map(|name| name.replace('T', TOPIC)));
    }

    #[test]
    fn a_line_is_json_with_key_and_value_as_they_came() {
        let text = "{\"a\": 1}\r\n\u{0}\"ä\u{2028}";
        let plain = Sample::new(TOPIC, 2).offset(5).timestamp(0);
        let records = records(vec![
            plain.clone().key("").value(text),
            plain.clone().offset(6),
            plain.clone().offset(7).key([0xff]).value([0xc3, 0x28]),
        ]);

        let files = files(&records).expect("files");

        let lines = lines(&files[0]);
        let head = format!(r#"{{"topic":"{TOPIC}","partition":2,"offset":"#);
        let expected = [
            format!(
                r#"{head}5,"timestamp":0,"key":"","value":{}}}"#,
                serde_json::to_string(text).expect("JSON")
            ),
            format!(r#"{head}6,"timestamp":0,"key":null,"value":null}}"#),
            format!(
                r#"{head}7,"timestamp":0,"key":"/w==","value":"wyg=","key_encoding":"base64","value_encoding":"base64"}}"#
            ),
        ];
        assert_eq!(lines.split_terminator('\n').collect::<Vec<_>>(), expected);
        assert!(lines.ends_with('\n'));
        assert_eq!(files[0].lines_sha256, hex(&Sha256::digest(&lines)));
    }

    #[test]
    fn the_same_records_make_the_same_bytes_in_whatever_order_they_come() {
        let forth = records((0..100).map(|offset| sample(0, offset, 5)).collect());
        let back: Vec<_> = forth.iter().rev().collect();

        let (forth, back) = (files(&forth).expect("files"), files(back).expect("files"));

        assert_eq!(forth, back);
        // RFC 1952: no name, no time, no operating system.
        assert_eq!(forth[0].gzip[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        assert_eq!(forth[0].gzip[9], 255);
    }
}
