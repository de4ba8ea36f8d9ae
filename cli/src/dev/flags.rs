//! The values of the flags of `dev`, each read by clap or before anything is asked of a broker.

// Topics, brokers, ARNs.
pub(super) mod names;
// How to emulate behaviour that AWS does not document.
pub(super) mod reading;
// Where a group begins.
pub(super) mod start;
// Which registry's schemas records are checked by.
pub(super) mod schemas;
// Whose AWS credentials sign in.
pub(super) mod iam;
// What the mapping is set to.
pub(super) mod settings;
// Which template is read.
pub(super) mod chosen;
