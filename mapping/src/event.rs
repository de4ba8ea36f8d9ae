//! The event, exactly as Lambda sends it. Made by the machine for a batch, measured while the batch grows.

mod size;
mod source;
mod write;

use bytes::Bytes;

pub use self::size::Size;
pub use self::source::{Nulls, Source};
use self::write::{Sink, envelope_end, envelope_start, record};
use crate::record::Record;

/// The parts that all events of a mapping share.
///
/// # Example
///
/// ```
/// use msk_mapping::event::{Envelope, Nulls, Source};
/// use msk_mapping::record::{Record, TopicPartition};
///
/// let source = Source::SelfManaged { bootstrap_servers: None };
/// let envelope = Envelope::new(source, Nulls::Absent);
/// let record = Record::new(TopicPartition::new("orders", 0), 15).with_value("{}").with_header("h", vec![0xc3, 0xab]);
/// assert_eq!(
///     envelope.event([&record]),
///     r#"{"eventSource":"SelfManagedKafka","records":{"orders-0":[{"topic":"orders","partition":0,"offset":15,
/// "timestamp":-1,"timestampType":"CREATE_TIME","value":"e30=","headers":[{"h":[-61,-85]}]}]}}"#.replace('\n', "")
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    source: Source,
    nulls: Nulls,
}

impl Envelope {
    /// The envelope of a source's events.
    pub fn new(source: Source, nulls: Nulls) -> Self {
        Self { source, nulls }
    }

    /// The source of the records.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The event of some records, as JSON. The records of one partition have to be adjacent.
    pub fn event<'r>(&self, records: impl IntoIterator<Item = &'r Record>) -> Bytes {
        let mut json = Vec::new();
        envelope_start(&mut json, &self.source);
        let mut last: Option<&Record> = None;
        for next in records {
            match last {
                Some(last) if last.partition == next.partition => json.raw(b","),
                Some(_) => {
                    json.raw(b"],");
                    write::partition_start(&mut json, &next.partition);
                }
                None => write::partition_start(&mut json, &next.partition),
            }
            record(&mut json, next, self.nulls);
            last = Some(next);
        }
        if last.is_some() {
            json.raw(b"]");
        }
        envelope_end(&mut json);
        Bytes::from(json)
    }
}
