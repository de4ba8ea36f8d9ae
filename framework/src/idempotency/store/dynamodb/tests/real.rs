//! Items in a real DynamoDB. `tests/services/run` starts one.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType, TimeToLiveSpecification,
};
use bytes::Bytes;

use super::stub::config;
use crate::failure::error_text;
use crate::idempotency::store::dynamodb::DynamoDbStore;
use crate::idempotency::store::dynamodb::item::{attributes, number, text};
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, Status, Swap, Swapped, Version,
};
use crate::testing::store::check;

const NOW_MS: u64 = 1_767_225_600_000;
const NOW_S: u64 = NOW_MS / 1000;

/// A table of the test's own, at the server that `tests/services/run` has started.
struct Table {
    name: String,
    client: Client,
}

impl Table {
    async fn create() -> Self {
        Self::with_key("id", ScalarAttributeType::S).await
    }

    async fn with_key(key: &str, kind: ScalarAttributeType) -> Self {
        let endpoint =
            std::env::var("AWS_ENDPOINT_URL_DYNAMODB").expect("run by tests/services/run");
        // A server that has just begun may be slower than the store waits, and a write that is repeated finds itself.
        let config = config()
            .endpoint_url(endpoint)
            .timeout_config(TimeoutConfig::disabled())
            .retry_config(RetryConfig::disabled());
        let client = Client::from_conf(config.build());
        let name = format!("items-{}-{}", std::process::id(), fastrand::u32(..));
        let definition = AttributeDefinition::builder()
            .attribute_name(key)
            .attribute_type(kind);
        let schema = KeySchemaElement::builder()
            .attribute_name(key)
            .key_type(KeyType::Hash);
        client
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(definition.build().unwrap())
            .key_schema(schema.build().unwrap())
            .send()
            .await
            .unwrap();
        Self { name, client }
    }

    fn store(&self) -> DynamoDbStore {
        DynamoDbStore::with_client(self.client.clone(), &self.name).unwrap()
    }

    /// Writes an item past the store.
    async fn put<const N: usize>(&self, id: &str, with: [(&str, AttributeValue); N]) {
        let with = with.map(|(name, value)| (name.to_owned(), value));
        let mut item = HashMap::from(with);
        item.insert("id".to_owned(), text(id));
        let put = self.client.put_item().table_name(&self.name);
        put.set_item(Some(item)).send().await.unwrap();
    }
}

fn version(owner: &str, seq: u64) -> Version {
    Version {
        owner: owner.into(),
        seq,
    }
}

fn take(id: &str, at_ms: u64) -> Swap {
    let change = Change::Hold {
        owner: "a".into(),
        raise: 7_000,
        held_until_ms: at_ms + 10_000,
        expires_s: NOW_S + 86_400,
    };
    Swap::new(id.into(), Expect::Free { at_ms }, change)
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_real_table_is_a_store() {
    let table = Table::create().await;

    check(table.store()).await;
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_client_of_the_stores_own_finds_the_table() {
    let table = Table::create().await;
    let store = DynamoDbStore::new(&table.name).unwrap();
    // It has expired, so that the put holds as often as it is made.
    let item = Item::new(Some(version("a", 1)), 0);
    let free = Expect::Free { at_ms: NOW_MS };
    let put = Swap::new("orders#1".into(), free, Change::Put(item.clone()));

    let swapped = store.swap(&put).await.unwrap();

    assert_eq!(swapped, Swapped::Applied(Some(item.clone())));
    assert_eq!(table.store().read("orders#1").await.unwrap(), Some(item));
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_claim_of_powertools_is_taken_over_when_the_item_says_and_not_before() {
    let table = Table::create().await;
    let in_progress = || ("status", text("INPROGRESS"));
    let until = || ("in_progress_expiration", number(NOW_MS));
    table
        .put(
            "bounded",
            [in_progress(), until(), ("expiration", number(NOW_S + 60))],
        )
        .await;
    table
        .put("unbounded", [in_progress(), ("expiration", number(NOW_S))])
        .await;
    table.put("endless", [in_progress()]).await;
    table.put("unknown", [("status", text("EXPIRED"))]).await;
    table
        .put(
            "completed",
            [
                ("status", text("COMPLETED")),
                until(),
                ("expiration", number(NOW_S)),
            ],
        )
        .await;
    let cases = [
        ("bounded", NOW_MS, false),
        ("bounded", NOW_MS + 1, true),
        ("unbounded", NOW_MS + 999, false),
        ("unbounded", NOW_MS + 1_000, true),
        ("endless", 2 * NOW_MS, false),
        ("unknown", NOW_MS, true),
        ("completed", NOW_MS + 999, false),
        ("completed", NOW_MS + 1_000, true),
    ];
    for (id, at_ms, free) in cases {
        let stands = table.store().read(id).await.unwrap();
        assert_eq!(
            stands.unwrap().is_free(at_ms),
            free,
            "{id} at {at_ms}, as read"
        );

        let swapped = table.store().swap(&take(id, at_ms)).await.unwrap();

        let applied = matches!(swapped, Swapped::Applied(_));
        assert_eq!(applied, free, "{id} at {at_ms}, in the table");
    }
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_result_of_powertools_is_read_and_replaced() {
    let table = Table::create().await;
    let json = r#"{"order":7,"note":"ü"}"#;
    let with = [
        ("status", text("COMPLETED")),
        ("expiration", number(NOW_S)),
        ("in_progress_expiration", number(NOW_MS - 1_000)),
        ("data", text(json)),
        ("validation", text("hash")),
    ];
    table.put("orders#1", with).await;
    let store = table.store();

    let swapped = store.swap(&take("orders#1", NOW_MS)).await.unwrap();
    let taken = store.swap(&take("orders#1", NOW_MS + 1_000)).await.unwrap();

    let mut stands = Item::new(None, NOW_S);
    stands.status = Status::Completed;
    stands.held_until_ms = NOW_MS - 1_000;
    stands.data = Bytes::from(json);
    stands.validation = Some("hash".into());
    assert_eq!(swapped, Swapped::Refused(Some(stands.clone())));
    let change = take("orders#1", NOW_MS + 1_000).change;
    assert_eq!(taken, Swapped::Applied(change.applied(Some(&stands))));
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn an_item_that_another_program_replaced_is_not_written_over() {
    let table = Table::create().await;
    let store = table.store();
    store.swap(&take("orders#1", NOW_MS)).await.unwrap();
    let with = [
        ("status", text("COMPLETED")),
        ("expiration", number(NOW_S + 60)),
    ];
    table.put("orders#1", with).await;

    let expect = Expect::Version(version("a", 1));
    let swap = Swap::new("orders#1".into(), expect, Change::Delete);
    let swapped = store.swap(&swap).await.unwrap();

    let mut stands = Item::new(None, NOW_S + 60);
    stands.status = Status::Completed;
    assert_eq!(swapped, Swapped::Refused(Some(stands)));
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_real_table_takes_the_store_s_attribute_for_its_time_to_live() {
    let table = Table::create().await;
    let ttl = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("expiration");
    let request = table.client.update_time_to_live().table_name(&table.name);
    let request = request.time_to_live_specification(ttl.build().unwrap());
    request.send().await.unwrap();
    let store = table.store();

    store.swap(&take("orders#1", NOW_MS)).await.unwrap();

    let get = table.client.get_item().table_name(&table.name);
    let item = get.key("id", text("orders#1")).send().await.unwrap().item;
    assert_eq!(item.unwrap()["expiration"], number(NOW_S + 86_400));
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn an_item_is_as_large_as_dynamodb_allows_and_no_larger() {
    let table = Table::create().await;
    let store = table.store();
    let put = |bytes: usize| {
        let mut item = Item::new(Some(version("a", 1)), NOW_S);
        item.data = vec![1; bytes].into();
        Swap::new("a".into(), Expect::Free { at_ms: 1 }, Change::Put(item))
    };
    let names = attributes("a", &Item::new(Some(version("a", 1)), NOW_S));
    let rest: usize = names.keys().map(String::len).sum();

    // Room for the numbers and texts, which count by their digits and letters.
    let fits = store.swap(&put(400 * 1024 - rest - 100)).await;
    let too_large = store.swap(&put(400 * 1024)).await.unwrap_err();

    assert!(matches!(fits, Ok(Swapped::Applied(_))), "{fits:?}");
    assert!(!too_large.is_transient());
    let too_large = error_text(&too_large);
    assert!(too_large.contains("size"), "{too_large}");
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_table_with_another_key_is_refused_with_the_key_it_needs() {
    let id = Table::with_key("id", ScalarAttributeType::N).await;
    let key = Table::with_key("key", ScalarAttributeType::S).await;
    for table in [id, key] {
        let store = table.store();
        let put = Change::Put(Item::new(None, NOW_S));
        let put = Swap::new("a".into(), Expect::Absent, put);

        let errors = [
            store.read("a").await.unwrap_err(),
            store.swap(&put).await.unwrap_err(),
            store.swap(&take("a", NOW_MS)).await.unwrap_err(),
        ];

        for error in errors {
            assert!(!error.is_transient());
            let text = error_text(&error);
            let ends = "; its partition key must be `id`, a string, without a sort key";
            assert!(text.ends_with(ends), "{text}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a table: make services"]
async fn a_real_server_without_the_table_says_so() {
    let store = DynamoDbStore::new("missing").unwrap();

    let error = store.swap(&take("a", NOW_MS)).await.unwrap_err();

    assert!(!error.is_transient());
    assert_eq!(
        error_text(&error),
        "the table `missing` in eu-central-1 does not exist: create it, or correct LAMBDA_MSK_IDEMPOTENCY"
    );
}
