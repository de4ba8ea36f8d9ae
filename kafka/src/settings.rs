//! The settings of one client, as librdkafka names them. Made by `Cluster` for each kind of client.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// The settings of a librdkafka client, by name.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets a value, and replaces an earlier one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of a setting. None: it is not set, so librdkafka's default applies.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| &**value)
    }

    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// The same for librdkafka, which logs warnings and what is worse.
    pub(crate) fn into_config(self) -> ClientConfig {
        let mut config: ClientConfig = self.into_iter().collect();
        config.set_log_level(RDKafkaLogLevel::Warning);
        config
    }
}

impl IntoIterator for Settings {
    type Item = (String, String);
    type IntoIter = std::collections::btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The names: a value may be a password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
