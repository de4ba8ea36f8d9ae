//! How long a topic keeps its records, as its brokers tell.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::config::FromClientConfigAndContext;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::identity::Identified;
use crate::limits::CONNECT_MS;

/// How long a topic keeps its records: what is older, or over the size, is deleted by whole segments, so records may stay longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// `retention.ms`: the age from which a record may be deleted, in milliseconds. None: no age.
    pub ms: Option<i64>,
    /// `retention.bytes`: the size of a partition from which its oldest records may be deleted. None: no size.
    pub bytes: Option<i64>,
}

impl Cluster {
    /// How long a topic keeps its records. None: no broker tells in six seconds, for example for want of the permission `DescribeConfigs`.
    pub async fn retention(&self, topic: &str) -> Option<Retention> {
        let limit = Duration::from_millis(CONNECT_MS);
        let config = self.common().into_config();
        let context = Identified(self.identity());
        let admin: AdminClient<Identified> =
            AdminClient::from_config_and_context(&config, context).ok()?;
        let options = AdminOptions::new().request_timeout(Some(limit));
        let asked = [ResourceSpecifier::Topic(topic)];
        let answer = timeout(limit, admin.describe_configs(&asked, &options)).await;
        let described = answer.ok()?.ok()?.pop()?.ok()?;
        // librdkafka has no error for a topic that does not exist.
        (!described.entries.is_empty()).then(|| Retention::of(&described))
    }
}

impl Retention {
    fn of(described: &ConfigResource) -> Self {
        let value = |name: &str| {
            let entry = described.entries.iter().find(|it| it.name == name)?;
            entry.value.as_deref()
        };
        // A topic that is only compacted deletes nothing for its age.
        if !value("cleanup.policy").is_none_or(|policy| policy.contains("delete")) {
            return Self::default();
        }
        let limit = |name| {
            let limit: Option<i64> = value(name).and_then(|text| text.parse().ok());
            limit.filter(|limit| *limit >= 0)
        };
        Self {
            ms: limit("retention.ms"),
            bytes: limit("retention.bytes"),
        }
    }
}
