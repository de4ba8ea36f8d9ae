//! How often the cluster's share groups deliver a record. Asked once, before the mapping is made: it gives a record up with
//! its last delivery, since the broker archives it after that without a word.

use std::time::Duration;

use krafka::admin::{AdminClient, ConfigResource};
use msk_kafka::Cluster;
use tokio::time::timeout;

use super::client;
use crate::limits::CONNECT_MS;

const SETTING: &str = "group.share.delivery.count.limit";

/// None: the cluster does not say, or not to us.
pub(in crate::driver) async fn delivery_count_max(cluster: &Cluster) -> Option<u16> {
    let asked = async {
        let admin = client(cluster).await.ok()?.admin();
        setting(&admin).await
    };
    // krafka by itself asks for a minute.
    timeout(Duration::from_millis(CONNECT_MS), asked)
        .await
        .ok()?
}

/// That of any broker: one that has another than the rest is set up wrongly.
async fn setting(admin: &AdminClient) -> Option<u16> {
    let brokers = admin.describe_cluster(Default::default()).await.ok()?;
    let broker = ConfigResource::broker(brokers.brokers.first()?.id);
    let described = admin.describe_configs([broker], Default::default()).await;
    let settings = described.ok()?.into_values().next()?.ok()?;
    let found = settings.into_iter().find(|entry| entry.name == SETTING)?;
    found.value?.parse().ok()
}
