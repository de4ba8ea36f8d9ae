//! The mapping as a state machine: one behaviour a test, then random runs.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod desk;

mod answers;
mod batching;
mod bisecting;
mod commits;
mod configuration;
mod documents;
mod event;
mod giving_up;
mod pacing;
mod queue;
mod random;
mod readings;
mod rebalance;
mod retries;
mod schemas;
