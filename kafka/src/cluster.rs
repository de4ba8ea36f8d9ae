//! A Kafka cluster's brokers and librdkafka settings. Used by all clients.

use std::fmt;

use rdkafka::consumer::BaseConsumer;

use crate::error::Error;
use crate::identity::ClientIdentity;
use crate::limits::{
    FETCH_BACKOFF_MS, HEARTBEAT_MS, PREFETCH_KIBIBYTES, PREFETCH_RECORDS_MIN, SESSION_MS,
    STATISTICS_MS,
};
use crate::refusal::Refusal;
use crate::security::Security;
use crate::settings::Settings;

/// Settings that the mapping's driver sets itself and cannot work without, each with what it does instead.
const OWNED: [(&str, &str); 11] = [
    ("bootstrap.servers", BROKERS),
    ("metadata.broker.list", BROKERS),
    (
        "group.id",
        "the consumer group comes from the mapping's configuration",
    ),
    (
        "auto.offset.reset",
        "a group without offsets begins at the mapping's starting position",
    ),
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    (
        "enable.partition.eof",
        "the mapping must be notified of the end of a partition",
    ),
    (
        "enable.idempotence",
        "the driver writes its records once and in order",
    ),
    ("linger.ms", "the driver waits for each of its writes"),
];
const BROKERS: &str = "the brokers are given when the cluster is created";
const COMMITS: &str = "the mapping commits only settled records";

/// A Kafka cluster with the settings of its clients.
///
/// # Example
///
/// ```
/// use msk_kafka::Cluster;
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
    #[cfg(feature = "iam")]
    iam: Option<crate::iam::Identity>,
}

impl Cluster {
    /// Creates a cluster from its brokers: `HOST:PORT`, separated by commas.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            settings: Vec::new(),
            #[cfg(feature = "iam")]
            iam: None,
        }
    }

    /// Sets one of [librdkafka's settings](https://docs.confluent.io/platform/current/clients/librdkafka/html/md_CONFIGURATION.html).
    /// The last value of a name counts, also over the defaults for each client. The few settings that the mapping's driver must set itself are an exception:
    /// [`check`](Self::check) refuses them by name.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Signs in with an identity of AWS, as Amazon MSK's IAM authentication expects: over TLS (`security.protocol=SASL_SSL`), unless another protocol was set before.
    #[cfg(feature = "iam")]
    #[cfg_attr(docsrs, doc(cfg(feature = "iam")))]
    #[must_use]
    pub fn iam(mut self, identity: crate::iam::Identity) -> Self {
        self.iam = Some(identity);
        let named = |(name, _): &(String, String)| name == "security.protocol";
        if !self.settings.iter().any(named) {
            self = self.set("security.protocol", "SASL_SSL");
        }
        self.set("sasl.mechanism", "OAUTHBEARER")
    }

    /// What clients of this cluster show a broker beside their settings.
    pub fn identity(&self) -> ClientIdentity {
        #[cfg(feature = "iam")]
        return ClientIdentity::of(self.iam.clone());
        #[cfg(not(feature = "iam"))]
        ClientIdentity::default()
    }

    /// What to check after this refusal: settings by librdkafka's names, or the identity and its permissions.
    pub fn cure(&self, refusal: Refusal) -> String {
        #[cfg(feature = "iam")]
        if let Some(identity) = &self.iam
            && let Some(permissions) = refusal.iam_permissions()
        {
            return format!(
                "{identity} needs {permissions}; `aws sts get-caller-identity` tells whose key it is"
            );
        }
        refusal.check().to_owned()
    }

    /// The given brokers.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Checks the settings before anything connects: librdkafka accepts them, their files exist, and
    /// this build supports them.
    ///
    /// # Errors
    ///
    /// [`Error::Security`] for an invalid setting of TLS or SASL, [`Error::Setting`] and
    /// [`Error::Client`] for a setting that librdkafka refuses.
    ///
    /// # Example
    ///
    /// ```
    /// use msk_kafka::Cluster;
    ///
    /// let cluster = Cluster::new("b-1.example:9098").set("sasl.mechanism", "AWS_MSK_IAM");
    /// let wrong = cluster.check().unwrap_err().to_string();
    /// assert_eq!(wrong, "the setting `sasl.mechanism`: IAM authentication needs an identity of AWS");
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        self.check_security()?;
        // It connects once it is asked something.
        let client: Result<BaseConsumer, _> = self.common().into_config().create();
        client.map(drop).map_err(Error::client)
    }

    /// What librdkafka would not say, or not say well: of a file that is missing only what OpenSSL does.
    pub(crate) fn check_security(&self) -> Result<(), Error> {
        for (name, _) in &self.settings {
            if let Some((name, instead)) = OWNED.iter().find(|(owned, _)| owned == name) {
                return Err(Error::Owned { name, instead });
            }
        }
        Security::of(&self.settings, self.has_identity())?;
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
                reason: format!("cannot read its file: {error}"),
            })?;
        }
        Ok(())
    }

    pub(crate) fn has_identity(&self) -> bool {
        #[cfg(feature = "iam")]
        return self.iam.is_some();
        #[cfg(not(feature = "iam"))]
        false
    }

    pub(crate) fn is_set(&self, name: &str, value: &str) -> bool {
        let last = self.settings.iter().rev().find(|(set, _)| set == name);
        last.is_some_and(|(_, set)| set == value)
    }

    /// The settings, in the order in which they were given.
    #[cfg(feature = "share")]
    pub(crate) fn given(&self) -> &[(String, String)] {
        &self.settings
    }

    /// The settings that all clients share.
    pub fn common(&self) -> Settings {
        let mut settings = Settings::new();
        self.lay_over(&mut settings);
        settings
    }

    /// What all clients have in common, over what one of them has for itself.
    fn lay_over(&self, settings: &mut Settings) {
        settings
            .set("client.id", "cargo-msk")
            // A topic that is misspelt is an error, not a new topic.
            .set("allow.auto.create.topics", "false")
            .set("reconnect.backoff.max.ms", "1000");
        for (name, value) in &self.settings {
            settings.set(name, value);
        }
        settings.set("bootstrap.servers", &self.bootstrap);
    }

    /// The settings of a member of a consumer group, which commits by itself and is notified of the ends of partitions. `reset` is the
    /// value of `auto.offset.reset`.
    pub fn member(&self, group: &str, reset: &str) -> Settings {
        let mut settings = Settings::new();
        settings
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
            settings
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("session.timeout.ms", SESSION_MS.to_string())
                .set("heartbeat.interval.ms", HEARTBEAT_MS.to_string());
        }
        self.lay_over(&mut settings);
        // The mapping commits, and asks for the ends of partitions.
        settings
            .set("group.id", group)
            .set("auto.offset.reset", reset)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true");
        settings
    }

    /// Those of a producer that loses nothing and keeps order.
    pub(crate) fn producer(&self) -> Settings {
        let mut settings = self.common();
        // Consumers' settings would only be warned of.
        settings
            .set("enable.idempotence", "true")
            .set("linger.ms", "5");
        settings
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
            names.extend(config.names().cloned());
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
