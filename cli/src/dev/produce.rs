//! `--produce`: what fills a topic. Lines of JSON, text, hex or base64, or whole events as Lambda sends them.

mod event;
mod format;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use msk_mapping::driver::{Outgoing, Producer};
use msk_mapping::record::Header;

pub(crate) use self::format::Format;
use crate::fault::Fault;

/// All files together: what a desk can be asked to keep in memory.
const BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A record to be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) topic: String,
    /// None: by the key, or any.
    pub(crate) partition: Option<i32>,
    key: Option<Bytes>,
    value: Option<Bytes>,
    headers: Vec<Header>,
    /// None: now.
    timestamp: Option<i64>,
}

impl Wanted {
    fn outgoing(&self) -> Outgoing<'_> {
        let mut outgoing = Outgoing::to(&self.topic);
        outgoing.partition = self.partition;
        outgoing.key = self.key.as_deref();
        outgoing.value = self.value.as_deref();
        outgoing.headers = &self.headers;
        outgoing.timestamp = self.timestamp;
        outgoing
    }
}

/// Reads all files. Lines go to the first topic, records of an event to their own. What cannot be produced is left out,
/// with a remark.
pub(crate) fn read(
    files: &[PathBuf],
    format: Option<Format>,
    topics: &[String],
) -> Result<(Vec<Wanted>, Vec<String>), Fault> {
    let (mut wanted, mut remarks) = (Vec::new(), Vec::new());
    let mut left = BYTES_MAX;
    for file in files {
        let name = file.display().to_string();
        let bytes = contents(file, left).map_err(|error| {
            Fault::new(format!("cannot read {name}"))
                .at(error.to_string())
                .help("--produce takes lines of JSON (each the value of a record), and Kafka events such as those in events/;\n\
                 for lines of text, hex or base64 give --produce-format")
        })?;
        left -= bytes.len() as u64;
        for record in records(&name, &bytes, format, topics)? {
            match record {
                Ok(record) => wanted.push(record),
                Err(remark) => remarks.push(remark),
            }
        }
    }
    Ok((wanted, remarks))
}

fn contents(path: &Path, left: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path)?)
    };
    source.take(left + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > left {
        return Err(io::Error::other(format!(
            "that is more than {} MB in all",
            BYTES_MAX / 1024 / 1024
        )));
    }
    Ok(bytes)
}

/// The records of an event, if the file is one; else one record a line.
fn records(
    name: &str,
    bytes: &[u8],
    format: Option<Format>,
    topics: &[String],
) -> Result<Vec<Result<Wanted, String>>, Fault> {
    if matches!(format, None | Some(Format::Event)) {
        if let Some(records) = event::read(name, bytes)? {
            let wanted = records.into_iter();
            return Ok(wanted.map(|record| record.wanted(name, topics)).collect());
        }
        if format.is_some() {
            return Err(format::no_event(name, bytes));
        }
    }
    let values = format.unwrap_or(Format::Json).values(name, bytes)?;
    let Some(topic) = topics.first() else {
        return Ok(Vec::new());
    };
    let wanted = |value| {
        Ok(Wanted {
            topic: topic.clone(),
            partition: None,
            key: None,
            value: Some(value),
            headers: Vec::new(),
            timestamp: None,
        })
    };
    Ok(values.into_iter().map(wanted).collect())
}

/// Writes them all, and says how many.
pub(crate) async fn produce(producer: &Producer, wanted: &[Wanted]) -> Result<usize, Fault> {
    let records: Vec<Outgoing<'_>> = wanted.iter().map(Wanted::outgoing).collect();
    producer.send(&records).await.map_err(|error| {
        Fault::from_error(&error).help(if error.is_too_large() {
            "--set message.max.bytes=… lets larger records out (1000000 unless it is set); a broker has a bound of its own,\n\
             max.message.bytes of the topic"
        } else {
            "the topic has to exist, and have the partitions that the event names"
        })
    })
}
