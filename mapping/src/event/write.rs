//! The bytes of an event, written or only counted: one code for both, so that the size cannot differ from the event.

use std::fmt::Display;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::source::{Nulls, Source};
use crate::record::{Header, Record, SchemaMetadata, TopicPartition};

/// Takes the bytes of an event.
pub(super) trait Sink {
    fn raw(&mut self, bytes: &[u8]);

    fn base64(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn base64(&mut self, bytes: &[u8]) {
        let start = self.len();
        self.resize(start + base64_len(bytes.len()), 0);
        let written = STANDARD.encode_slice(bytes, &mut self[start..]);
        debug_assert_eq!(written.ok(), Some(self.len() - start));
    }
}

/// Counts the bytes of an event.
#[derive(Debug, Default)]
pub(super) struct Count(pub(super) usize);

impl Sink for Count {
    fn raw(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.0 += base64_len(bytes.len());
    }
}

fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// So that JSON's own writer and `write!` write into a sink.
struct Writer<'s, S: Sink>(&'s mut S);

impl<S: Sink> Write for Writer<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.raw(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text(sink: &mut impl Sink, text: &str) {
    let written = serde_json::to_writer(Writer(sink), text);
    debug_assert!(written.is_ok(), "a sink takes everything");
}

fn number(sink: &mut impl Sink, number: impl Display) {
    let written = write!(Writer(sink), "{number}");
    debug_assert!(written.is_ok(), "a sink takes everything");
}

/// Up to the first partition.
pub(super) fn envelope_start(sink: &mut impl Sink, source: &Source) {
    sink.raw(br#"{"eventSource":"#);
    text(sink, source.event_source());
    if let Some(arn) = source.arn() {
        sink.raw(br#","eventSourceArn":"#);
        text(sink, arn);
    }
    if let Some(servers) = source.bootstrap_servers() {
        sink.raw(br#","bootstrapServers":"#);
        text(sink, servers);
    }
    sink.raw(br#","records":{"#);
}

/// Behind the last partition.
pub(super) fn envelope_end(sink: &mut impl Sink) {
    sink.raw(b"}}");
}

/// Up to the partition's first record.
pub(super) fn partition_start(sink: &mut impl Sink, partition: &TopicPartition) {
    text(sink, &partition.to_string());
    sink.raw(b":[");
}

/// One record.
pub(super) fn record(sink: &mut impl Sink, record: &Record, nulls: Nulls) {
    sink.raw(br#"{"topic":"#);
    text(sink, record.partition.topic());
    sink.raw(br#","partition":"#);
    number(sink, record.partition.partition());
    sink.raw(br#","offset":"#);
    number(sink, record.offset);
    sink.raw(br#","timestamp":"#);
    number(sink, record.timestamp);
    sink.raw(br#","timestampType":"#);
    text(sink, record.timestamp_type.as_str());
    base64(sink, br#","key":"#, record.key.as_deref(), nulls);
    schema(
        sink,
        br#","keySchemaMetadata":"#,
        record.key_schema.as_ref(),
    );
    base64(sink, br#","value":"#, record.value.as_deref(), nulls);
    let field = br#","valueSchemaMetadata":"#;
    schema(sink, field, record.value_schema.as_ref());
    sink.raw(br#","headers":["#);
    for (index, header) in record.headers.iter().enumerate() {
        if index > 0 {
            sink.raw(b",");
        }
        self::header(sink, header);
    }
    sink.raw(b"]}");
}

fn base64(sink: &mut impl Sink, field: &[u8], bytes: Option<&[u8]>, nulls: Nulls) {
    match (bytes, nulls) {
        (Some(bytes), _) => {
            sink.raw(field);
            sink.raw(b"\"");
            sink.base64(bytes);
            sink.raw(b"\"");
        }
        (None, Nulls::Null) => {
            sink.raw(field);
            sink.raw(b"null");
        }
        (None, Nulls::Absent) => {}
    }
}

fn schema(sink: &mut impl Sink, field: &[u8], schema: Option<&SchemaMetadata>) {
    if let Some(schema) = schema {
        sink.raw(field);
        sink.raw(br#"{"dataFormat":"#);
        text(sink, schema.data_format.as_str());
        sink.raw(br#","schemaId":"#);
        text(sink, &schema.schema_id);
        sink.raw(b"}");
    }
}

/// `{"name":[-61,-85]}`: bytes as Java has them, -128 to 127.
fn header(sink: &mut impl Sink, header: &Header) {
    sink.raw(b"{");
    text(sink, &header.name);
    match &header.value {
        None => sink.raw(b":null}"),
        Some(bytes) => {
            sink.raw(b":[");
            for (index, byte) in bytes.iter().enumerate() {
                if index > 0 {
                    sink.raw(b",");
                }
                number(sink, byte.cast_signed());
            }
            sink.raw(b"]}");
        }
    }
}
