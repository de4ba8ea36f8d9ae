-- The idempotency store (LAMBDA_MSK_IDEMPOTENCY=postgres://…): a row is a partition's ledger, or the claim of one record by its key.
-- `cargo msk ledger sweep` deletes what has expired.
CREATE TABLE IF NOT EXISTS "lambda_msk_ledger" (
  id text COLLATE "C" PRIMARY KEY,
  owner text,                              -- the last writer; null: another program
  seq bigint,                              -- the number of its write
  status text NOT NULL CHECK (status IN ('INPROGRESS', 'COMPLETED')),
  in_progress_expiration bigint NOT NULL,  -- milliseconds since 1970: held until then
  expiration bigint NOT NULL,              -- seconds since 1970: may be deleted from then on
  data bytea NOT NULL,
  validation text,
  CHECK ((owner IS NULL) = (seq IS NULL))
) WITH (fillfactor = 50);

-- Effects that happen once, in the function's own transactions: a row for each partition. A transaction locks it before it reads or writes the partition's notes.
CREATE TABLE IF NOT EXISTS lambda_msk_once (
  id text COLLATE "C" PRIMARY KEY,         -- namespace/cluster/topic/partition
  next_note bigint NOT NULL DEFAULT 1,     -- the number of the next note
  kept bigint NOT NULL DEFAULT 0,          -- records in the notes that are kept
  forgotten_below bigint NOT NULL DEFAULT 0, -- an offset below it, in no note, may have been noted once
  noted_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The settled offsets of one chunk, with a fingerprint of each record.
CREATE TABLE IF NOT EXISTS lambda_msk_once_notes (
  id text COLLATE "C" NOT NULL,            -- as in lambda_msk_once
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
  id text COLLATE "C" PRIMARY KEY,         -- namespace/cluster/topic#hash
  validation text,                         -- the hash of the payload; null: payloads are not compared
  expiration bigint NOT NULL               -- seconds since 1970: may be deleted from then on
);

-- This function's own tables.
CREATE TABLE IF NOT EXISTS orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- order of insertion: as in the partition
  order_id bigint NOT NULL,   -- not unique: exactly once comes from `once`, not from here
  customer_id text NOT NULL,
  amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
  kafka_partition integer NOT NULL,
  kafka_offset bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS balances (customer_id text PRIMARY KEY, orders bigint NOT NULL, amount_cents numeric NOT NULL);
