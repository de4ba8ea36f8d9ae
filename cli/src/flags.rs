//! Flags that several commands have.

pub(crate) mod output;
pub(crate) mod registry;
pub(crate) mod response_types;
pub(crate) mod secret;
pub(crate) mod timeout;
pub(crate) mod variable;
