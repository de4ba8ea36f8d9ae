//! What runs said, kept: which records a function has done, in which order, and what was wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use msk_mapping::Ending;
use msk_mapping::driver::{Notice, Status};
use tokio::sync::watch;

/// Of one run, or of several that hear the same.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    kept: Arc<Mutex<Kept>>,
    number: Arc<watch::Sender<usize>>,
}

#[derive(Default)]
struct Kept {
    /// Partition and offset of each record that was answered.
    done: Vec<(i32, i64)>,
    troubles: Vec<String>,
    undelivered: Vec<String>,
    last: Option<Status>,
}

impl Seen {
    /// For a run.
    pub(crate) fn hears(&self) -> impl Fn(Notice) + Send + Sync + 'static {
        let seen = self.clone();
        move |notice| seen.hear(notice)
    }

    pub(crate) fn hear(&self, notice: Notice) {
        let mut kept = self.kept.lock().unwrap();
        match notice {
            Notice::Ended { flight, report } => {
                if let Ending::Response(_) = report.ending {
                    let of = |part: &msk_mapping::machine::Offsets| {
                        let partition = part.partition.partition();
                        let places = part.offsets.iter().map(move |offset| (partition, *offset));
                        places.collect::<Vec<_>>()
                    };
                    kept.done.extend(flight.partitions.iter().flat_map(of));
                }
            }
            Notice::Trouble { reason } => kept.troubles.push(reason),
            Notice::Undelivered { reason, .. } => kept.undelivered.push(reason),
            Notice::Status(status) => kept.last = Some(status),
            _ => {}
        }
        let number = kept.done.len();
        drop(kept);
        self.number.send_replace(number);
    }

    /// Waits until so many records were done, repeats included.
    pub(crate) async fn done(&self, number: usize) {
        let mut done = self.number.subscribe();
        done.wait_for(|done| *done >= number).await.unwrap();
    }

    pub(crate) fn number(&self) -> usize {
        self.kept.lock().unwrap().done.len()
    }

    pub(crate) fn troubles(&self) -> Vec<String> {
        self.kept.lock().unwrap().troubles.clone()
    }

    pub(crate) fn undelivered(&self) -> Vec<String> {
        self.kept.lock().unwrap().undelivered.clone()
    }

    pub(crate) fn last(&self) -> Status {
        self.kept.lock().unwrap().last.clone().unwrap()
    }

    /// Fails unless each record of each partition was done, in order at its first time. Answers with how many were done
    /// again.
    pub(crate) fn assert_all_in_order(&self, records_each: &[usize]) -> usize {
        let kept = self.kept.lock().unwrap();
        let mut seen = BTreeSet::new();
        let mut firsts: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for (partition, offset) in &kept.done {
            if seen.insert((*partition, *offset)) {
                firsts.entry(*partition).or_default().push(*offset);
            }
        }
        for (partition, records) in (0..).zip(records_each) {
            let all: Vec<i64> = (0..i64::try_from(*records).unwrap()).collect();
            let came = firsts.remove(&partition).unwrap_or_default();
            assert!(
                came == all,
                "partition {partition}: {} of {records}",
                came.len()
            );
        }
        kept.done.len() - seen.len()
    }
}
