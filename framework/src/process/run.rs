//! The partitions of a batch: the ledger of each is opened if there is one, its lanes run, and the partition is given back. No partition waits for another. A lane that needs a schema
//! which is not known waits until it is fetched, or cannot be.
//!
//! Lanes are run by workers, one a place: a worker goes on to the next lane while nobody else waits for its place, so that thousands of lanes whose handlers wait
//! for nothing cost no more than one.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::delivery::Delivery;
use crate::idempotency::{Opened, Recorder, Refusal};
use crate::lane::Lanes;
use crate::limits::LANES_WAITING_MAX;
use crate::process::batch::BatchRun;
use crate::process::chunk::ChunkRun;
use crate::process::end::{BatchEnd, End, LaneEnd};
use crate::record::Record;
use crate::report::{Overlooked, Problem};

/// The lanes of a batch while they run.
struct Running<'l> {
    /// What may begin, in the event's order.
    ready: VecDeque<Work<'l>>,
    /// Of each topic whose batch handler takes chunks of all its lanes. *Empty: there is no such topic.*
    together: BTreeMap<&'l str, Together<'l>>,
    /// Lanes of opened partitions that wait for a schema.
    held: Vec<&'l [u32]>,
    /// Schemas are fetched, or cannot be: no lane waits for one.
    fetched: bool,
    /// Of each partition that has a ledger, the lanes that have not ended.
    left: Vec<usize>,
    ran: BatchEnd,
}

/// What one worker does next.
#[derive(Clone, Copy)]
enum Work<'l> {
    Lane(&'l [u32]),
    /// All lanes of the topic.
    Together(&'l str),
}

/// The lanes of a topic that are run together.
#[derive(Default)]
struct Together<'l> {
    /// Lanes that may begin with the next chunk.
    waiting: Vec<&'l [u32]>,
    /// A worker has the topic, or will: it takes what waits.
    is_taken: bool,
}

impl BatchRun<'_> {
    /// Runs all lanes, each once its partition is opened, at most so many at once as there are places.
    pub(super) async fn run_partitions(&self, lanes: &Lanes) -> BatchEnd {
        let mut ran = BatchEnd::default();
        ran.ends.resize_with(self.records.len(), || None);
        let mut opened: Vec<&[u32]> = Vec::new();
        let mut waiting: Vec<Vec<&[u32]>> = vec![Vec::new(); self.ledgers.len()];
        for lane in lanes.iter() {
            match waiting.get_mut(self.partition_of(lane)) {
                Some(lanes) => lanes.push(lane),
                // Nothing is kept.
                None => opened.push(lane),
            }
        }
        let left = waiting.iter().map(Vec::len).collect();
        // One task polls all of these: nobody waits for the lock, which is held for moments between two records.
        let mut running = Running {
            ready: VecDeque::new(),
            together: self.topics_together(),
            held: Vec::new(),
            fetched: self.schemas.is_none(),
            left,
            ran,
        };
        self.begin_lanes(opened, &mut running);
        let lanes = Mutex::new(running);
        let ledgers = || self.ledgers.iter().enumerate();
        let mut opening: FuturesUnordered<_> = ledgers()
            .filter_map(|(index, ledger)| Some((index, ledger.as_ref()?)))
            .map(|(index, ledger)| async move { (index, ledger, ledger.open().await) })
            .collect();
        let mut workers = FuturesUnordered::new();
        let mut keeping = FuturesUnordered::new();
        let mut fetching = pin!(self.fetch_schemas());
        let workers_max = self.processor.concurrency + LANES_WAITING_MAX;
        let mut place = pin!(self.places.take());
        loop {
            let ready = lock(&lanes).ready.len();
            if ready == 0 || workers.len() >= workers_max {
                // Nobody begins: a place that comes free is another lane's.
                place.set(self.places.take());
            }
            tokio::select! {
                // What keeps partitions comes before lanes: it is done in a moment, and they may never be.
                biased;
                Some((index, kept)) = keeping.next() => if let Err(Refusal { code, message }) = kept {
                    let at = self.records_of(index)[0].topic_partition().clone();
                    lock(&lanes).ran.unrecorded.push((at, Problem::new(code, message)));
                },
                Some((index, ledger, opened)) = opening.next() => {
                    let opened_lanes = std::mem::take(&mut waiting[index]);
                    let mut lanes = lock(&lanes);
                    match opened {
                        Ok(opened) => {
                            self.opened(opened_lanes[0], opened, &mut lanes.ran);
                            self.begin_lanes(opened_lanes, &mut lanes);
                            keeping.push(async move { (index, ledger.keep().await) });
                        }
                        Err(refusal) => lanes.ran.refuse(&opened_lanes, &refusal),
                    }
                }
                () = &mut fetching, if !lock(&lanes).fetched => {
                    let lanes = &mut *lock(&lanes);
                    lanes.fetched = true;
                    for lane in std::mem::take(&mut lanes.held) {
                        self.may_begin(lane, lanes);
                    }
                }
                Some(()) = self.turns.timed(&mut workers) => {}
                () = &mut place, if ready > 0 && workers.len() < workers_max => {
                    let more = ready.min(workers_max - workers.len());
                    workers.push(Box::pin(self.one_worker(&lanes)));
                    for _ in 1..more {
                        if !self.places.take_now() {
                            break;
                        }
                        workers.push(Box::pin(self.one_worker(&lanes)));
                    }
                    place.set(self.places.take());
                }
                () = self.turns.rest(), if !workers.is_empty() => self.turns.begin(),
                else => break,
            }
        }
        drop(workers);
        let lanes = lanes.into_inner();
        lanes.unwrap_or_else(PoisonError::into_inner).ran
    }

    /// Lanes of a partition that is opened: each may begin now, or once its schemas are fetched.
    fn begin_lanes<'l>(&'l self, opened: Vec<&'l [u32]>, lanes: &mut Running<'l>) {
        for lane in opened {
            match lanes.fetched || !self.waits_for_schema(lane) {
                true => self.may_begin(lane, lanes),
                false => lanes.held.push(lane),
            }
        }
    }

    fn may_begin<'l>(&'l self, lane: &'l [u32], lanes: &mut Running<'l>) {
        let topic = || self.records[lane[0] as usize].topic();
        if !lanes.together.is_empty()
            && let Some(together) = lanes.together.get_mut(topic())
        {
            together.waiting.push(lane);
            if !std::mem::replace(&mut together.is_taken, true) {
                lanes.ready.push_back(Work::Together(topic()));
            }
            return;
        }
        lanes.ready.push_back(Work::Lane(lane));
    }

    /// The topics of the batch whose lanes are run together.
    fn topics_together(&self) -> BTreeMap<&str, Together<'_>> {
        let topics = self.processor.topics.iter();
        let across = topics.filter(|(_, route)| {
            let chunks = route.chunks.as_ref();
            chunks.is_some_and(|chunks| chunks.is_across)
        });
        across
            .map(|(topic, _)| (topic.as_str(), Together::default()))
            .collect()
    }

    async fn one_worker<'l>(&'l self, lanes: &Mutex<Running<'l>>) {
        let worker = pin!(self.run_lanes(lanes));
        self.turns.one_of_all(worker).await;
    }

    /// Runs lanes on one place, one after the other, until none is left or somebody else waits for a place.
    async fn run_lanes<'l>(&'l self, lanes: &Mutex<Running<'l>>) {
        let mut delivery = None;
        let mut end = LaneEnd::default();
        loop {
            let next = lock(lanes).ready.pop_front();
            let Some(work) = next else { break };
            self.turns.begin_lane();
            let lane = match work {
                Work::Lane(lane) => Some(lane),
                Work::Together(topic) => {
                    Box::pin(self.run_together(topic, lanes, &mut end)).await;
                    None
                }
            };
            if let Some(lane) = lane {
                let first = &self.records[lane[0] as usize];
                let delivery = delivery.get_or_insert_with(|| {
                    Delivery::new(first.clone(), Arc::clone(self.invocation), 1)
                });
                self.run_lane(lane, delivery, &mut end).await;
                self.lane_ended(lane, &mut end, &mut lock(lanes));
            }
            if self.places.is_waited_for() {
                break;
            }
        }
        self.places.leave();
    }

    /// Runs the lanes of a topic together, chunk after chunk, until none is left: also those that begin meanwhile.
    async fn run_together<'l>(
        &'l self,
        topic: &'l str,
        lanes: &Mutex<Running<'l>>,
        end: &mut LaneEnd,
    ) {
        let mut delivery = Delivery::new(self.records[0].clone(), Arc::clone(self.invocation), 1);
        let recorder = Recorder::default();
        let route = self.processor.route(topic);
        let ended = |lane: &[u32], end: &mut LaneEnd| self.lane_ended(lane, end, &mut lock(lanes));
        let run = route.and_then(|route| {
            ChunkRun::new(self, route, &mut delivery, &recorder, end, Some(&ended))
        });
        let Some(mut run) = run else { return };
        let mut first = None;
        let chunks = async {
            loop {
                for lane in run.ended_lanes() {
                    first = first.or(lane.lane.first());
                    if !lane.is_over() {
                        ended(lane.lane, run.end);
                    }
                }
                if let Some(together) = lock(lanes).together.get_mut(topic) {
                    together.waiting.drain(..).for_each(|lane| run.add(lane));
                    if run.lanes.is_empty() {
                        together.is_taken = false;
                        return;
                    }
                }
                run.round().await;
            }
        };
        match &self.claims {
            Some(_) => recorder.beside(chunks).await,
            None => chunks.await,
        }
        if let (Some(refusal), Some(&first)) = (recorder.refused(), first) {
            end.unrecorded = Some(refusal.into());
            let at = self.records[first as usize].topic_partition();
            lock(lanes).ran.add(at, end);
        }
    }

    fn lane_ended(&self, lane: &[u32], end: &mut LaneEnd, lanes: &mut Running<'_>) {
        let at = self.records[lane[0] as usize].topic_partition();
        lanes.ran.add(at, end);
        let index = self.partition_of(lane);
        if let Some(left) = lanes.left.get_mut(index) {
            *left -= 1;
            if *left == 0
                && let Some(ledger) = &self.ledgers[index]
            {
                ledger.finish(self.unsettled(index, &lanes.ran));
            }
        }
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

    /// Offsets ascend.
    fn unsettled<'e>(
        &'e self,
        partition: usize,
        ran: &'e BatchEnd,
    ) -> impl Iterator<Item = &'e Record> {
        let start = self.start_of(partition);
        let records = self.records_of(partition).iter().zip(&ran.ends[start..]);
        let settled = |end: &Option<End>| end.as_ref().is_some_and(|end| end.outcome.is_settled());
        let unsettled = records.filter(move |(_, end)| !settled(end));
        unsettled.map(|(record, _)| record)
    }

    /// Notes what a partition's ledger has shown of its mapping.
    fn opened(&self, lane: &[u32], opened: Opened, ran: &mut BatchEnd) {
        let at = self.records[lane[0] as usize].topic_partition();
        if opened.mapping_is_sound {
            self.processor.trust(&at.topic);
        }
        if let Some(reported) = opened.overlooked
            && !self.processor.trusts(&at.topic)
        {
            ran.overlooked.push(Overlooked {
                at: at.clone(),
                first: reported.offset,
                last: reported.last,
                records: reported.records.into(),
            });
        }
        if let Some(why) = opened.without_store {
            ran.without_store.push((at.clone(), why));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
