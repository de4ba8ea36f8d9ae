//! Letters and folders for the tests of destinations.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::destination::DeadLetter;
use crate::key_texts::KeyTexts;
use crate::partition::TopicPartition;
use crate::record::{
    Batch, EventSource, EventSourceKind, PartitionEntry, RecordEntry, Span, TimestampType,
};
use crate::schemas::{BatchSchemas, Typed};

/// An invocation that started at 2026-11-22T08:00:00.123Z.
pub(crate) fn invocation(deadline: Deadline) -> Arc<Context> {
    Arc::new(Context {
        key_texts: KeyTexts::default(),
        schemas: BatchSchemas::new(&Typed::none()),
        request_id: "8f2c1d3e-0000-4000-8000-000000000001".to_owned(),
        function_arn: "arn:aws:lambda:eu-central-1:123456789012:function:orders".to_owned(),
        deadline,
        clock: Clock::From {
            start: "2026-11-22T08:00:00.123Z".parse().unwrap(),
            at: Instant::now(),
        },
        namespace: "orders".into(),
        cluster: "orders-cluster".into(),
        keys: None,
    })
}

/// Letters whose sending may last that long, one for each of the records' values as they stand in the event's JSON.
pub(crate) fn letters_until(send: Duration, values: &[String]) -> Vec<DeadLetter> {
    let deadline = Deadline::after(send, Duration::ZERO);
    let invocation = invocation(deadline);
    values
        .iter()
        .enumerate()
        .map(|(at, value)| letter_of(&invocation, 15 + at as i64, &raw(15 + at as i64, value)))
        .collect()
}

/// So many small letters, without a deadline.
pub(crate) fn letters(count: usize) -> Vec<DeadLetter> {
    let invocation = invocation(Deadline::UNKNOWN);
    (0..count as i64)
        .map(|at| letter_of(&invocation, 15 + at, &raw(15 + at, "bm90IGpzb24=")))
        .collect()
}

/// The letter of one record that stands so in the event.
pub(crate) fn letter_of(invocation: &Arc<Context>, offset: i64, raw: &str) -> DeadLetter {
    let message = "expected ident at line 1 column 2".to_owned();
    DeadLetter::new(record(offset, raw), "reject.json", message, 0, invocation)
}

fn raw(offset: i64, value: &str) -> String {
    format!(
        r#"{{"topic":"orders","partition":0,"offset":{offset},"timestamp":1545084650987,"timestampType":"CREATE_TIME","value":"{value}","headers":[]}}"#
    )
}

fn record(offset: i64, raw: &str) -> crate::record::Record {
    let batch = Arc::new(Batch {
        body: Bytes::from(raw.to_owned()),
        arena: Vec::new().into(),
        source: EventSource {
            kind: EventSourceKind::Msk,
            arn: Some("arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1".to_owned()),
            bootstrap_servers: Some("b-1.orders:9098,b-2.orders:9098".to_owned()),
        },
        partitions: vec![PartitionEntry {
            identifier: "orders-0".into(),
            topic_partition: TopicPartition::new("orders", 0),
        }],
        records: vec![RecordEntry {
            partition: 0,
            offset,
            timestamp_ms: 1_545_084_650_987,
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: None,
            headers: Span { start: 0, len: 0 },
            key_schema: None,
            value_schema: None,
            raw: Span {
                start: 0,
                len: raw.len() as u32,
            },
            fault: None,
        }]
        .into(),
        headers: Vec::new(),
        schemas: Vec::new(),
        faults: Vec::new(),
        redrives: 0,
        disorder: None,
    });
    batch.iter().next().unwrap()
}

/// A folder of a test's own, gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("lambda-msk-{process}-{count}"));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
