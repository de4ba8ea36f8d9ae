//! The event, from wire to batch, in one pass.
