//! A client's settings as librdkafka takes them.

use msk_kafka::Settings;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// With warnings in its log, and what is worse.
pub(super) fn config(settings: Settings) -> ClientConfig {
    let mut config: ClientConfig = settings.into_iter().collect();
    config.set_log_level(RDKafkaLogLevel::Warning);
    config
}
