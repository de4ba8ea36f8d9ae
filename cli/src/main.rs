//! `cargo msk`.
fn main() {}
