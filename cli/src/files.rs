//! What a command reads: a file or standard input, and what stands in it.

pub(crate) mod document;
pub(crate) mod letters;
pub(crate) mod source;
