//! Schemas by their ids, each asked for once.
