//! `once` through `tokio-postgres`: the statements in their order, around the handler's own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, Transaction};

use crate::batches::Batch;
use crate::chunk::Chunk;
use crate::failure::Failure;
use crate::idempotency::PerRecord;
use crate::limits::{ONCE_IDLE_MS_MAX, ONCE_KEEP, ONCE_LOCK_MS_MAX, ONCE_LOCK_PART};
use crate::once::forgetting::Forgetting;
use crate::once::keys::Keys;
use crate::once::notes::{NewNotes, Notes};
use crate::once::statements::{
    ENTER, FORGET, KEYS_GIVE_BACK, KEYS_READ, KEYS_TAKE, LOCK, NOTE, OLDEST, READ,
};
use crate::outcomes::{IntoOutcomes, Outcomes};
use crate::postgres::failure::{failure, refused};
use crate::record::Record;

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Runs a closure in the handler's own transaction on the records of a chunk that no committed transaction holds, and notes these records in the same transaction: effects and note are
/// committed together, or neither is. A record's effect therefore happens once, however often the record is redelivered, retried or redriven to the function. Not so for a record that comes
/// as another one: `cargo msk dlq redrive --to topic` writes it at a new offset, and a share group's dead letter without headers and timestamp has another fingerprint. Both are the same record only
/// by [key](crate::builder::Builder::per_record).
///
/// The closure gets the [`Fresh`] records, each with its index in the batch, and returns what a batch handler returns. A record of which it says nothing is noted; one that it rejects or
/// retries is not, and must not be written. Without a fresh record the closure is not called. Return the outcomes once the transaction is committed, by [`commit`]: of a transaction in which a
/// statement has failed Postgres answers a COMMIT with no error, and rolls back.
///
/// A record is known by its offset and a fingerprint of its timestamp, key, value and headers; with [`per_record`](crate::builder::Builder::per_record), by its key. The latest
/// [`ONCE_KEEP`] records of each partition are kept. A record that is older than all of these, and may have been noted, is neither written nor left out: it is Failed
/// with the code `once.forgotten`, and its message names the command that forgets the partition's rows. It works in every order, and across partitions.
///
/// The tables are those of `cargo msk postgres schema`; the function's role needs SELECT, INSERT, UPDATE and DELETE on them. All statements are unnamed, so RDS Proxy and PgBouncer
/// can share connections. Use `query_typed` and `execute_typed` for your own too: `query` and `execute` prepare a named statement.
///
/// # Time limits
///
/// A process may be frozen within the transaction, and would hold the rows of its partitions for good. So Postgres ends a transaction that stands still for
/// [15 s](ONCE_IDLE_MS_MAX), and a wait for a lock ends before the deadline. A limit that the role has is left as it is if it is short enough
/// (`ALTER ROLE … SET idle_in_transaction_session_timeout = '15s'`, at most that, and `lock_timeout = '5s'`, at most [30 s](ONCE_LOCK_MS_MAX) and best below a third of the function's time-out). Set both
/// behind RDS Proxy, where a limit that is set in a session pins the connection. Each transaction sets those that are missing or too long. One log line at the first use says which.
///
/// # Errors
///
/// What the closure returned, or what is wrong with its outcomes; or a failure of the whole call, never of one record, if a statement of `once` itself has failed, also because the closure has ignored
/// the error of its own. Roll the transaction back, or drop it.
///
/// # Example
///
/// ```
/// use lambda_msk::postgres::tokio_postgres::types::Type;
/// use lambda_msk::postgres::{self, Database, once};
/// use lambda_msk::{Batch, Consumer, Failure, Json, Outcomes, State, batch};
///
/// async fn store(orders: Batch<Json<i64>>, State(database): State<Database>) -> Result<Outcomes, Failure> {
///     let mut session = database.session().await?;
///     let mut transaction = session.begin().await?;
///     let outcomes = once(&orders, &mut transaction, async |fresh| {
///         let ids: Vec<i64> = fresh.iter().map(|(_, Json(order))| *order).collect();
///         let insert = "INSERT INTO orders (order_id) SELECT * FROM unnest($1::int8[])";
///         let inserted = fresh.transaction().execute_typed(insert, &[(&ids, Type::INT8_ARRAY)]).await;
///         inserted.map(|_| ()).map_err(postgres::failure) // a row that cannot be written is rejected, once it stands alone
///     })
///     .await?;
///     postgres::commit(transaction).await?;
///     session.give_back();
///     Ok(outcomes)
/// }
///
/// let database = Database::new("postgres://orders:password@db.example/shop?sslmode=verify-full")?;
/// let consumer = Consumer::builder().state(database).route("orders", batch(store).across_partitions()).build()?;
/// # let _ = consumer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn once<E, F, R>(
    batch: &Batch<E>,
    transaction: &mut Transaction<'_>,
    apply: F,
) -> Result<Outcomes, Failure>
where
    E: 'static,
    F: AsyncFnOnce(Fresh<'_, E>) -> R,
    R: IntoOutcomes,
{
    let transaction: &Transaction<'_> = transaction;
    let chunk = batch.chunk();
    Box::pin(limit(transaction, chunk)).await?;
    let per_record = chunk.invocation().keys.clone();
    let mut entered = match &per_record {
        Some(per_record) => Entered::Keys(Box::pin(take(transaction, chunk, per_record)).await?),
        None => Entered::Notes(Box::pin(lock(transaction, chunk)).await?),
    };
    let fresh = entered.fresh()?;
    let outcomes = match fresh.is_empty() {
        true => None,
        false => {
            let fresh = Fresh {
                batch,
                transaction,
                indices: fresh,
            };
            apply(fresh).await.into_outcomes()?
        }
    };
    let outcomes = outcomes.unwrap_or_else(|| batch.outcomes());
    match entered {
        Entered::Notes(ref mut notes) => {
            let (outcomes, new) = notes.settle(outcomes)?;
            Box::pin(note(transaction, &new)).await?;
            Ok(outcomes)
        }
        Entered::Keys(keys) => {
            let (outcomes, undone) = keys.settle(outcomes)?;
            let undone: Vec<&str> = undone.iter().map(|id| &**id).collect();
            let undone: [Parameter<'_>; 1] = [(&undone, Type::TEXT_ARRAY)];
            // Also where none is given back: it fails if the closure has ignored an error, which a COMMIT does not.
            Box::pin(execute(transaction, KEYS_GIVE_BACK, &undone)).await?;
            Ok(outcomes)
        }
    }
}

/// Commits a transaction, and fails if Postgres would roll it back instead: in a transaction of which a statement has failed, a COMMIT is a ROLLBACK and no error.
///
/// # Errors
///
/// A statement of the transaction has failed before, and its error was ignored; a constraint that is checked at the end does not hold; or the connection broke, and then nobody knows. What it means for the
/// records is said as by [`failure`](crate::postgres::failure()).
pub async fn commit(transaction: Transaction<'_>) -> Result<(), Failure> {
    let alive = transaction.query_typed("SELECT 1", &[]).await;
    alive.map_err(failure)?;
    transaction.commit().await.map_err(failure)
}

enum Entered {
    Notes(Notes),
    Keys(Keys),
}

impl Entered {
    fn fresh(&self) -> Result<Vec<usize>, Failure> {
        match self {
            Self::Notes(notes) => notes.fresh(),
            Self::Keys(keys) => Ok(keys.fresh()),
        }
    }
}

/// The records of a chunk that no committed transaction holds: given to the closure of [`once`].
pub struct Fresh<'a, E> {
    batch: &'a Batch<E>,
    transaction: &'a Transaction<'a>,
    /// Ascending.
    indices: Vec<usize>,
}

impl<'a, E> Fresh<'a, E> {
    /// The items, each with its index in the batch, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (usize, &'a E)> + '_ {
        let batch: &'a Batch<E> = self.batch;
        self.indices
            .iter()
            .map(move |index| (*index, &batch[*index]))
    }

    /// The records, each at the place of its item in [`iter`](Self::iter).
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let records = self.indices.iter();
        records.filter_map(|index| self.batch.chunk().record(*index))
    }

    /// The number of fresh records: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// The outcomes of the whole batch: say what is not done by the index of [`iter`](Self::iter).
    pub fn outcomes(&self) -> Outcomes {
        self.batch.outcomes()
    }

    /// The transaction that was given to [`once`]. Do not commit it here.
    pub fn transaction(&self) -> &'a Transaction<'a> {
        self.transaction
    }
}

impl<E> std::fmt::Debug for Fresh<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh")
            .field("batch", &self.batch)
            .field("indices", &self.indices)
            .finish_non_exhaustive()
    }
}

/// Whether there is a limit, and one that is short enough, in this session already.
const LIMITS: &str = "\
SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval) * 1000 BETWEEN 1 AND $1::int8, \
extract(epoch FROM current_setting('lock_timeout')::interval) * 1000 BETWEEN 1 AND $2::int8";

/// Until the transaction ends.
const LIMIT: &str = "SELECT set_config(w.name, w.value, true) FROM unnest($1::text[], $2::text[]) AS w (name, value)";

/// Bounds how long the transaction may stand still, and wait for a lock.
async fn limit(transaction: &Transaction<'_>, chunk: &Chunk) -> Result<(), Failure> {
    let idle_ms = ONCE_IDLE_MS_MAX.cast_signed();
    let longest_ms = ONCE_LOCK_MS_MAX.cast_signed();
    let asked: [Parameter<'_>; 2] = [(&idle_ms, Type::INT8), (&longest_ms, Type::INT8)];
    let rows = query(transaction, LIMITS, &asked).await?;
    let is_limited = |at| {
        rows.first()
            .is_some_and(|row| row.try_get(at).unwrap_or(false))
    };
    let left = chunk.deadline().time_left();
    let left_ms = |left: Duration| i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
    let part = left.map_or(i64::MAX, |left| left_ms(left / ONCE_LOCK_PART));
    let lock_ms = part.clamp(1, longest_ms);
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (at, name, ms) in [
        (0, "idle_in_transaction_session_timeout", idle_ms),
        (1, "lock_timeout", lock_ms),
    ] {
        if !is_limited(at) {
            names.push(name);
            values.push(format!("{ms}ms"));
        }
    }
    say_limits(&names);
    if names.is_empty() {
        return Ok(());
    }
    let set: [Parameter<'_>; 2] = [(&names, Type::TEXT_ARRAY), (&values, Type::TEXT_ARRAY)];
    query(transaction, LIMIT, &set).await.map(|_| ())
}

/// Once a process.
fn say_limits(missing: &[&str]) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    match missing {
        [] => tracing::info!(
            limits = "role",
            "the time limits of transactions are the role's"
        ),
        _ => tracing::info!(
            limits = "transaction",
            set = missing.join(", "),
            "each transaction sets time limits that the role lacks or that are too long; behind RDS Proxy, set idle_in_transaction_session_timeout (at most 15s) and lock_timeout (at most 30s, below a third of the function's time-out) on the role"
        ),
    }
}

/// Locks the chunk's partitions, and reads what is noted. The statements go out together; each sees what is committed when it begins.
async fn lock(transaction: &Transaction<'_>, chunk: &Chunk) -> Result<Notes, Failure> {
    let mut notes = Notes::of_chunk(chunk)?;
    let (ids, firsts, lasts) = (notes.ids(), notes.firsts(), notes.lasts());
    let of_ids: [Parameter<'_>; 1] = [(&ids, Type::TEXT_ARRAY)];
    let within: [Parameter<'_>; 3] = [
        (&ids, Type::TEXT_ARRAY),
        (&firsts, Type::INT8_ARRAY),
        (&lasts, Type::INT8_ARRAY),
    ];
    let (entered, locked, noted) = tokio::join!(
        transaction.execute_typed(ENTER, &of_ids),
        transaction.query_typed(LOCK, &of_ids),
        transaction.query_typed(READ, &within),
    );
    // The first one that failed says why; those behind it, that the transaction is over.
    entered.map_err(refused)?;
    for row in locked.map_err(refused)? {
        let number = |at| row.try_get::<_, i64>(at).map_err(refused);
        let id: &str = row.try_get(0).map_err(refused)?;
        notes.locked(id, number(1)?, number(2)?, number(3)?);
    }
    for row in noted.map_err(refused)? {
        let NoteColumns(id, note, firsts, lasts, fingerprints) = columns(&row).map_err(refused)?;
        notes.noted(id, note, &firsts, &lasts, fingerprints)?;
    }
    Ok(notes)
}

struct NoteColumns<'r>(&'r str, i64, Vec<i64>, Vec<i64>, &'r [u8]);

/// A row's columns as `READ` and `OLDEST` select them.
fn columns(row: &Row) -> Result<NoteColumns<'_>, Error> {
    Ok(NoteColumns(
        row.try_get(0)?,
        row.try_get(1)?,
        row.try_get(2)?,
        row.try_get(3)?,
        row.try_get(4)?,
    ))
}

async fn note(transaction: &Transaction<'_>, new: &NewNotes) -> Result<(), Failure> {
    if new.is_empty() {
        return Ok(());
    }
    let parameters: [Parameter<'_>; 7] = [
        (&new.id, Type::TEXT_ARRAY),
        (&new.note, Type::INT8_ARRAY),
        (&new.first_offset, Type::INT8_ARRAY),
        (&new.last_offset, Type::INT8_ARRAY),
        (&new.range_first, Type::TEXT_ARRAY),
        (&new.range_last, Type::TEXT_ARRAY),
        (&new.fingerprints, Type::BYTEA_ARRAY),
    ];
    execute(transaction, NOTE, &parameters).await?;
    if new.crowded().is_empty() {
        return Ok(());
    }
    forget(transaction, new.crowded()).await
}

/// Deletes the oldest notes of these partitions.
async fn forget(transaction: &Transaction<'_>, crowded: &[String]) -> Result<(), Failure> {
    let keep = ONCE_KEEP as i64;
    let oldest: [Parameter<'_>; 2] = [(&crowded, Type::TEXT_ARRAY), (&keep, Type::INT8)];
    let mut forgetting = Forgetting::default();
    for row in query(transaction, OLDEST, &oldest).await? {
        let NoteColumns(id, note, firsts, lasts, fingerprints) = columns(&row).map_err(refused)?;
        forgetting.old(id, note, &firsts, &lasts, fingerprints)?;
    }
    if forgetting.is_empty() {
        return Ok(());
    }
    let (ids, firsts, lasts) = (forgetting.ids(), forgetting.firsts(), forgetting.lasts());
    let within: [Parameter<'_>; 3] = [
        (&ids, Type::TEXT_ARRAY),
        (&firsts, Type::INT8_ARRAY),
        (&lasts, Type::INT8_ARRAY),
    ];
    for row in query(transaction, READ, &within).await? {
        let NoteColumns(id, note, firsts, lasts, fingerprints) = columns(&row).map_err(refused)?;
        forgetting.noted(id, note, &firsts, &lasts, fingerprints)?;
    }
    let gone = forgetting.forgotten();
    let parameters: [Parameter<'_>; 4] = [
        (&gone.id, Type::TEXT_ARRAY),
        (&gone.note, Type::INT8_ARRAY),
        (&gone.records, Type::INT8_ARRAY),
        (&gone.below, Type::INT8_ARRAY),
    ];
    execute(transaction, FORGET, &parameters).await
}

/// Takes the keys of the chunk's records, and looks at those that others hold.
async fn take(
    transaction: &Transaction<'_>,
    chunk: &Chunk,
    per_record: &PerRecord,
) -> Result<Keys, Failure> {
    let mut keys = Keys::of(chunk, per_record);
    let (ids, validations) = (keys.ids(), keys.validations());
    let parameters: [Parameter<'_>; 4] = [
        (&ids, Type::TEXT_ARRAY),
        (&validations, Type::TEXT_ARRAY),
        (&keys.expires_s, Type::INT8),
        (&keys.now_s, Type::INT8),
    ];
    let rows = query(transaction, KEYS_TAKE, &parameters).await?;
    for row in rows {
        keys.took(row.try_get(0).map_err(refused)?);
    }
    let others = keys.others();
    if others.is_empty() {
        return Ok(keys);
    }
    let rows = query(transaction, KEYS_READ, &[(&others, Type::TEXT_ARRAY)]).await?;
    for row in rows {
        let (id, validation) = (row.try_get(0), row.try_get(1));
        keys.stands(id.map_err(refused)?, validation.map_err(refused)?);
    }
    Ok(keys)
}

async fn query(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, Failure> {
    let rows = transaction.query_typed(statement, parameters).await;
    rows.map_err(refused)
}

async fn execute(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[Parameter<'_>],
) -> Result<(), Failure> {
    let done = transaction.execute_typed(statement, parameters).await;
    done.map(|_| ()).map_err(refused)
}

#[cfg(test)]
mod tests;
