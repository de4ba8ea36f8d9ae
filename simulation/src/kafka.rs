//! The cluster: logs with gaps, and the consumer group's positions in them. Changed by `world`, polled for `polling`.

use std::collections::BTreeMap;

use msk_mapping::record::{Record, TopicPartition};

use crate::dice::Dice;
use crate::draft::{Draft, Value};
use crate::fact::{RecordId, What};
use crate::limits::START_MS;
use crate::log::Log;
use crate::share::{Acquired, MemberId, ShareGroup};

#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) names: Vec<TopicPartition>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) logs: Vec<Log>,
    /// Of Queue mode; else nobody is in it.
    pub(crate) group: ShareGroup,
    logs_made: u32,
    /// Whatever was ever appended, by partition and offset.
    stood: BTreeMap<(u32, i64), Vec<Record>>,
}

impl Cluster {
    pub(crate) fn new(names: Vec<TopicPartition>, drafts: Vec<Draft>) -> Self {
        let log = |id: usize| Log {
            id: id as u32,
            ..Log::default()
        };
        Self {
            logs: (0..names.len()).map(log).collect(),
            group: ShareGroup::default(),
            logs_made: names.len() as u32,
            names,
            drafts,
            stood: BTreeMap::new(),
        }
    }

    /// *None: the log that it was for is gone.*
    pub(crate) fn append(&mut self, record: RecordId, now_ms: u64) -> Option<What> {
        let draft = &self.drafts[record as usize];
        let (partition, gap) = (draft.partition, draft.gap);
        let log = &mut self.logs[partition as usize];
        if log.generation != draft.generation {
            return None;
        }
        let (id, offset) = (log.id, log.end + gap);
        log.end = offset + 1;
        log.entries.push((offset, record, now_ms));
        self.tell_apart(record, offset, now_ms);
        let draft = &self.drafts[record as usize];
        Some(What::Appended {
            record,
            log: id,
            partition,
            offset,
            key: draft.key,
            timestamp_ms: now_ms.cast_signed() + draft.timestamp_off_ms,
        })
    }

    /// A record that stands where another one stood, and is the same in all that it holds, its timestamp included, is that record to the function: it is skipped. To the
    /// oracle they are two, and the second would be lost. So there is none: it is a little older.
    fn tell_apart(&mut self, record: RecordId, offset: i64, now_ms: u64) {
        let at = record as usize;
        let partition = self.drafts[at].partition;
        let name = self.names[partition as usize].clone();
        let mut built = self.record(&name, offset, record, now_ms);
        while self
            .stood
            .get(&(partition, offset))
            .is_some_and(|stood| stood.contains(&built))
        {
            self.drafts[at].timestamp_off_ms -= 1;
            built = self.record(&name, offset, record, now_ms);
        }
        let stood = self.stood.entry((partition, offset)).or_default();
        stood.push(built);
    }

    /// The next records of a partition, as its poller gets them.
    pub(crate) fn fetch(&self, partition: u32, most: usize) -> Vec<(RecordId, Record)> {
        let log = &self.logs[partition as usize];
        let name = &self.names[partition as usize];
        let next = log
            .entries
            .iter()
            .filter(|(offset, ..)| *offset >= log.position);
        next.take(most)
            .map(|(offset, record, at_ms)| (*record, self.record(name, *offset, *record, *at_ms)))
            .collect()
    }

    /// The partitions of which a member would get something.
    pub(crate) fn would_get(&mut self, poller: u32) -> Vec<u32> {
        let Some(member) = self.group.member(poller) else {
            return Vec::new();
        };
        let resumed = member.resumed.iter().filter(|(_, polls)| **polls);
        let mut partitions: Vec<u32> = resumed.map(|(partition, _)| *partition).collect();
        partitions.retain(|partition| {
            let log = &self.logs[*partition as usize];
            self.group.has_more(*partition, log)
        });
        partitions
    }

    /// The next records of a partition that nobody has, for a member of the share group.
    pub(crate) fn acquire(
        &mut self,
        partition: u32,
        by: MemberId,
        most: usize,
    ) -> Vec<(Acquired, Record)> {
        let log = &self.logs[partition as usize];
        let name = &self.names[partition as usize];
        let acquired = self.group.acquire((partition, log), by, most);
        let polled = |acquired: Acquired| {
            let Acquired {
                offset,
                record,
                appended_ms,
                deliveries,
                ..
            } = acquired;
            let mut polled = self.record(name, offset, record, appended_ms);
            polled.delivery_count = deliveries;
            (acquired, polled)
        };
        acquired.into_iter().map(polled).collect()
    }

    fn record(&self, name: &TopicPartition, offset: i64, record: RecordId, at_ms: u64) -> Record {
        let draft = &self.drafts[record as usize];
        let timestamp = START_MS + at_ms.cast_signed() + draft.timestamp_off_ms;
        let mut built = Record::new(name.clone(), offset).with_timestamp(timestamp);
        if let Some(key) = draft.key {
            built = built.with_key(vec![b'k', key]);
        }
        built = match draft.value {
            Value::Number(number) => match draft.schema {
                Some(id) => built.with_value(framed(id, number)),
                None => built.with_value(number.to_string()),
            },
            Value::Garbage(number) => built.with_value(format!("garbage {number}")),
            Value::Filtered => built.with_value("skip"),
            Value::Tombstone => built,
        };
        match draft.header {
            Some(header) => built.with_header("trace", vec![header]),
            None => built,
        }
    }

    /// Takes records out of a log, those that the dice choose.
    pub(crate) fn compact(&mut self, partition: u32, dice: &mut Dice) -> Vec<RecordId> {
        let log = &mut self.logs[partition as usize];
        let mut gone = Vec::new();
        log.entries.retain(|(_, record, _)| {
            let stays = !dice.per_mille(300);
            if !stays {
                gone.push(*record);
            }
            stays
        });
        gone
    }

    /// Cuts the oldest records off a log: retention.
    pub(crate) fn cut(&mut self, partition: u32, count: usize) -> Vec<RecordId> {
        let log = &mut self.logs[partition as usize];
        let gone = log.entries.drain(..count.min(log.entries.len()));
        let gone: Vec<RecordId> = gone.map(|(_, record, _)| record).collect();
        log.start = log.entries.first().map_or(log.end, |(offset, ..)| *offset);
        gone
    }

    /// Makes a partition anew: other records will stand at the same offsets. The group's position is gone with it.
    pub(crate) fn renew(&mut self, partition: u32) -> Vec<RecordId> {
        let id = self.logs_made;
        self.logs_made += 1;
        let log = &mut self.logs[partition as usize];
        let new = Log {
            id,
            generation: log.generation + 1,
            epoch: log.epoch + 1,
            ..Log::default()
        };
        let old = std::mem::replace(log, new);
        old.entries
            .into_iter()
            .map(|(_, record, _)| record)
            .collect()
    }

    pub(crate) fn lag(&self, queue: bool) -> usize {
        let logs = (0..).zip(&self.logs);
        let lag = |(partition, log): (u32, &Log)| match queue {
            true => self.group.lag(partition, log),
            false => log.lag(),
        };
        logs.map(lag).sum()
    }
}

/// As Confluent's serializers write a small number in Avro, an int or a long.
fn framed(id: u32, number: u8) -> Vec<u8> {
    let zigzag = number << 1;
    [&[0][..], &id.to_be_bytes(), &[zigzag]].concat()
}

#[cfg(test)]
mod tests {
    use super::Cluster;
    use crate::draft::{Draft, Value};
    use crate::fact::What;
    use crate::ledger::partition_names;

    fn draft(generation: u32, timestamp_off_ms: i64, value: Value) -> Draft {
        Draft {
            partition: 0,
            key: None,
            value,
            schema: None,
            timestamp_off_ms,
            header: None,
            gap: 0,
            append_at_ms: 0,
            rejected: false,
            generation,
        }
    }

    /// The timestamp of a record that is appended a second after the log of the first one was made anew.
    fn timestamp_of(second: Draft) -> i64 {
        let first = draft(0, 0, Value::Number(7));
        let mut cluster = Cluster::new(partition_names(1), vec![first, second]);
        cluster.append(0, 5).unwrap();
        cluster.renew(0);
        let Some(What::Appended { timestamp_ms, .. }) = cluster.append(1, 1_005) else {
            panic!("its log is there");
        };
        let fetched = &cluster.fetch(0, 1)[0].1;
        assert_eq!(
            fetched.timestamp,
            crate::limits::START_MS + timestamp_ms,
            "it is polled as it was appended"
        );
        timestamp_ms
    }

    #[test]
    fn no_record_is_the_same_in_all_as_one_that_stood_at_its_place_before() {
        let same = timestamp_of(draft(1, -1_000, Value::Number(7)));
        let another_time = timestamp_of(draft(1, 0, Value::Number(7)));
        let another_value = timestamp_of(draft(1, -1_000, Value::Number(8)));

        assert_eq!((same, another_time, another_value), (4, 1_005, 5));
    }
}
