//! What stands before a payload or in a header: a schema's id.
