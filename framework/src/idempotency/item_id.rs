//! The ids of a store's items: bounded, of visible ASCII alone. Called by `process`, `per_record` and `inspect`.

use std::borrow::Cow;
use std::sync::Arc;

use md5::{Digest, Md5};

use crate::limits::CLUSTER_BYTES_MAX;
use crate::partition::TopicPartition;

/// The id of a partition's ledger. No `/` can stand in a namespace or a topic's name, so two partitions never share one.
pub(crate) fn ledger_id(namespace: &str, cluster: &str, at: &TopicPartition) -> Arc<str> {
    let cluster = cluster_part(cluster);
    let TopicPartition { topic, partition } = at;
    format!("{namespace}/{cluster}/{topic}/{partition}").into()
}

/// The id of a record's item, by the hash of its key. A `#` stands in no topic's name, so it is never a partition's.
pub(super) fn record_id(namespace: &str, cluster: &str, topic: &str, hash: &str) -> Arc<str> {
    let cluster = cluster_part(cluster);
    format!("{namespace}/{cluster}/{topic}#{hash}").into()
}

/// The cluster itself, or `md5:` and its hash, where it is a long list of brokers or holds what no id may.
fn cluster_part(cluster: &str) -> Cow<'_, str> {
    let fits = cluster.len() <= CLUSTER_BYTES_MAX;
    if fits && cluster.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Cow::Borrowed(cluster);
    }
    let hash = u128::from_be_bytes(Md5::digest(cluster).into());
    Cow::Owned(format!("md5:{hash:032x}"))
}

#[cfg(test)]
mod tests {
    use super::{cluster_part, ledger_id, record_id};
    use crate::limits::{
        CLUSTER_BYTES_MAX, NAMESPACE_BYTES_MAX, STORE_ID_BYTES_MAX, TOPIC_BYTES_MAX,
    };
    use crate::partition::TopicPartition;

    const HASH: &str = "a349dd60a79378cced807f4abe985dd0";

    #[test]
    fn a_cluster_stands_as_it_is_unless_it_is_too_long_or_not_visible_ascii() {
        let arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/demo/1-2";
        let longest = "b".repeat(CLUSTER_BYTES_MAX);

        assert_eq!(cluster_part(arn), arn);
        assert_eq!(cluster_part(&longest), longest);
        assert!(cluster_part(&format!("{longest}b")).starts_with("md5:"));
        assert!(cluster_part("a b").starts_with("md5:"));
        // MD5 of these bytes by `md5sum`.
        assert_eq!(
            cluster_part("größe"),
            "md5:fdbb3a56280acfa9031707622c599ccb"
        );
    }

    #[test]
    fn the_longest_names_make_an_id_that_a_store_takes() {
        let topic = "t".repeat(TOPIC_BYTES_MAX);
        let at = TopicPartition::new(topic, i32::MAX);
        let brokers = "broker-1.example.com:9092,".repeat(200);

        for cluster in [&brokers, &"b".repeat(CLUSTER_BYTES_MAX)] {
            let id = ledger_id(&"n".repeat(NAMESPACE_BYTES_MAX), cluster, &at);
            assert!(id.len() <= STORE_ID_BYTES_MAX, "{}", id.len());
            let id = record_id(&"n".repeat(NAMESPACE_BYTES_MAX), cluster, &at.topic, HASH);
            assert!(id.len() <= STORE_ID_BYTES_MAX, "{}", id.len());
        }
    }
}
