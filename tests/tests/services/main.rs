//! What can be shown with real servers and real processes alone: `make services`.

#![allow(
    clippy::print_stdout,
    reason = "figures for whoever asks with --nocapture"
)]
#![allow(clippy::print_stderr, reason = "a failed test shows what was logged")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod kills;
mod poison;
mod powertools;
mod support;
