//! What keeps the Kafka side of a run from going on, with the flag that mends it. Called by all of `dev` that connects.

use msk_kafka::SecurityFault;
use msk_mapping::driver::Error;

use crate::fault::Fault;

/// An error with its causes, and what to do.
pub(crate) fn fault(error: &Error) -> Fault {
    let fault = Fault::from_error(error);
    match error {
        Error::Kafka(error) => kafka(error),
        Error::Stalled { .. } => fault.help("stop the other members of the group, or read all partitions here with a group of your own: --group NAME"),
        Error::SchemaRegistry { .. } => fault.help("no record is dropped: run it again once the registry answers"),
        Error::Destination { .. } => fault.help("create it if it does not exist, or check --on-failure"),
        Error::Function { .. } => fault.help("check --function, or the binary and its permissions"),
        _ => fault,
    }
}

/// The same of the cluster alone.
pub(crate) fn kafka(error: &msk_kafka::Error) -> Fault {
    use msk_kafka::Error;

    let fault = Fault::from_error(error);
    match error {
        Error::Unreachable { .. } => fault.help("check --bootstrap; a broker that closes the connection expects TLS or SASL (security.protocol), see --set"),
        Error::Refused { cure, .. } => fault.help(cure.clone()),
        Error::Advertised { .. } => fault.help(
            "advertised.listeners of the broker must be an address that this machine can reach. A broker in a container needs a listener for the host\n\
             (such as PLAINTEXT_HOST://localhost:9092) beside the one for other containers; give the former to --bootstrap.",
        ),
        Error::Owned { name, .. } => fault.help(owned(name)),
        Error::UnknownTopic { .. } => fault.help("create it, or check --topic"),
        Error::Setting { .. } | Error::Client { .. } => fault.help("check --set: https://docs.confluent.io/platform/current/clients/librdkafka/html/md_CONFIGURATION.html"),
        Error::Security { fault: wrong, .. } => match help(*wrong) {
            Some(help) => fault.help(help),
            None => fault,
        },
        _ => fault,
    }
}

/// What there is in the place of a setting that the driver makes itself.
fn owned(setting: &str) -> &'static str {
    match setting {
        "bootstrap.servers" | "metadata.broker.list" => "give the brokers with --bootstrap",
        "group.id" => "give the group with --group",
        "auto.offset.reset" => "give it with --starting-position",
        _ => "leave this --set out",
    }
}

fn help(wrong: SecurityFault) -> Option<&'static str> {
    Some(match wrong {
        SecurityFault::NoTls => {
            "cargo install cargo-msk --features tls (in this repository: --path cli), with the other features that you use\n\
             That needs OpenSSL's headers (Debian: libssl-dev, Fedora: openssl-devel) and pkg-config."
        }
        SecurityFault::Iam => {
            "leave this --set out and give --iam (and --profile or --role-arn, if the environment's credentials are not the right ones)"
        }
        SecurityFault::MissingMechanism => {
            "add --set sasl.mechanism=SCRAM-SHA-512 (as MSK uses), SCRAM-SHA-256 or PLAIN"
        }
        SecurityFault::NoSasl => {
            "add --set security.protocol=SASL_SSL, or SASL_PLAINTEXT for a cluster without TLS"
        }
        SecurityFault::NoEncryption => {
            "add --set security.protocol=SSL, or SASL_SSL for TLS with SASL"
        }
        _ => return None,
    })
}
