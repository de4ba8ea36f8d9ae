//! Which records of a chunk no committed transaction holds, and what is noted of those that were done. Without a database: called by `once`, and by users of other clients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::batches::Batch;
use crate::chunk::Chunk;
use crate::failure::Failure;
use crate::idempotency::{fingerprint, ledger_id};
use crate::limits::{ONCE_KEEP, ONCE_KEEP_SLACK};
use crate::once::ranges::{NoteRow, columns, not_fresh};
use crate::outcomes::Outcomes;

/// What a chunk has to do with the notes in Postgres: the parameters of the [`statements`](crate::postgres::statements), and what follows from their rows. For clients other
/// than `tokio-postgres`, for which [`once`](crate::postgres::once) does all of this.
///
/// All statements run in the transaction that holds the effects. A transaction that does not commit has noted nothing.
///
/// # Example
///
/// ```
/// use lambda_msk::limits::ONCE_KEEP;
/// use lambda_msk::postgres::{Forgetting, Notes, statements};
/// use lambda_msk::{Batch, Failure, Json, Outcomes};
/// # struct Row;
/// # impl Row { fn get<T: Default>(&self, _: &str) -> T { T::default() } }
/// # struct Transaction;
/// # impl Transaction {
/// #     async fn run(&mut self, _: &str, _: Vec<&dyn std::any::Any>) -> Result<Vec<Row>, std::io::Error> { Ok(Vec::new()) }
/// #     async fn commit(self) -> Result<(), std::io::Error> { Ok(()) }
/// # }
///
/// // `Transaction` stands for that of your client: `run` sends one statement with its parameters, and returns the rows.
/// async fn store(orders: Batch<Json<u64>>, mut transaction: Transaction) -> Result<Outcomes, Failure> {
///     // Who is frozen in here must not hold the rows for good, and who waits has to end before the deadline.
///     transaction.run("SET LOCAL idle_in_transaction_session_timeout = '15s'", vec![]).await?;
///     transaction.run("SET LOCAL lock_timeout = '10s'", vec![]).await?;
///
///     let mut notes = Notes::of(&orders)?;
///     let ids = notes.ids();
///     transaction.run(statements::ENTER, vec![&ids]).await?;
///     for row in transaction.run(statements::LOCK, vec![&ids]).await? {
///         notes.locked(&row.get::<String>("id"), row.get("next_note"), row.get("kept"), row.get("forgotten_below"));
///     }
///     let (firsts, lasts) = (notes.firsts(), notes.lasts());
///     for row in transaction.run(statements::READ, vec![&ids, &firsts, &lasts]).await? {
///         let (firsts, lasts): (Vec<i64>, Vec<i64>) = (row.get("range_first"), row.get("range_last"));
///         notes.noted(&row.get::<String>("id"), row.get("note"), &firsts, &lasts, &row.get::<Vec<u8>>("fingerprints"))?;
///     }
///
///     let mut outcomes = orders.outcomes();
///     for index in notes.fresh()? {
///         let Json(order) = &orders[index]; // write it, or say `outcomes.reject(index, …)`
/// #       let _ = order;
///     }
///
///     let (outcomes, new) = notes.settle(outcomes)?;
///     if !new.is_empty() {
///         let parameters: Vec<&dyn std::any::Any> = vec![
///             &new.id, &new.note, &new.first_offset, &new.last_offset, &new.range_first, &new.range_last, &new.fingerprints,
///         ];
///         transaction.run(statements::NOTE, parameters).await?;
///     }
///     // Now and then the oldest notes are deleted: see `Forgetting`.
/// #   let _ = (new.crowded(), ONCE_KEEP, Forgetting::default());
///     // No statement whose error is ignored may stand before this: Postgres would answer the COMMIT with no error, and roll back.
///     transaction.commit().await?;
///     Ok(outcomes)
/// }
/// ```
#[derive(Debug)]
pub struct Notes {
    /// By id, in the order of the database.
    partitions: BTreeMap<Arc<str>, PartitionNotes>,
    /// By the index of the chunk.
    places: Vec<Place>,
}

#[derive(Debug, Default)]
struct PartitionNotes {
    /// Of the chunk's records: offset and index of the chunk.
    records: BTreeSet<(i64, usize)>,
    /// *None: its row is not locked yet.*
    row: Option<PartitionRow>,
}

#[derive(Clone, Copy, Debug)]
struct PartitionRow {
    next_note: i64,
    kept: i64,
    forgotten_below: i64,
}

#[derive(Debug)]
struct Place {
    id: Arc<str>,
    offset: i64,
    fingerprint: u32,
    lane: u32,
    is_noted: bool,
}

/// What is noted of a chunk: one element of each field a partition. The fields are the parameters of [`NOTE`](crate::postgres::statements::NOTE), in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewNotes {
    /// The partitions' ids, sorted.
    pub id: Vec<String>,
    /// The numbers of the notes.
    pub note: Vec<i64>,
    /// The lowest offsets.
    pub first_offset: Vec<i64>,
    /// The highest offsets.
    pub last_offset: Vec<i64>,
    /// The first offsets of the ranges, as Postgres writes arrays: `{5,8}`.
    pub range_first: Vec<String>,
    /// The last offsets of the ranges, written alike.
    pub range_last: Vec<String>,
    /// Four bytes for each offset.
    pub fingerprints: Vec<Vec<u8>>,
    crowded: Vec<String>,
}

impl NewNotes {
    /// Whether there is nothing to note.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// The partitions of which more is kept than has to be: the parameter of [`OLDEST`](crate::postgres::statements::OLDEST).
    pub fn crowded(&self) -> &[String] {
        &self.crowded
    }
}

impl Notes {
    /// Of the records of that batch, which are known by where they stand.
    ///
    /// # Errors
    ///
    /// The event does not say which cluster its records are from, and no name is set: two clusters would share their notes. Or the consumer has
    /// [`per_record`](crate::builder::Builder::per_record): notes know a record by its offset, so two records of one key would both be written. Only [`once`](crate::postgres::once) does that.
    pub fn of<E>(batch: &Batch<E>) -> Result<Self, Failure> {
        let chunk = batch.chunk();
        if chunk.invocation().keys.is_some() {
            let why = "`Notes` know a record by its offset, and this consumer's `.per_record(…)` by its key: write with `lambda_msk::postgres::once`, or take `.per_record(…)` away";
            return Err(Failure::retry(why).code("once.per_record").whole());
        }
        Self::of_chunk(chunk)
    }

    pub(crate) fn of_chunk(chunk: &Chunk) -> Result<Self, Failure> {
        let invocation = chunk.invocation();
        if invocation.cluster.is_empty() {
            let why = "the event names no cluster, so its records cannot be told from those of another one: set LAMBDA_MSK_CLUSTER";
            return Err(Failure::retry(why).code("once.no_cluster").whole());
        }
        let mut notes = Self {
            partitions: BTreeMap::new(),
            places: Vec::with_capacity(chunk.len()),
        };
        let mut last: Option<(usize, Arc<str>)> = None;
        for (index, record) in chunk.records().enumerate() {
            let at = record.topic_partition();
            let id = match &last {
                Some((partition, id)) if *partition == record.partition_index() => Arc::clone(id),
                _ => ledger_id(&invocation.namespace, &invocation.cluster, at),
            };
            last = Some((record.partition_index(), Arc::clone(&id)));
            let partition = notes.partitions.entry(Arc::clone(&id)).or_default();
            partition.records.insert((record.offset(), index));
            notes.places.push(Place {
                id,
                offset: record.offset(),
                fingerprint: fingerprint(&record),
                lane: chunk.lane(index),
                is_noted: false,
            });
        }
        Ok(notes)
    }

    /// The ids of the chunk's partitions, sorted: `namespace/cluster/topic/partition`.
    pub fn ids(&self) -> Vec<String> {
        self.partitions.keys().map(ToString::to_string).collect()
    }

    /// The lowest offset of each partition in the chunk.
    pub fn firsts(&self) -> Vec<i64> {
        let first =
            |partition: &PartitionNotes| partition.records.first().map(|(offset, _)| *offset);
        self.partitions.values().filter_map(first).collect()
    }

    /// The highest offset of each partition in the chunk.
    pub fn lasts(&self) -> Vec<i64> {
        let last = |partition: &PartitionNotes| partition.records.last().map(|(offset, _)| *offset);
        self.partitions.values().filter_map(last).collect()
    }

    /// Takes a row of [`LOCK`](crate::postgres::statements::LOCK).
    pub fn locked(&mut self, id: &str, next_note: i64, kept: i64, forgotten_below: i64) {
        if let Some(partition) = self.partitions.get_mut(id) {
            partition.row = Some(PartitionRow {
                next_note,
                kept,
                forgotten_below,
            });
        }
    }

    /// Takes a row of [`READ`](crate::postgres::statements::READ).
    ///
    /// # Errors
    ///
    /// The row's columns do not fit each other.
    pub fn noted(
        &mut self,
        id: &str,
        note: i64,
        range_first: &[i64],
        range_last: &[i64],
        fingerprints: &[u8],
    ) -> Result<(), Failure> {
        let row = NoteRow::read(id, note, range_first, range_last, fingerprints)?;
        let Some(partition) = self.partitions.get(id) else {
            return Ok(());
        };
        for (offset, index) in &partition.records {
            let place = &mut self.places[*index];
            place.is_noted |= row.fingerprint(*offset) == Some(place.fingerprint);
        }
        Ok(())
    }

    /// The indices of the chunk whose records are to be written now: no committed transaction holds them. Ascending.
    ///
    /// A record is not among them, although it was not noted, if the notes of its time were deleted, or if it stands behind such a record in its lane: [`settle`](Self::settle) says so.
    ///
    /// # Errors
    ///
    /// A partition's row is gone: it was deleted meanwhile.
    pub fn fresh(&self) -> Result<Vec<usize>, Failure> {
        self.locked_rows()?;
        let (forgotten, behind) = self.forgotten();
        let left_out: BTreeSet<usize> = forgotten.into_iter().chain(behind).collect();
        let places = self.places.iter().enumerate();
        let fresh = places.filter(|(index, place)| !place.is_noted && !left_out.contains(index));
        Ok(fresh.map(|(index, _)| index).collect())
    }

    /// What is noted, now that the [`fresh`](Self::fresh) records were written, and the outcomes of all. Only records of which nothing was said are noted: one that is rejected or retried was not written.
    ///
    /// # Errors
    ///
    /// Something was said of a record that was not fresh, of an index that is out of range, or twice of one; or the outcomes are those of another batch. Then nothing may be committed.
    pub fn settle(&self, mut outcomes: Outcomes) -> Result<(Outcomes, NewNotes), Failure> {
        let fresh: BTreeSet<usize> = self.fresh()?.into_iter().collect();
        // Checked here, before the effects are committed: the engine looks only after that.
        let said = outcomes.said(self.places.len())?;
        if let Some(index) = said.difference(&fresh).next() {
            return Err(not_fresh(*index));
        }
        let mut new = NewNotes::default();
        for (id, row) in self.locked_rows()? {
            let partition = &self.partitions[id];
            let done = |index: &usize| fresh.contains(index) && !said.contains(index);
            let records = partition.records.iter().filter(|(_, index)| done(index));
            let mut records: Vec<(i64, u32)> = records
                .map(|(offset, index)| (*offset, self.places[*index].fingerprint))
                .collect();
            // An offset that stands twice in the event is one record.
            records.dedup_by_key(|(offset, _)| *offset);
            let (Some((first, _)), Some((last, _))) = (records.first(), records.last()) else {
                continue;
            };
            new.id.push(id.to_string());
            new.note.push(row.next_note);
            new.first_offset.push(*first);
            new.last_offset.push(*last);
            let (range_first, range_last, fingerprints) = columns(&records);
            new.range_first.push(range_first);
            new.range_last.push(range_last);
            new.fingerprints.push(fingerprints);
            if row.kept.saturating_add(records.len() as i64) > (ONCE_KEEP + ONCE_KEEP_SLACK) as i64
            {
                new.crowded.push(id.to_string());
            }
        }
        let (forgotten, behind) = self.forgotten();
        for index in forgotten {
            outcomes.fail(index, self.forgotten_failure(index));
        }
        for index in behind {
            outcomes.not_reached(index);
        }
        Ok((outcomes, new))
    }

    fn locked_rows(&self) -> Result<Vec<(&Arc<str>, PartitionRow)>, Failure> {
        let rows = self.partitions.iter().map(|(id, partition)| {
            let row = partition.row.map(|row| (id, row));
            row.ok_or_else(|| {
                let why =
                    format!("the row of {id} in lambda_msk_once is gone: it was deleted meanwhile");
                Failure::retry(why).code("once.row_gone").whole()
            })
        });
        rows.collect()
    }

    /// The first record of each lane that may have been noted and forgotten, and those behind these that are not noted.
    fn forgotten(&self) -> (Vec<usize>, Vec<usize>) {
        let (mut forgotten, mut behind) = (Vec::new(), Vec::new());
        let mut lanes = BTreeSet::new();
        for (index, place) in self.places.iter().enumerate() {
            let row = self
                .partitions
                .get(&place.id)
                .and_then(|partition| partition.row);
            let below = row.map_or(i64::MIN, |row| row.forgotten_below);
            if place.is_noted {
                continue;
            }
            if lanes.contains(&place.lane) {
                behind.push(index);
            } else if place.offset < below {
                lanes.insert(place.lane);
                forgotten.push(index);
            }
        }
        (forgotten, behind)
    }

    fn forgotten_failure(&self, index: usize) -> Failure {
        let Place { id, offset, .. } = &self.places[index];
        let row = self.partitions.get(id).and_then(|partition| partition.row);
        let below = row.map_or(0, |row| row.forgotten_below);
        let why = format!(
            "offset {offset} is older than all that is kept of its partition, which begins at {below}: it may have been written. If it was not, run the statements of `cargo msk postgres forget --keep-notes '{id}'`; if the topic was made anew, stop the mapping, then run those of `cargo msk postgres forget '{id}'`"
        );
        Failure::retry(why).code("once.forgotten")
    }
}
