//! What tests of several stores share.

pub(super) mod cut;
