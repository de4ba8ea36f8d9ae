//! A cluster's identity, which every key begins with. Asked by `consumer`.

use std::sync::Arc;

use crate::record::EventSource;

/// The cluster's part of every key: the name given by hand, else the ARN; self-managed: its brokers, sorted. One cluster may have several ARNs: each connection
/// from another account has its own. An event may have none of them.
pub(crate) fn cluster_of(source: &EventSource, given: Option<&str>) -> Cluster {
    if let Some(given) = given {
        return Cluster::Named(given.into());
    }
    if let Some(arn) = source.arn.as_deref().filter(|arn| !arn.is_empty()) {
        return Cluster::Named(arn.into());
    }
    let servers = source.bootstrap_servers.as_deref().unwrap_or_default();
    let servers = servers.split(',').map(str::trim);
    let mut servers: Vec<&str> = servers.filter(|server| !server.is_empty()).collect();
    if servers.is_empty() {
        return Cluster::Unnamed;
    }
    servers.sort_unstable();
    Cluster::ByBrokers(servers.join(",").into())
}

/// A cluster's identity in keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cluster {
    Named(Arc<str>),
    /// Another broker in the list makes other keys.
    ByBrokers(Arc<str>),
    /// Nobody can tell it from another cluster.
    Unnamed,
}

impl Cluster {
    /// Empty: nobody can tell it from another cluster.
    pub(crate) fn identity(&self) -> Arc<str> {
        match self {
            Self::Named(identity) | Self::ByBrokers(identity) => Arc::clone(identity),
            Self::Unnamed => "".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cluster, cluster_of};
    use crate::record::{EventSource, EventSourceKind};

    fn source(arn: Option<&str>, servers: Option<&str>) -> EventSource {
        EventSource {
            kind: EventSourceKind::SelfManaged,
            arn: arn.map(str::to_owned),
            bootstrap_servers: servers.map(str::to_owned),
        }
    }

    #[test]
    fn a_cluster_is_the_given_name_before_its_arn_before_its_brokers() {
        let owners = source(Some("arn:cluster"), Some("b:1"));
        let connection = source(Some("arn:vpc-connection"), Some("b:1"));
        let brokers = source(None, Some("b:1"));
        let named = |name: &str| Cluster::Named(name.into());

        for source in [&owners, &connection, &brokers] {
            assert_eq!(cluster_of(source, Some("main")), named("main"));
        }
        assert_eq!(cluster_of(&owners, None), named("arn:cluster"));
        assert_eq!(cluster_of(&connection, None), named("arn:vpc-connection"));
        assert_eq!(cluster_of(&brokers, None), Cluster::ByBrokers("b:1".into()));
        assert_eq!(
            cluster_of(&source(Some(""), Some("b:1")), None),
            cluster_of(&brokers, None)
        );
    }

    #[test]
    fn a_cluster_without_any_of_them_is_unnamed() {
        for servers in [None, Some(""), Some(","), Some(" , ,")] {
            for arn in [None, Some("")] {
                let source = source(arn, servers);
                assert_eq!(cluster_of(&source, None), Cluster::Unnamed, "{source:?}");
                assert_eq!(
                    cluster_of(&source, Some("main")),
                    Cluster::Named("main".into())
                );
            }
        }
    }

    #[test]
    fn the_order_of_brokers_and_space_around_them_do_not_count() {
        let one = cluster_of(&source(None, Some("b:1,a:1")), None);
        let other = cluster_of(&source(None, Some("a:1, b:1,")), None);

        assert_eq!(one, Cluster::ByBrokers("a:1,b:1".into()));
        assert_eq!(other, one);
    }
}
