//! Every bound of this crate, unit last, with its reason.
