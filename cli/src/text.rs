//! Text for people and for programs.

pub(crate) mod columns;
pub(crate) mod plain;
pub(crate) mod style;
