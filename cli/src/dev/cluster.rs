//! The cluster of a run: how it is reached, what is written to it first, and the broker in this process.

// How it is reached.
pub(super) mod connect;
// What is written.
pub(super) mod produce;
// A broker of our own.
pub(super) mod broker;
