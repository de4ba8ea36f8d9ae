//! The statements that create the tables: a function's role needs no right to create any.

use crate::postgres::name::TableName;

/// Default name of the ledger's table.
pub const LEDGER_TABLE: &str = "lambda_msk_ledger";

/// Statements that create the tables of the Postgres store, and of effects that happen once in Postgres, where they do not exist: they can be run again.
///
/// `ledger` is the store's table; [`LEDGER_TABLE`] is its default name. It is none of `once`'s: [`TableName`] refuses their names. The function's role needs SELECT, INSERT, UPDATE and DELETE on the tables.
///
/// ```
/// use lambda_msk::postgres::{LEDGER_TABLE, schema};
///
/// let statements = schema(&LEDGER_TABLE.parse()?);
/// assert!(statements.contains("CREATE TABLE IF NOT EXISTS \"lambda_msk_ledger\" ("));
/// # Ok::<(), lambda_msk::postgres::TableNameError>(())
/// ```
pub fn schema(ledger: &TableName) -> String {
    format!(
        "{}\n{ONCE}",
        LEDGER.replace("{ledger}", &ledger.to_string())
    )
}

// `fillfactor` leaves room in each page, so that a row that is written again and again stays in its page. No index on `expiration` for the same reason.
const LEDGER: &str = "\
-- The idempotency store (LAMBDA_MSK_IDEMPOTENCY=postgres://…): a row is a partition's ledger, or the claim of one record by its key.
-- `cargo msk ledger sweep` deletes what has expired.
CREATE TABLE IF NOT EXISTS {ledger} (
  id text COLLATE \"C\" PRIMARY KEY,
  owner text,                              -- the last writer; null: another program
  seq bigint,                              -- the number of its write
  status text NOT NULL CHECK (status IN ('INPROGRESS', 'COMPLETED')),
  in_progress_expiration bigint NOT NULL,  -- milliseconds since 1970: held until then
  expiration bigint NOT NULL,              -- seconds since 1970: may be deleted from then on
  data bytea NOT NULL,
  validation text,
  CHECK ((owner IS NULL) = (seq IS NULL))
) WITH (fillfactor = 50);
";

// A chunk is a row of its own: a row that grew with each chunk would be written whole each time. The partition's row is what a transaction locks, and
// counts what is kept, so that no transaction has to read all notes to know what it may delete.
const ONCE: &str = "\
-- Effects that happen once, in the function's own transactions: a row for each partition. A transaction locks it before it reads or writes the partition's notes.
CREATE TABLE IF NOT EXISTS lambda_msk_once (
  id text COLLATE \"C\" PRIMARY KEY,         -- namespace/cluster/topic/partition
  next_note bigint NOT NULL DEFAULT 1,     -- the number of the next note
  kept bigint NOT NULL DEFAULT 0,          -- records in the notes that are kept
  forgotten_below bigint NOT NULL DEFAULT 0, -- an offset below it, in no note, may have been noted once
  noted_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The settled offsets of one chunk, with a fingerprint of each record.
CREATE TABLE IF NOT EXISTS lambda_msk_once_notes (
  id text COLLATE \"C\" NOT NULL,            -- as in lambda_msk_once
  note bigint NOT NULL,
  first_offset bigint NOT NULL,
  last_offset bigint NOT NULL,
  range_first bigint[] NOT NULL,           -- the first offset of each range, ascending
  range_last bigint[] NOT NULL,            -- the last offset of each range
  fingerprints bytea NOT NULL,             -- four bytes for each offset of the ranges in order, the highest byte first
  PRIMARY KEY (id, note),
  CHECK (first_offset <= last_offset),
  CHECK (cardinality(range_first) = cardinality(range_last))
);
CREATE INDEX IF NOT EXISTS lambda_msk_once_notes_offsets ON lambda_msk_once_notes (id, last_offset);

-- Records that are the same by their key (`.per_record(…)`), noted in the transaction of their effect.
CREATE TABLE IF NOT EXISTS lambda_msk_once_keys (
  id text COLLATE \"C\" PRIMARY KEY,         -- namespace/cluster/topic#hash
  validation text,                         -- the hash of the payload; null: payloads are not compared
  expiration bigint NOT NULL               -- seconds since 1970: may be deleted from then on
);
";

#[cfg(test)]
mod tests {
    use super::{LEDGER_TABLE, schema};

    #[test]
    fn every_statement_may_be_run_again() {
        let schema = schema(&LEDGER_TABLE.parse().unwrap());

        let begin = schema.lines().filter(|line| line.starts_with("CREATE "));
        let begin: Vec<&str> = begin.collect();
        assert_eq!(begin.len(), 5);
        assert!(begin.iter().all(|line| line.contains(" IF NOT EXISTS ")));
    }

    #[test]
    fn the_ledger_has_the_name_that_is_given() {
        let schema = schema(&"shop.order".parse().unwrap());

        assert!(schema.contains("CREATE TABLE IF NOT EXISTS \"shop\".\"order\" (\n"));
        assert!(!schema.contains('{'), "{schema}");
    }
}
