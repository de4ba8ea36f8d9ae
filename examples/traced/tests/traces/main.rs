//! Spans as a collector gets them over HTTP: those of consumers in this process, and those of the binary that Lambda starts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod collector;
mod function;
mod http;
mod lambda;
mod spans;
