//! The first request to a cluster: does it respond, accept this client, and have the topic? Sent before any client starts.
//!
//! librdkafka retries connections without end, and reports the reason only to a call-back. A refusal does not go away by
//! waiting, so it ends the request at once; a broker that does not respond has time until the timeout.
//!
//! The response contains the brokers' addresses, and all later requests go there. If these addresses cannot be reached, no later
//! request succeeds, so they are tried first.

use std::error::Error as StdError;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::metadata::{Metadata, MetadataBroker, MetadataTopic};
use rdkafka::types::RDKafkaErrorCode;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::identity::{ClientIdentity, oauth_token};
use crate::limits::{CONNECT_HEAR_MS, CONNECT_LISTEN_MS, CONNECT_MS};
use crate::record::TopicPartition;
use crate::refusal::{Refusal, reason as plain};

/// Kafka's own limit.
const TOPIC_BYTES_MAX: usize = 249;

impl Cluster {
    /// The partitions of a topic, ascending, after a check that the brokers' advertised addresses can be reached. Blocks for at most six seconds.
    ///
    /// # Errors
    ///
    /// The errors of [`check`](Self::check); [`Error::Refused`] if the cluster refuses the client,
    /// [`Error::Unreachable`] if no broker responds, [`Error::UnknownTopic`] if the topic does not exist.
    pub fn partitions(&self, topic: &str) -> Result<Vec<TopicPartition>, Error> {
        self.check_security()?;
        let mut config = self.common().into_config();
        // That a broker hangs up is no error to librdkafka, and all that one hears if it wants another protocol.
        config.set_log_level(RDKafkaLogLevel::Info);
        let asks = BaseConsumer::from_config_and_context(&config, Heard::of(self));
        let asks = asks.map_err(Error::client)?;
        let metadata = metadata(self, &asks, topic)?;
        reach(self, metadata.brokers())?;
        found(self, &metadata, topic)
    }
}

/// The partitions of a topic, ascending, asked with this client. Blocks.
pub(crate) fn ask(
    cluster: &Cluster,
    asks: &BaseConsumer<Heard>,
    topic: &str,
) -> Result<Vec<TopicPartition>, Error> {
    let metadata = metadata(cluster, asks, topic)?;
    found(cluster, &metadata, topic)
}

fn found(
    cluster: &Cluster,
    metadata: &Metadata,
    topic: &str,
) -> Result<Vec<TopicPartition>, Error> {
    let found: Vec<&MetadataTopic> = metadata
        .topics()
        .iter()
        .filter(|found| found.name() == topic)
        .collect();
    for code in found.iter().filter_map(|found| found.error()) {
        let code = RDKafkaErrorCode::from(code);
        if let Some(refusal) = Refusal::of_code(code) {
            return Err(Error::Refused {
                bootstrap: cluster.bootstrap().to_owned(),
                refusal,
                cure: cluster.cure(refusal),
                source: Box::new(KafkaError::MetadataFetch(code)),
            });
        }
    }
    let mut partitions: Vec<TopicPartition> = found
        .into_iter()
        .flat_map(MetadataTopic::partitions)
        .map(|partition| TopicPartition::new(topic, partition.id()))
        .collect();
    if partitions.is_empty() {
        return Err(Error::UnknownTopic {
            topic: topic.to_owned(),
        });
    }
    partitions.sort();
    Ok(partitions)
}

/// Whether a topic may have this name. A client panics at one that is far too long.
fn is_name(topic: &str) -> bool {
    let is_known = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    (1..=TOPIC_BYTES_MAX).contains(&topic.len()) && topic.chars().all(is_known)
}

fn metadata(cluster: &Cluster, asks: &BaseConsumer<Heard>, topic: &str) -> Result<Metadata, Error> {
    if !is_name(topic) {
        return Err(Error::UnknownTopic {
            topic: topic.to_owned(),
        });
    }
    let until = Instant::now() + Duration::from_millis(CONNECT_MS);
    // A token that is asked for is given now, and not after a first request that waits for it in vain.
    let mut said = match cluster.has_identity() {
        true => hear(cluster, asks)?,
        false => None,
    };
    loop {
        let asked = asks.fetch_metadata(Some(topic), Duration::from_millis(CONNECT_LISTEN_MS));
        let source = match asked {
            Ok(metadata) => return Ok(metadata),
            Err(source) => source,
        };
        // Said once, and not again with each attempt.
        said = hear(cluster, asks)?.or(said);
        if Instant::now() >= until {
            return Err(unreachable(cluster, said, source));
        }
    }
}

/// Why a question was not answered, in the client's own words if it has called back with some.
pub(crate) fn why(cluster: &Cluster, asks: &BaseConsumer<Heard>, source: KafkaError) -> Error {
    match hear(cluster, asks) {
        Ok(said) => unreachable(cluster, said, source),
        Err(refused) => refused,
    }
}

/// What the client has called back with since it was asked last, of what may pass.
pub(crate) fn hear(cluster: &Cluster, asks: &BaseConsumer<Heard>) -> Result<Option<String>, Error> {
    // It calls back from here alone.
    while asks.poll(Duration::from_millis(CONNECT_HEAR_MS)).is_some() {}
    let mut heard = asks.context().heard();
    match heard.refusal.take() {
        Some((refusal, reason)) => Err(Error::Refused {
            bootstrap: cluster.bootstrap().to_owned(),
            refusal,
            cure: cluster.cure(refusal),
            source: reason.into(),
        }),
        None => Ok(heard.reason.take()),
    }
}

fn unreachable(cluster: &Cluster, said: Option<String>, source: KafkaError) -> Error {
    Error::Unreachable {
        bootstrap: cluster.bootstrap().to_owned(),
        source: said.map_or_else(|| source.into(), Into::into),
    }
}

/// Whether any of the brokers is where the cluster says.
fn reach(cluster: &Cluster, brokers: &[MetadataBroker]) -> Result<(), Error> {
    let until = Instant::now() + Duration::from_millis(CONNECT_MS);
    let mut nowhere = None;
    for broker in brokers {
        let port = u16::try_from(broker.port()).unwrap_or_default();
        let Err(source) = connect(broker.host(), port) else {
            return Ok(());
        };
        nowhere.get_or_insert_with(|| Error::Advertised {
            bootstrap: cluster.bootstrap().to_owned(),
            address: format!("{}:{port}", broker.host()),
            source,
        });
        if Instant::now() >= until {
            break;
        }
    }
    nowhere.map_or(Ok(()), Err)
}

fn connect(host: &str, port: u16) -> io::Result<()> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_millis(CONNECT_MS)) {
            Ok(_) => return Ok(()),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// What librdkafka called back with.
#[derive(Default)]
pub(crate) struct Heard {
    identity: ClientIdentity,
    reasons: Mutex<Reasons>,
}

#[derive(Default)]
struct Reasons {
    refusal: Option<(Refusal, String)>,
    /// Of what may pass: the last error, or what was logged first.
    reason: Option<String>,
}

impl Heard {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        Self {
            identity: cluster.identity(),
            reasons: Mutex::default(),
        }
    }

    fn heard(&self) -> MutexGuard<'_, Reasons> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Heard {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn StdError>> {
        oauth_token(&self.identity)
    }

    /// Most comes as an error too.
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "FAIL" {
            let message = message.split_once("]: ").map_or(message, |(_, said)| said);
            self.heard().reason.get_or_insert_with(|| plain(message));
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let mut heard = self.heard();
        if let Some(refusal) = Refusal::heard(&error, reason) {
            heard.refusal = Some((refusal, plain(reason)));
        } else if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            // That only sums up what has been said of each.
            heard.reason = Some(plain(reason));
        }
    }
}

impl ConsumerContext for Heard {}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::net::TcpListener;

    use crate::cluster::Cluster;
    use crate::embedded::EmbeddedBroker;
    use crate::error::Error;
    use crate::reader::Reader;
    use crate::refusal::Refusal;

    #[test]
    fn a_topic_is_refused_or_unknown_by_each_client_that_asks_for_it() {
        let broker = EmbeddedBroker::start([("orders", 1), ("secret", 1)]).unwrap();
        broker.deny("secret").unwrap();
        let reader = Reader::new(&broker.cluster(), "desk").unwrap();
        let asked = |topic: &str| [reader.partitions(topic), broker.cluster().partitions(topic)];

        for partitions in asked("orders") {
            assert_eq!(partitions.unwrap().len(), 1);
        }
        for refused in asked("secret") {
            let Err(Error::Refused { refusal, .. }) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(refusal, Refusal::Authorization);
        }
        for name in [
            "",
            "or ders",
            "or\0ders",
            &"x".repeat(250),
            &"x".repeat(600),
        ] {
            for unknown in asked(name) {
                let is_unknown = matches!(unknown, Err(Error::UnknownTopic { .. }));
                assert!(is_unknown, "{name:?} {unknown:?}");
            }
        }
    }

    /// A broker of another protocol, and then one that is too busy to say anything.
    #[test]
    fn why_the_first_attempt_failed_is_told_though_the_last_one_heard_nothing() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            drop(listener.accept());
            let silent: Vec<_> = listener.incoming().collect();
            drop(silent);
        });

        let error = Cluster::new(address).partitions("orders").unwrap_err();

        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("isconnected"), "{error}: {cause}");
    }
}
