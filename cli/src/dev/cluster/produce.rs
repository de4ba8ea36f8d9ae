//! `--produce`: what fills a topic. Lines of JSON, text, hex or base64, whole events as Lambda sends them, or dead letters.

mod event;
mod format;
mod wanted;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use msk_mapping::driver::{Outgoing, Producer};

pub(crate) use self::format::Format;
use self::wanted::LeftOut;
pub(crate) use self::wanted::Wanted;
use crate::fault::Fault;
use crate::files::{letters, source};

/// Most bytes of all files together: they are kept in memory.
const BYTES_MAX: usize = 512 * 1024 * 1024;

/// Reads all files. Lines go to the first topic, records of an event or of a dead letter to their own. What cannot be
/// produced is left out, with a remark for each reason.
///
/// # Errors
///
/// A file that cannot be read, or nothing that is left of all of them: the run would be one of other records than were meant.
pub(crate) fn read(
    files: &[PathBuf],
    format: Option<Format>,
    topics: &[String],
) -> Result<(Vec<Wanted>, Vec<String>), Fault> {
    let (mut wanted, mut remarks) = (Vec::new(), Vec::new());
    let mut left = BYTES_MAX;
    for file in files {
        let name = source::name(file);
        let bytes = contents(file, left).map_err(|error| {
            Fault::new(format!("cannot read {name}"))
                .at(error.to_string())
                .help(format!("--produce takes {FORMS}"))
        })?;
        left -= bytes.len();
        let mut left_out: BTreeMap<LeftOut, usize> = BTreeMap::new();
        let records = records(&name, &bytes, format, topics)?;
        // Of one file the end tells.
        if records.is_empty() && files.len() > 1 {
            remarks.push(format!("{name} has no records"));
        }
        for record in records {
            match record {
                Ok(record) => wanted.push(record),
                Err(why) => *left_out.entry(why).or_default() += 1,
            }
        }
        let left_out = left_out.iter();
        remarks.extend(left_out.map(|(why, count)| why.remark(*count, &name)));
    }
    if wanted.is_empty() && !files.is_empty() {
        let fault = Fault::new("expected records to produce, found none");
        let fault = remarks.iter().fold(fault, Fault::at);
        return Err(fault.help(format!("--produce takes {FORMS}")));
    }
    Ok((wanted, remarks))
}

/// What a file may hold.
const FORMS: &str = "lines of JSON (each the value of a record), Kafka events such as those in events/, and dead letters;\n\
     for lines of text, hex or base64 give --produce-format";

fn contents(path: &Path, left: usize) -> io::Result<Vec<u8>> {
    let bytes = source::read(path, left)?;
    if bytes.len() > left {
        return Err(io::Error::other(format!(
            "expected at most {} MB in all, found more",
            BYTES_MAX / 1024 / 1024
        )));
    }
    Ok(bytes)
}

/// The records of an event, or of dead letters, if the file is such a one; else one record a line.
fn records(
    name: &str,
    bytes: &[u8],
    format: Option<Format>,
    topics: &[String],
) -> Result<Vec<Result<Wanted, LeftOut>>, Fault> {
    if matches!(format, None | Some(Format::Event)) {
        if let Some(wanted) = of_events(name, bytes, topics)? {
            return Ok(wanted);
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

/// The records of an event, or of dead letters. None: the file holds neither.
fn of_events(
    name: &str,
    bytes: &[u8],
    topics: &[String],
) -> Result<Option<Vec<Result<Wanted, LeftOut>>>, Fault> {
    let wanted = |records: Vec<event::Wire>| {
        let records = records.into_iter();
        records.map(|record| record.wanted(topics))
    };
    // Letters first: to whoever asks for one document, a file of several is none.
    let Some(events) = letters::events(name, bytes)? else {
        let records = event::read(name, bytes)?;
        return Ok(records.map(|records| wanted(records).collect()));
    };
    let mut all = Vec::new();
    for event in events {
        let Some(records) = event::read(name, &event)? else {
            return Err(Fault::new(format!(
                "expected a Kafka event in the payload of each dead letter of {name}, found something else"
            ))
            .help("remove letters of other kinds of sources: they cannot be fed back to a topic"));
        };
        all.extend(wanted(records));
    }
    Ok(Some(all))
}

/// Writes them all, and says how many.
pub(crate) async fn produce(producer: &Producer, wanted: &[Wanted]) -> Result<usize, Fault> {
    let records: Vec<Outgoing<'_>> = wanted.iter().map(Wanted::outgoing).collect();
    producer.send(&records).await.map_err(|error| {
        Fault::from_error(&error).help(if error.is_too_large() {
            "for larger records give --set message.max.bytes=… (1000000 unless it is set); a broker has a limit of its own,\n\
             max.message.bytes of the topic"
        } else {
            "create the topic, with the partitions that the event names"
        })
    })
}

#[cfg(test)]
mod tests;
