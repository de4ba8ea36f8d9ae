//! How a Kafka cluster is reached: its brokers and librdkafka's settings. Used by all that connects.

use std::fmt;
#[cfg(feature = "share")]
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
#[cfg(feature = "share")]
use rdkafka::{Offset, TopicPartitionList, consumer::Consumer, error::KafkaError};

use super::security::Security;
use super::{Error, connect, error};
use crate::limits::{
    FETCH_BACKOFF_MS, HEARTBEAT_MS, PREFETCH_KIBIBYTES, PREFETCH_RECORDS_MIN, SESSION_MS,
    STATISTICS_MS,
};
use crate::record::TopicPartition;
#[cfg(feature = "share")]
use crate::{limits::CONNECT_MS, machine::StartingPosition};

/// Settings that the driver sets itself and cannot work without, each with what it does instead.
const OWNED: [(&str, &str); 11] = [
    ("bootstrap.servers", BROKERS),
    ("metadata.broker.list", BROKERS),
    (
        "group.id",
        "the mapping's group is that of its configuration",
    ),
    (
        "auto.offset.reset",
        "where a group without offsets begins is the mapping's starting position",
    ),
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    (
        "enable.partition.eof",
        "the mapping has to hear of the end of a partition",
    ),
    (
        "enable.idempotence",
        "what the driver writes is written once and in order",
    ),
    ("linger.ms", "the driver waits for what it writes"),
];
const BROKERS: &str = "the brokers are those that the cluster is made with";
const COMMITS: &str = "the mapping commits what is settled, and nothing else";

/// A Kafka cluster, with the settings of the client that reads it.
///
/// # Example
///
/// ```
/// use msk_mapping::driver::Cluster;
///
/// let cluster = Cluster::new("b-1.example:9096")
///     .set("security.protocol", "SASL_SSL")
///     .set("sasl.mechanism", "SCRAM-SHA-512")
///     .set("sasl.username", "alice")
///     .set("sasl.password", "s3cret");
/// assert!(!format!("{cluster:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct Cluster {
    bootstrap: String,
    settings: Vec<(String, String)>,
}

impl Cluster {
    /// The cluster behind these brokers: `HOST:PORT`, several with commas between them.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            settings: Vec::new(),
        }
    }

    /// Sets one of [librdkafka's settings](https://docs.confluent.io/platform/current/clients/librdkafka/html/md_CONFIGURATION.html).
    /// The last of a name counts, also over those that the driver sets itself, save the few that it cannot work without:
    /// [`check`](Self::check) refuses those by name.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// The brokers, as given.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Whether these settings can be meant, before anything connects: librdkafka takes them, their files are there, and
    /// this build can do what they ask for.
    ///
    /// # Errors
    ///
    /// [`Error::Security`] for a setting of TLS or SASL that says what is wrong with it, [`Error::Setting`] and
    /// [`Error::Client`] for what librdkafka refuses.
    ///
    /// # Example
    ///
    /// ```
    /// use msk_mapping::driver::Cluster;
    ///
    /// let cluster = Cluster::new("b-1.example:9098").set("sasl.mechanism", "AWS_MSK_IAM");
    /// let wrong = cluster.check().unwrap_err().to_string();
    /// assert_eq!(wrong, "the setting `sasl.mechanism`: IAM authentication and OAUTHBEARER's tokens are not supported");
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        self.check_security()?;
        // It connects once it is asked something.
        let client: Result<BaseConsumer, _> = self.common().create();
        client.map(drop).map_err(error::client)
    }

    /// The partitions of a topic, ascending. Blocks for at most six seconds.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check); [`Error::Refused`] if the cluster does not let the client in,
    /// [`Error::Unreachable`] if no broker answers, [`Error::UnknownTopic`] if it has no such topic.
    pub fn partitions(&self, topic: &str) -> Result<Vec<TopicPartition>, Error> {
        self.check_security()?;
        connect::partitions(self, topic)
    }

    /// Where a reader that starts so begins, for each of these partitions: at the end, if no record is of that time or later.
    /// Blocks for at most ten seconds a partition.
    #[cfg(feature = "share")]
    pub(super) fn starts(
        &self,
        partitions: &[TopicPartition],
        start: StartingPosition,
    ) -> Result<Vec<(TopicPartition, i64)>, KafkaError> {
        let limit = Duration::from_millis(CONNECT_MS);
        // What a share group reads by default, so that its end is behind what is open too.
        let mut config = self.common();
        config.set("isolation.level", "read_uncommitted");
        let client: BaseConsumer = config.create()?;
        let offset = |partition: &TopicPartition| {
            let (topic, number) = (partition.topic(), partition.partition());
            let (low, high) = client.fetch_watermarks(topic, number, limit)?;
            let at = match start {
                StartingPosition::TrimHorizon => low,
                StartingPosition::Latest => high,
                StartingPosition::AtTimestamp(millis) => {
                    let mut list = TopicPartitionList::new();
                    list.add_partition_offset(topic, number, Offset::Offset(millis))?;
                    let found = client.offsets_for_times(list, limit)?;
                    let found = found.find_partition(topic, number);
                    let offset = found.and_then(|found| found.offset().to_raw());
                    // Negative: there is none.
                    offset.filter(|offset| *offset >= 0).unwrap_or(high)
                }
            };
            Ok((partition.clone(), at))
        };
        partitions.iter().map(offset).collect()
    }

    /// What librdkafka would not say, or not say well: of a file that is missing only what OpenSSL does.
    pub(super) fn check_security(&self) -> Result<(), Error> {
        for (name, _) in &self.settings {
            if let Some((name, instead)) = OWNED.iter().find(|(owned, _)| owned == name) {
                return Err(Error::Owned { name, instead });
            }
        }
        Security::of(&self.settings)?;
        for (at, (name, path)) in self.settings.iter().enumerate() {
            let of_a_file = name.starts_with("ssl.") && name.ends_with(".location");
            let counts = !self.settings[at + 1..].iter().any(|(set, _)| set == name);
            // The one is a word that has it look for the system's certificates, the other names a library.
            let is_no_path = path == "probe" || name == "ssl.engine.location";
            if !of_a_file || !counts || is_no_path {
                continue;
            }
            std::fs::metadata(path).map_err(|error| Error::Setting {
                name: name.clone(),
                reason: format!("its file cannot be read: {error}"),
            })?;
        }
        Ok(())
    }

    pub(super) fn is_set(&self, name: &str, value: &str) -> bool {
        let last = self.settings.iter().rev().find(|(set, _)| set == name);
        last.is_some_and(|(_, set)| set == value)
    }

    /// The settings, in the order in which they were given.
    #[cfg(feature = "share")]
    pub(super) fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// What all clients have in common.
    pub(super) fn common(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        self.lay_over(&mut config);
        config
    }

    /// What all clients have in common, over what one of them has for itself. Not by way of another `ClientConfig`: the
    /// map that one gives out has no passwords in it.
    fn lay_over(&self, config: &mut ClientConfig) {
        config
            .set("client.id", "cargo-msk")
            // A topic that is misspelt is an error, not a new topic.
            .set("allow.auto.create.topics", "false")
            .set("reconnect.backoff.max.ms", "1000")
            .set_log_level(RDKafkaLogLevel::Warning);
        for (name, value) in &self.settings {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.bootstrap);
    }

    /// A member of a consumer group.
    pub(super) fn member(&self, group: &str, reset: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            // Lambda's documentation does not say. What a transaction took back is not delivered here.
            .set("isolation.level", "read_committed")
            .set("queued.min.messages", PREFETCH_RECORDS_MIN.to_string())
            .set("queued.max.messages.kbytes", PREFETCH_KIBIBYTES.to_string())
            // A partition that is resumed is fetched at once: with the default of a second, seven eighths of the time went by.
            .set("fetch.queue.backoff.ms", FETCH_BACKOFF_MS.to_string())
            .set("fetch.wait.max.ms", "100")
            .set("fetch.error.backoff.ms", "100")
            .set("statistics.interval.ms", STATISTICS_MS.to_string());
        if !self.is_set("group.protocol", "consumer") {
            // A member that was killed is missed soon, and so is one that leaves without a partition: librdkafka does not
            // say good-bye then. With the newer protocol the broker decides all three, and the client must not.
            config
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("session.timeout.ms", SESSION_MS.to_string())
                .set("heartbeat.interval.ms", HEARTBEAT_MS.to_string());
        }
        self.lay_over(&mut config);
        // The mapping commits, and asks for the ends of partitions.
        config
            .set("group.id", group)
            .set("auto.offset.reset", reset)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set_log_level(RDKafkaLogLevel::Warning);
        config
    }

    /// A producer that loses nothing and keeps order.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.common();
        // Consumers' settings would only be warned of.
        config
            .set("enable.idempotence", "true")
            .set("linger.ms", "5");
        config
    }
}

/// The names of the settings: a value may be a password.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.settings.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Cluster")
            .field("bootstrap", &self.bootstrap)
            .field("settings", &names)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Cluster, OWNED};

    #[test]
    fn every_client_has_the_password_itself() {
        let cluster = Cluster::new("127.0.0.1:9").set("sasl.password", "s3cret");

        for config in [
            cluster.common(),
            cluster.member("desk", "error"),
            cluster.producer(),
        ] {
            assert_eq!(config.get("sasl.password"), Some("s3cret"));
        }
    }

    #[test]
    fn what_is_set_stands_over_what_the_driver_would_take() {
        let cluster = Cluster::new("127.0.0.1:9").set("fetch.wait.max.ms", "7");

        let config = cluster.member("desk", "error");

        assert_eq!(config.get("enable.auto.commit"), Some("false"));
        assert_eq!(config.get("fetch.wait.max.ms"), Some("7"));
    }

    #[test]
    fn what_would_have_no_effect_is_refused_by_name() {
        for (name, instead) in OWNED {
            let refused = Cluster::new("127.0.0.1:9").set(name, "7").check();

            let text = refused.unwrap_err().to_string();
            assert_eq!(text, format!("the driver sets `{name}` itself: {instead}"));
        }
    }

    #[test]
    fn every_setting_that_is_laid_over_those_given_is_refused() {
        let settable = |name: &&String| !OWNED.iter().any(|(owned, _)| owned == name);
        let base = Cluster::new("127.0.0.1:9");
        let mut names: Vec<String> = Vec::new();
        for config in [base.member("desk", "error"), base.producer()] {
            let set = config.config_map();
            names.extend(set.keys().map(|name| (*name).to_owned()));
        }
        let names: Vec<&String> = names.iter().filter(settable).collect();

        let given = names
            .iter()
            .fold(base, |cluster, name| cluster.set(*name, "7"));

        for config in [given.member("desk", "error"), given.producer()] {
            for name in &names {
                assert_eq!(config.get(name), Some("7"), "{name}");
            }
        }
    }
}
