//! IAM authentication: tokens of AWS's credentials, which the broker checks as Amazon MSK does.

use std::time::Duration;

use msk_mapping::limits::CONNECT_MS;
use tokio::sync::Mutex;

use super::{RECORDS, Ran, address, at, dev_as, filled, secret};

/// What `make test-services` gives as key and secret, and the broker knows.
const KEY: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
];

/// The broker notes all tokens in one file: held by a test from its first look to its last.
static NOTES: Mutex<()> = Mutex::const_new(());

async fn dev(topic: &str, behaviour: &str, more: &[&str], key: &[(&str, &str)]) -> Ran {
    let set = vec![at("ssl.ca.location", "ca.pem")];
    let mut flags = vec!["--iam", "--region", "eu-central-1"];
    flags.extend(more);
    dev_as(&address("IAM"), topic, set, behaviour, &flags, key).await
}

/// The tokens that were let in, a line each.
fn let_in() -> Vec<String> {
    let notes = std::fs::read_to_string(secret("iam-tokens")).unwrap_or_default();
    notes.lines().map(str::to_owned).collect()
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_topic_is_read_with_tokens_of_the_environments_credentials() {
    let _notes = NOTES.lock().await;
    let topic = filled("secure-iam").await;
    let session = [KEY[0], KEY[1], ("AWS_SESSION_TOKEN", "of/a+session==")];

    for (key, token) in [(&KEY[..], "-"), (&session, "of%2Fa%2Bsession%3D%3D")] {
        let before = let_in().len();
        let group = format!("{topic}-{}", key.len());
        let ran = dev(&topic, "done", &["--group", &group], key).await;

        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(
            ran.event("end")["mappings"][0]["committed"],
            RECORDS,
            "{ran:?}"
        );
        let noted = let_in().split_off(before);
        assert!(!noted.is_empty(), "{ran:?}");
        assert!(
            noted
                .iter()
                .all(|line| line.ends_with(&format!(" {token}"))),
            "{noted:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_member_signs_in_again_when_the_broker_asks_and_reads_on() {
    let _notes = NOTES.lock().await;
    let topic = filled("secure-iam-again").await;
    let before = let_in().len();
    let quick = dev(&topic, "done", &["--group", "secure-iam-quick"], &KEY).await;
    assert_eq!(quick.code, Some(0), "{quick:?}");
    let connections = let_in().len() - before;
    // One invocation that lasts until the broker has asked twice, and is then given up.
    let more = ["--timeout", "5s", "--maximum-retry-attempts", "0"];

    let ran = dev(&topic, "hang", &more, &KEY).await;

    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(!ran.stdout.contains("refuses this client"), "{ran:?}");
    let signed_in = let_in().len() - before - connections;
    assert!(
        signed_in > connections,
        "{signed_in} after {connections}: {ran:?}"
    );
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_refusal_says_whose_token_it_was_and_which_permission_it_needs() {
    let _notes = NOTES.lock().await;
    let topic = filled("secure-iam-refused").await;
    let wrong = [KEY[0], ("AWS_SECRET_ACCESS_KEY", "this-is-not-it")];

    let ran = dev(&topic, "done", &[], &wrong).await;

    let words = [
        "refuses this client",
        "the access key test of the environment needs kafka-cluster:Connect",
        "aws sts get-caller-identity",
    ];
    ran.assert_fault(Duration::from_millis(CONNECT_MS), &words);
    assert!(!ran.stderr.contains("this-is-not-it"), "{ran:?}");
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn without_credentials_nothing_is_asked_of_the_cluster() {
    let none = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nowhere"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
    ];

    let ran = dev("secure-iam-none", "done", &[], &none).await;

    let words = ["no AWS credentials were found", "aws sso login"];
    ran.assert_fault(Duration::ZERO, &words);
}
