//! What these tests have in common: a broker, topics, functions, the service that the sample function calls.

pub(crate) mod broker;
pub(crate) mod build;
pub(crate) mod echo;
#[path = "../../../../mapping/tests/support/function.rs"]
#[allow(dead_code, reason = "it can do more than these tests ask for")]
pub(crate) mod function;
pub(crate) mod group;
pub(crate) mod service;
