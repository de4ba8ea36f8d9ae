//! The statements by which effects happen once in Postgres, as text, in the order in which a transaction runs them. [`once`](crate::postgres::once) runs them
//! through `tokio-postgres`; with another client, run them around [`Notes`](crate::postgres::Notes), whose documentation shows how.
//!
//! Types of parameters stand in the statements. Each is one statement without a name: run it unprepared if RDS Proxy or PgBouncer is between.

/// Makes the row of each partition that has none: `$1` is [`ids`](crate::postgres::Notes::ids). Run it before [`LOCK`]: a row that does not exist cannot be locked.
pub const ENTER: &str = "\
INSERT INTO lambda_msk_once (id) \
SELECT w.id FROM unnest($1::text[]) AS w (id) ORDER BY w.id COLLATE \"C\" \
ON CONFLICT (id) DO NOTHING";

/// Locks the row of each partition, in sorted order: `$1` is [`ids`](crate::postgres::Notes::ids). Give each row to [`locked`](crate::postgres::Notes::locked).
pub const LOCK: &str = "\
SELECT id, next_note, kept, forgotten_below FROM lambda_msk_once \
WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE";

/// Reads the notes that may hold a record of the chunk: `$1` is [`ids`](crate::postgres::Notes::ids), `$2` and `$3` are [`firsts`](crate::postgres::Notes::firsts) and
/// [`lasts`](crate::postgres::Notes::lasts). A statement of its own, after [`LOCK`], so that it sees what the last owner of the lock has committed. Give each row to
/// [`noted`](crate::postgres::Notes::noted).
pub const READ: &str = "\
SELECT n.id, n.note, n.range_first, n.range_last, n.fingerprints \
FROM unnest($1::text[], $2::int8[], $3::int8[]) AS w (id, first_offset, last_offset) \
JOIN lambda_msk_once_notes n ON n.id = w.id AND n.last_offset >= w.first_offset AND n.first_offset <= w.last_offset";

/// Notes what the transaction has done, one row a partition: the parameters are the fields of [`NewNotes`](crate::postgres::NewNotes) in their order.
pub const NOTE: &str = "\
WITH w AS (\
SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::text[], $6::text[], $7::bytea[]) \
AS w (id, note, first_offset, last_offset, range_first, range_last, fingerprints)), \
noted AS (\
INSERT INTO lambda_msk_once_notes (id, note, first_offset, last_offset, range_first, range_last, fingerprints) \
SELECT id, note, first_offset, last_offset, range_first::int8[], range_last::int8[], fingerprints FROM w) \
UPDATE lambda_msk_once AS o \
SET next_note = w.note + 1, kept = o.kept + octet_length(w.fingerprints) / 4, noted_at = now() \
FROM w WHERE o.id = w.id";

/// Reads the oldest notes, those to which [`ONCE_KEEP`](crate::limits::ONCE_KEEP) newer records were noted: `$1` is [`crowded`](crate::postgres::NewNotes::crowded), `$2` is `ONCE_KEEP`. Give the
/// rows to [`Forgetting`](crate::postgres::Forgetting).
pub const OLDEST: &str = "\
SELECT n.id, n.note, n.range_first, n.range_last, n.fingerprints FROM (\
SELECT *, sum(octet_length(fingerprints) / 4) OVER (PARTITION BY id ORDER BY note DESC) - octet_length(fingerprints) / 4 AS newer \
FROM lambda_msk_once_notes WHERE id = ANY($1::text[])) AS n \
WHERE n.newer >= $2::int8 ORDER BY n.id, n.note";

/// Deletes the oldest notes: the parameters are the fields of [`Forgotten`](crate::postgres::Forgotten) in their order.
pub const FORGET: &str = "\
WITH w AS (SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[]) AS w (id, note, records, below)), \
gone AS (DELETE FROM lambda_msk_once_notes AS n USING w WHERE n.id = w.id AND n.note <= w.note) \
UPDATE lambda_msk_once AS o \
SET kept = o.kept - w.records, forgotten_below = greatest(o.forgotten_below, w.below) \
FROM w WHERE o.id = w.id";

/// With [`PerRecord`](crate::idempotency::PerRecord): takes the keys that no committed transaction holds, in sorted order, and returns them. `$1` are their ids, `$2` the hashes of their payloads, `$3` when
/// they expire and `$4` the time now, in seconds since 1970.
pub const KEYS_TAKE: &str = "\
INSERT INTO lambda_msk_once_keys AS stands (id, validation, expiration) \
SELECT w.id, w.validation, $3::int8 FROM unnest($1::text[], $2::text[]) AS w (id, validation) ORDER BY w.id COLLATE \"C\" \
ON CONFLICT (id) DO UPDATE SET validation = excluded.validation, expiration = excluded.expiration \
WHERE stands.expiration < $4::int8 RETURNING id";

/// With [`PerRecord`](crate::idempotency::PerRecord): the hashes of the payloads of the keys `$1`.
pub const KEYS_READ: &str =
    "SELECT id, validation FROM lambda_msk_once_keys WHERE id = ANY($1::text[])";

/// With [`PerRecord`](crate::idempotency::PerRecord): gives back the keys `$1`, whose records were not done.
pub const KEYS_GIVE_BACK: &str = "DELETE FROM lambda_msk_once_keys WHERE id = ANY($1::text[])";
