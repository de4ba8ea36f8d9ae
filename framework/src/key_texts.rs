//! The texts of a batch's idempotency keys, by the places of its records. The first key of some neighbours that is read as text makes the texts of them all, in one
//! allocation. Kept by `context`; read by `delivery`.

use std::fmt::Write;
use std::sync::OnceLock;

use crate::record::Record;

/// Records whose texts are made together.
const TOGETHER: usize = 64;

/// One text for each record that was asked for, or that stands beside it. *Empty: there is no batch, as in some tests.*
#[derive(Debug, Default)]
pub(crate) struct KeyTexts {
    runs: Box<[OnceLock<Run>]>,
}

/// The texts of neighbours, back to back.
#[derive(Debug)]
struct Run {
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl KeyTexts {
    /// Of a batch of so many records.
    pub(crate) fn of(records: usize) -> Self {
        let runs = (0..records.div_ceil(TOGETHER)).map(|_| OnceLock::new());
        Self {
            runs: runs.collect(),
        }
    }

    /// Whether the record is one of the batch.
    pub(crate) fn hold(&self, record: &Record) -> bool {
        record.index() / TOGETHER < self.runs.len()
    }

    /// The text of one's key. `None` is never seen by those who have asked [`hold`](Self::hold).
    pub(crate) fn text(&self, namespace: &str, cluster: &str, record: &Record) -> Option<&str> {
        let first = record.index() / TOGETHER * TOGETHER;
        let run = self.runs.get(first / TOGETHER)?;
        let run = run.get_or_init(|| Run::of(namespace, cluster, record, first));
        let at = record.index() - first;
        let start = match at {
            0 => 0,
            _ => *run.ends.get(at - 1)? as usize,
        };
        run.text.get(start..*run.ends.get(at)? as usize)
    }
}

impl Run {
    fn of(namespace: &str, cluster: &str, record: &Record, first: usize) -> Self {
        let mut run = Self {
            text: String::new(),
            ends: Vec::with_capacity(TOGETHER),
        };
        for record in record.neighbours(first..first + TOGETHER) {
            write_key(&mut run.text, namespace, cluster, &record);
            if run.ends.is_empty() {
                // Their texts are about as long as the first one's.
                run.text.reserve((run.text.len() + 8) * (TOGETHER - 1));
            }
            run.ends.push(run.text.len() as u32);
        }
        run
    }
}

/// No `/` can stand in a namespace or a topic's name, so two different records never make the same text.
pub(crate) fn write_key(text: &mut String, namespace: &str, cluster: &str, record: &Record) {
    let at = record.topic_partition();
    for part in [namespace, "/", cluster, "/", &at.topic, "/"] {
        text.push_str(part);
    }
    let (partition, offset) = (at.partition, record.offset());
    let written = write!(text, "{partition}/{offset}/{}", record.timestamp_millis());
    written.expect("a text takes all that is written");
}
