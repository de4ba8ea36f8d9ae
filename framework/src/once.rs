//! Effects that happen once in Postgres: a chunk's records and the note of them are committed together. Called by batch handlers; its public names stand in
//! [`postgres`](crate::postgres).

// Which notes are deleted.
pub(crate) mod forgetting;

// By key.
#[cfg(feature = "postgres")]
mod keys;

// By offset.
pub(crate) mod notes;

// Offsets as ranges.
mod ranges;

// The statements as text.
pub mod statements;

#[cfg(feature = "postgres")]
pub(crate) mod run;
