//! The function people copy.
