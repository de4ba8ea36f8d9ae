//! One sender for each service: bytes with their attributes to an address, and for each whether the other side has it.

mod chance;
mod file;

pub use self::file::{File, FileError};
