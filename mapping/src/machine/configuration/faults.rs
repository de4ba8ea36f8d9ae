//! The faults of a configuration, as data.

use std::fmt;

/// Every fault of a configuration, named at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub(super) Vec<SettingFault>);

impl Faults {
    /// One after the other. There is at least one.
    pub fn iter(&self) -> impl Iterator<Item = &SettingFault> {
        self.0.iter()
    }
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingFault {
    pub(super) setting: &'static str,
    pub(super) message: String,
}

impl SettingFault {
    /// The setting, as AWS names it.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

/// The setting, what is wrong with it, and what to do.
impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting, self.message)
    }
}
