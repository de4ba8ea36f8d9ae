//! Text for people and for programs.

pub(crate) mod clock;
pub(crate) mod columns;
pub(crate) mod cut;
pub(crate) mod plain;
pub(crate) mod spark;
pub(crate) mod style;
