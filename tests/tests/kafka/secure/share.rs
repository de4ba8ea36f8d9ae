//! What takes the other client: it reads in Queue mode, and its admin takes rights away.

use std::time::Duration;

use krafka::Kafka;
use krafka::admin::{
    AclBinding, AclOperation, AclPatternType, AclPermissionType, AclResourceType, AdminClient,
};
use msk_mapping::limits::{CONNECT_MS, REFUSED_MS};

use super::{RECORDS, Ran, address, at, dev, filled, of_file, of_variable, password, sasl};

const QUEUE: [&str; 3] = ["--consumption-mode", "Queue", "--self-managed"];

async fn admin() -> AdminClient {
    let client = Kafka::builder(address("OPEN")).connect().await.unwrap();
    client.admin()
}

/// Nobody but those whom the broker asks nothing may read as this group.
async fn close(group: &str) {
    let read = AclBinding::new(
        AclResourceType::Group,
        group,
        "User:alice",
        "*",
        AclOperation::Read,
        AclPermissionType::Deny,
    )
    // This client counts the patterns without one of Kafka's, so that this is the literal one; the group's own name is a
    // prefix of it too.
    .with_pattern_type(AclPatternType::Prefixed);
    let admin = admin().await;
    let made = admin.create_acls(vec![read], Default::default()).await;
    let made = made.unwrap();
    assert!(made.iter().all(|(_, made)| made.is_ok()), "{made:?}");
}

async fn assert_queue_reads_all(stem: &str, listener: &str, set: Vec<String>) {
    let topic = filled(stem).await;

    let ran = dev(&address(listener), &topic, set, "done", &QUEUE, password()).await;

    assert_eq!(ran.code, Some(0), "{ran:?}");
    let end = ran.event("end");
    assert_eq!(end["mappings"][0]["invoked"], RECORDS, "{ran:?}");
    assert_eq!(end["mappings"][0]["lag"], 0, "{ran:?}");
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn queue_mode_is_let_in_with_plain_in_the_clear() {
    let set = sasl("SASL_PLAINTEXT", "PLAIN", of_variable());
    assert_queue_reads_all("secure-queue-plain", "SASL", set).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn queue_mode_is_let_in_with_scram_over_tls() {
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mut set = sasl("SASL_SSL", mechanism, of_variable());
        set.push(at("ssl.ca.location", "ca.pem"));
        let stem = format!("secure-queue-{mechanism}");
        assert_queue_reads_all(&stem, "SASL_SSL", set).await;
    }
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn queue_mode_is_let_in_with_mutual_tls() {
    let tls = "security.protocol=SSL".to_owned();
    let files = vec![
        tls.clone(),
        at("ssl.ca.location", "ca.pem"),
        at("ssl.certificate.location", "client.pem"),
        at("ssl.key.location", "client.key"),
    ];
    let values = vec![
        tls,
        of_file("ssl.ca.pem", "ca.pem"),
        of_file("ssl.certificate.pem", "client.pem"),
        of_file("ssl.key.pem", "client.key"),
    ];

    assert_queue_reads_all("secure-queue-files", "SSL", files).await;
    assert_queue_reads_all("secure-queue-values", "SSL", values).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn queue_mode_refuses_a_setting_that_it_does_not_have_by_name() {
    let mut set = sasl("SASL_SSL", "SCRAM-SHA-512", of_variable());
    set.push("enable.ssl.certificate.verification=false".to_owned());

    let ran = dev(
        &address("SASL_SSL"),
        "orders",
        set,
        "done",
        &QUEUE,
        password(),
    )
    .await;

    let words = ["enable.ssl.certificate.verification", "Queue mode"];
    ran.assert_fault(Duration::ZERO, &words);
}

/// Reads a topic with a group that the user may not join, which ends in a bound.
async fn ran_with_a_closed_group(stem: &str, more: &[&str]) -> Ran {
    let topic = filled(stem).await;
    close(&format!("{topic}-group")).await;
    let set = sasl("SASL_PLAINTEXT", "PLAIN", of_variable());

    let ran = dev(&address("SASL"), &topic, set, "done", more, password()).await;

    let words = ["refuses this client", "check the user's permissions"];
    ran.assert_fault(Duration::from_millis(CONNECT_MS + REFUSED_MS), &words);
    ran
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_group_that_the_user_may_not_join_is_told_and_ends_the_run() {
    let ran = ran_with_a_closed_group("secure-group", &[]).await;

    let said = ran.event("trouble")["reason"].to_string();
    assert!(said.contains("check the user's permissions"), "{said}");
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_share_group_that_the_user_may_not_join_ends_it_too() {
    ran_with_a_closed_group("secure-share-group", &QUEUE).await;
}
