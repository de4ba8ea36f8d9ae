//! The forms of what flags name: topics, brokers, a cluster's ARN. Checked by `dev` before anything is asked of a broker.

use std::collections::BTreeSet;

use lambda_msk::record::check_topic_name;

use crate::fault::Fault;

/// The topics of a run: at least one, each of them once, and as Kafka takes them.
pub(crate) fn check_topics(topics: &[String]) -> Result<(), Fault> {
    if topics.is_empty() {
        return Err(Fault::new("expected a topic, found none").help(
            "give --topic TOPIC, or --template FILE to take topic and settings from a template",
        ));
    }
    let mut seen = BTreeSet::new();
    for topic in topics {
        check_topic("--topic", topic)?;
        if !seen.insert(topic) {
            return Err(
                Fault::new(format!("expected each --topic once, found {topic} twice")).help(
                    "remove one of them: two mappings of one group would share the topic's partitions",
                ),
            );
        }
    }
    Ok(())
}

/// One topic's name, where Kafka's own rule is broken by it.
pub(crate) fn check_topic(flag: &str, topic: &str) -> Result<(), Fault> {
    check_topic_name(topic).map_err(|reason| no_topic(flag, topic, &reason))
}

/// What such a name is told with.
pub(crate) fn no_topic(flag: &str, topic: &str, reason: &str) -> Fault {
    Fault::new(format!(
        "expected the name of a topic in {flag}, found {topic:?}"
    ))
    .help(reason)
}

/// For clap: brokers. librdkafka itself would look for what cannot be there for seconds.
pub(crate) fn bootstrap(text: &str) -> Result<String, String> {
    for broker in text.split(',') {
        let (host, port) = broker.trim().rsplit_once(':').unwrap_or_default();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_host = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains([':', '/', '@', ' ']),
        };
        if !is_host || port.parse::<u16>().is_err() || port == "0" {
            return Err(format!(
                "expected HOST:PORT, found `{}` (the protocol is set by --set security.protocol=…)",
                broker.trim()
            ));
        }
    }
    Ok(text.to_owned())
}

/// For clap: a cluster of MSK, or a connection to one of another account.
pub(crate) fn arn(text: &str) -> Result<String, String> {
    let is_account =
        |account: &str| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_named = |resource: &str| {
        let name = ["cluster/", "vpc-connection/"]
            .iter()
            .find_map(|kind| resource.strip_prefix(kind));
        name.is_some_and(|name| !name.is_empty())
    };
    match text.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", partition, "kafka", region, account, resource]
            if !partition.is_empty()
                && !region.is_empty()
                && is_account(account)
                && is_named(resource) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("expected arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{arn, bootstrap, check_topic, check_topics};

    #[test]
    fn brokers_are_hosts_with_ports() {
        for right in [
            "b:9092",
            "127.0.0.1:9092,b-2.example:9098",
            "[::1]:9092",
            "b-1:1, b-2:2",
        ] {
            assert_eq!(bootstrap(right).as_deref(), Ok(right));
        }
        for wrong in [
            "",
            "nohost",
            "http://b:9092",
            "b:",
            "b:kafka",
            ":9092",
            "b:0",
            "b:99999",
            "::1:9092",
            "b:1,",
            "[b]:1",
        ] {
            assert!(bootstrap(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_arn_is_that_of_a_cluster_or_of_a_connection_to_one() {
        for right in [
            "arn:aws:kafka:eu-west-1:123456789012:cluster/c/u-1",
            "arn:aws-cn:kafka:cn-north-1:123456789012:cluster/c/u-1",
            "arn:aws:kafka:us-east-1:123456789012:vpc-connection/210987654321/c/u-1",
        ] {
            assert_eq!(arn(right).as_deref(), Ok(right));
        }
        for wrong in [
            "nonsense",
            "arn:aws:sqs:eu-west-1:123456789012:cluster/c/u",
            "arn:aws:kafka:eu-west-1:1234:cluster/c/u",
            "arn:aws:kafka:eu-west-1:123456789012:cluster/",
            "arn:aws:kafka::123456789012:cluster/c/u",
        ] {
            assert!(arn(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_topics_name_is_taken_or_refused_as_by_a_consumer_and_by_event() {
        let longest = "a".repeat(249);
        let longer = "a".repeat(250);
        for name in [
            "orders",
            "Orders_1.dead-letters",
            "a",
            "...",
            "-",
            &longest,
            "",
            ".",
            "..",
            "a b",
            "a/b",
            "a,b",
            "ü",
            "a\n",
            &longer,
        ] {
            let handler = async |_: lambda_msk::Record| {};
            let consumer = lambda_msk::Consumer::builder().topic(name, handler).build();

            let flag = check_topic("--topic", name);

            assert_eq!(flag.is_ok(), consumer.is_ok(), "{name:?}");
            assert_eq!(
                flag.is_ok(),
                crate::event::check_topic(name).is_ok(),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_topic_has_a_name_that_kafka_takes_and_stands_there_once() {
        for right in ["orders", "Orders_1.dead-letters", &"a".repeat(249)] {
            assert!(check_topic("--topic", right).is_ok());
        }
        for wrong in ["", "bad topic", "a/b", ".", "..", &"a".repeat(250)] {
            assert!(check_topic("--topic", wrong).is_err(), "{wrong}");
        }
        let said = |topics: &[&str]| {
            let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
            check_topics(&topics).map_err(|fault| fault.text())
        };
        assert!(said(&["a", "b"]).is_ok());
        assert!(
            said(&["a", "b", "a"])
                .unwrap_err()
                .contains("expected each --topic once, found a twice")
        );
        assert!(said(&[]).unwrap_err().contains("--template FILE"));
    }
}
