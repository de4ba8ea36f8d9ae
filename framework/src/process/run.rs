//! The partitions of a batch: the ledger of each is opened if there is one, its lanes run, and the partition is given back. No partition waits for another.

use std::collections::VecDeque;
use std::pin::pin;

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::idempotency::{Opened, Refusal};
use crate::lane::Lanes;
use crate::limits::LANES_WAITING_MAX;
use crate::process::batch::BatchRun;
use crate::process::end::{BatchEnd, End, LaneEnd};
use crate::record::Record;
use crate::report::Problem;

impl BatchRun<'_> {
    /// Runs all lanes, each once its partition is opened, at most so many at once as there are places.
    pub(super) async fn run_partitions(&self, lanes: &Lanes) -> BatchEnd {
        let mut ran = BatchEnd::default();
        ran.ends.resize_with(self.records.len(), || None);
        let mut ready: VecDeque<&[u32]> = VecDeque::new();
        let mut waiting: Vec<Vec<&[u32]>> = vec![Vec::new(); self.ledgers.len()];
        for lane in lanes.iter() {
            match waiting.get_mut(self.partition_of(lane)) {
                Some(lanes) => lanes.push(lane),
                // Nothing is kept.
                None => ready.push_back(lane),
            }
        }
        let mut left: Vec<usize> = waiting.iter().map(Vec::len).collect();
        let ledgers = || self.ledgers.iter().enumerate();
        let mut opening: FuturesUnordered<_> = ledgers()
            .filter_map(|(index, ledger)| Some((index, ledger.as_ref()?)))
            .map(|(index, ledger)| async move { (index, ledger, ledger.open().await) })
            .collect();
        let mut running = FuturesUnordered::new();
        let mut keeping = FuturesUnordered::new();
        let lanes_max = self.processor.concurrency + LANES_WAITING_MAX;
        let mut place = pin!(self.places.take());
        loop {
            if ready.is_empty() || running.len() >= lanes_max {
                // Nobody begins: a place that comes free is another lane's.
                place.set(self.places.take());
            }
            tokio::select! {
                // What keeps partitions comes before lanes: it is done in a moment, and they may never be.
                biased;
                Some((index, kept)) = keeping.next() => if let Err(Refusal { code, message }) = kept {
                    let at = self.records_of(index)[0].topic_partition().clone();
                    ran.unrecorded.push((at, Problem::new(code, message)));
                },
                Some((index, ledger, opened)) = opening.next() => {
                    let lanes = std::mem::take(&mut waiting[index]);
                    match opened {
                        Ok(opened) => {
                            self.opened(lanes[0], opened, &mut ran);
                            ready.extend(lanes);
                            keeping.push(async move { (index, ledger.keep().await) });
                        }
                        Err(refusal) => ran.refuse(&lanes, &refusal),
                    }
                }
                Some(ended) = self.turns.timed(&mut running) => {
                    let (lane, end): (&[u32], LaneEnd) = ended;
                    self.places.leave();
                    ran.add(self.records[lane[0] as usize].topic_partition(), end);
                    let index = self.partition_of(lane);
                    if let Some(left) = left.get_mut(index) {
                        *left -= 1;
                        if *left == 0 && let Some(ledger) = &self.ledgers[index] {
                            ledger.finish(self.lowest_unsettled(index, &ran));
                        }
                    }
                }
                () = &mut place, if !ready.is_empty() && running.len() < lanes_max => {
                    let mut placed = true;
                    while placed && let Some(lane) = ready.pop_front() {
                        running.push(async move {
                            let run = pin!(self.run_lane(lane));
                            (lane, self.turns.one_of_all(run).await)
                        });
                        let more = !ready.is_empty() && running.len() < lanes_max;
                        placed = more && self.places.take_now();
                    }
                    place.set(self.places.take());
                }
                () = self.turns.rest(), if !running.is_empty() => self.turns.begin(),
                else => break,
            }
        }
        drop(running);
        ran
    }

    fn partition_of(&self, lane: &[u32]) -> usize {
        self.records[lane[0] as usize].partition_index()
    }

    /// The decoder puts the records of a partition one after the other, in the order of partitions.
    fn start_of(&self, partition: usize) -> usize {
        self.records
            .partition_point(|record| record.partition_index() < partition)
    }

    fn records_of(&self, partition: usize) -> &[Record] {
        &self.records[self.start_of(partition)..self.start_of(partition + 1)]
    }

    /// *None: all are settled.*
    fn lowest_unsettled(&self, partition: usize, ran: &BatchEnd) -> Option<&Record> {
        let start = self.start_of(partition);
        let mut records = self.records_of(partition).iter().zip(&ran.ends[start..]);
        let settled = |end: &Option<End>| end.as_ref().is_some_and(|end| end.outcome.is_settled());
        let (record, _) = records.find(|(_, end)| !settled(end))?;
        Some(record)
    }

    /// Notes what a partition's ledger has shown of its mapping.
    fn opened(&self, lane: &[u32], opened: Opened, ran: &mut BatchEnd) {
        let at = self.records[lane[0] as usize].topic_partition();
        if opened.mapping_is_sound {
            self.processor.trust(&at.topic);
        }
        if let Some(offset) = opened.overlooked
            && !self.processor.trusts(&at.topic)
        {
            ran.overlooked.push((at.clone(), offset));
        }
        if let Some(why) = opened.without_store {
            ran.without_store.push((at.clone(), why));
        }
    }
}
