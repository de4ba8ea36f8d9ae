//! The store's requests and what it makes of the answers, by a stub in the process; and a lost answer over a real socket.

mod frozen;
mod real;
mod stub;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use self::stub::{Reply, Stub, TABLE, config, error, refused};
use super::DynamoDbStore;
use crate::failure::error_text;
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, StoreError, Swap, Swapped, Version,
};
use crate::limits::{DYNAMODB_CALL_MS_MAX, DYNAMODB_TRY_MS_MAX};

fn version(owner: &str, seq: u64) -> Version {
    Version {
        owner: owner.into(),
        seq,
    }
}

fn item() -> Item {
    let mut item = Item::new(Some(version("b", 8)), 1_000);
    item.data = Bytes::from_static(b"\x01secret");
    item
}

fn item_json() -> Value {
    json!({
        "id": {"S": "orders#1"},
        "owner": {"S": "b"},
        "seq": {"N": "8"},
        "status": {"S": "INPROGRESS"},
        "in_progress_expiration": {"N": "0"},
        "expiration": {"N": "1000"},
        "data": {"B": "AXNlY3JldA=="},
    })
}

fn put() -> Swap {
    let expect = Expect::Version(version("a", 7));
    Swap::new("orders#1".into(), expect, Change::Put(item()))
}

fn hold() -> Change {
    Change::Hold {
        owner: "b".into(),
        raise: 7_000,
        held_until_ms: 0,
        expires_s: 1_000,
    }
}

/// What the error says, causes and all; and whether it may pass.
fn said(error: &StoreError) -> (String, bool) {
    (error_text(error), error.is_transient())
}

#[tokio::test(start_paused = true)]
async fn a_put_is_one_conditional_request() {
    let stub = Stub::default();

    let swapped = stub.store().swap(&put()).await.unwrap();

    assert_eq!(swapped, Swapped::Applied(Some(item())));
    let expected = json!({
        "TableName": TABLE,
        "Item": item_json(),
        "ConditionExpression": "#owner = :expected_owner AND #seq = :expected_seq",
        "ExpressionAttributeNames": {"#owner": "owner", "#seq": "seq"},
        "ExpressionAttributeValues": {":expected_owner": {"S": "a"}, ":expected_seq": {"N": "7"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!(
        *stub.requests.lock().unwrap(),
        [("PutItem".to_owned(), expected)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_one_update_that_names_neither_data_nor_validation() {
    let stub = Stub::new([Reply::Says(200, json!({"Attributes": item_json()}))]);
    let swap = Swap::new("orders#1".into(), Expect::Absent, hold());

    let swapped = stub.store().swap(&swap).await.unwrap();

    assert_eq!(swapped, Swapped::Applied(Some(item())));
    let expected = json!({
        "TableName": TABLE,
        "Key": {"id": {"S": "orders#1"}},
        "UpdateExpression": "SET #owner = :owner, #seq = if_not_exists(#seq, :zero) + :raise, #status = :in_progress, #in_progress_expiration = :held_until_ms, #expiration = :expires_s",
        "ConditionExpression": "attribute_not_exists(#id)",
        "ExpressionAttributeNames": {
            "#id": "id",
            "#owner": "owner",
            "#seq": "seq",
            "#status": "status",
            "#in_progress_expiration": "in_progress_expiration",
            "#expiration": "expiration",
        },
        "ExpressionAttributeValues": {
            ":owner": {"S": "b"},
            ":zero": {"N": "0"},
            ":raise": {"N": "7000"},
            ":in_progress": {"S": "INPROGRESS"},
            ":held_until_ms": {"N": "0"},
            ":expires_s": {"N": "1000"},
        },
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!(
        *stub.requests.lock().unwrap(),
        [("UpdateItem".to_owned(), expected)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_delete_of_what_is_free_is_one_conditional_request() {
    let stub = Stub::default();
    let free = Expect::Free { at_ms: 1_999 };
    let swap = Swap::new("orders#1".into(), free, Change::Delete);

    let swapped = stub.store().swap(&swap).await.unwrap();

    assert_eq!(swapped, Swapped::Applied(None));
    let expected = json!({
        "TableName": TABLE,
        "Key": {"id": {"S": "orders#1"}},
        "ConditionExpression": "attribute_not_exists(#id) OR #expiration < :now_s OR (#status = :in_progress AND #in_progress_expiration < :now_ms) OR (attribute_exists(#status) AND NOT #status IN (:in_progress, :completed))",
        "ExpressionAttributeNames": {
            "#id": "id",
            "#status": "status",
            "#in_progress_expiration": "in_progress_expiration",
            "#expiration": "expiration",
        },
        "ExpressionAttributeValues": {
            ":now_s": {"N": "1"},
            ":now_ms": {"N": "1999"},
            ":in_progress": {"S": "INPROGRESS"},
            ":completed": {"S": "COMPLETED"},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!(
        *stub.requests.lock().unwrap(),
        [("DeleteItem".to_owned(), expected)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_sees_every_write_before_it() {
    let stub = Stub::new([Reply::Says(200, json!({"Item": item_json()}))]);
    let store = stub.store();

    let there = store.read("orders#1").await.unwrap();
    let missing = store.read("orders#2").await.unwrap();

    assert_eq!((there, missing), (Some(item()), None));
    let expected = json!({
        "TableName": TABLE,
        "Key": {"id": {"S": "orders#1"}},
        "ConsistentRead": true,
    });
    let first = ("GetItem".to_owned(), expected);
    assert_eq!(stub.requests.lock().unwrap()[0], first);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_does_not_hold_answers_with_what_stands() {
    let stub = Stub::new([
        refused(Some(item_json())),
        refused(None),
        refused(Some(item_json())),
        refused(Some(item_json())),
    ]);
    let store = stub.store();
    let of = |change| Swap::new("orders#1".into(), Expect::Absent, change);

    assert_eq!(
        store.swap(&put()).await.unwrap(),
        Swapped::Refused(Some(item()))
    );
    assert_eq!(store.swap(&put()).await.unwrap(), Swapped::Refused(None));
    for change in [hold(), Change::Delete] {
        let swapped = store.swap(&of(change)).await.unwrap();
        assert_eq!(swapped, Swapped::Refused(Some(item())));
    }
    assert_eq!(stub.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_repeated_and_refused_with_itself() {
    let stub = Stub::new([Reply::Lost, refused(Some(item_json()))]);

    let swapped = stub.store().swap(&put()).await.unwrap();

    assert_eq!(swapped, Swapped::Refused(Some(item())));
    let requests = stub.requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0], requests[1]);
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_is_tried_again_at_once() {
    for fault in [
        error(500, "InternalServerError", "so it is"),
        error(503, "ServiceUnavailable", "so it is"),
        error(400, "ThrottlingException", "so it is"),
        error(400, "ProvisionedThroughputExceededException", "so it is"),
        Reply::Lost,
        Reply::Silence,
    ] {
        let stub = Stub::new([fault]);
        let started = Instant::now();

        let swapped = stub.store().swap(&put()).await.unwrap();

        assert_eq!(swapped, Swapped::Applied(Some(item())));
        assert_eq!(stub.count(), 2);
        assert!(started.elapsed() < Duration::from_millis(DYNAMODB_TRY_MS_MAX + 100));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_may_pass_says_so_and_why() {
    for (code, status) in [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("ReplicatedWriteConflictException", 400),
        ("InternalServerError", 500),
    ] {
        let stub = Stub::new((0..9).map(|_| error(status, code, "so it is")));

        let error = stub.store().swap(&put()).await.unwrap_err();

        let text =
            format!("the table `{TABLE}` in eu-central-1 refused the request: {code}: so it is");
        assert_eq!(said(&error), (text, true));
        assert!(stub.count() <= 2, "{code}: {} tries", stub.count());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_dynamodbs_may_pass() {
    let page = || Reply::Says(503, json!("<html>"));
    let stub = Stub::new([page(), page()]);

    let error = stub.store().read("orders#1").await.unwrap_err();

    let text = format!("the table `{TABLE}` in eu-central-1 refused the request: status 503");
    assert_eq!(said(&error), (text, true));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_never_answers_is_left_in_time() {
    let stub = Stub::new((0..9).map(|_| Reply::Silence));
    let started = Instant::now();

    let error = stub.store().read("orders#1").await.unwrap_err();

    let (text, passes) = said(&error);
    let starts = format!(
        "no request reached the table `{TABLE}` in eu-central-1, or no response came back: "
    );
    assert!(text.starts_with(&starts) && passes, "{text}");
    assert_eq!(stub.count(), 2);
    assert!(started.elapsed() < Duration::from_millis(DYNAMODB_CALL_MS_MAX));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_stays_is_not_repeated_and_says_what_to_do() {
    let place = format!("the table `{TABLE}` in eu-central-1");
    let faults = [
        (
            error(
                400,
                "ResourceNotFoundException",
                "Requested resource not found",
            ),
            format!("{place} does not exist: create it, or correct LAMBDA_MSK_IDEMPOTENCY"),
        ),
        (
            error(400, "AccessDeniedException", "no"),
            format!(
                "{place} refused the request: AccessDeniedException: no; the function's role needs `dynamodb:GetItem`, `dynamodb:PutItem`, `dynamodb:UpdateItem` and `dynamodb:DeleteItem` on it"
            ),
        ),
        (
            error(
                400,
                "ValidationException",
                "The provided key element does not match the schema",
            ),
            format!(
                "{place} refused the request: ValidationException: The provided key element does not match the schema; its partition key must be `id`, a string, without a sort key"
            ),
        ),
        (
            error(400, "UnrecognizedClientException", "no"),
            format!(
                "{place} refused the request: UnrecognizedClientException: no; check that the function has credentials and a region"
            ),
        ),
        (
            error(
                400,
                "ValidationException",
                "Item size has exceeded the maximum allowed size",
            ),
            format!(
                "{place} refused the request: ValidationException: Item size has exceeded the maximum allowed size"
            ),
        ),
    ];
    for (fault, text) in faults {
        let stub = Stub::new([fault]);

        let error = stub.store().swap(&put()).await.unwrap_err();

        assert_eq!(said(&error), (text, false));
        assert_eq!(stub.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_credentials_it_says_what_to_check() {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .build();
    let store = DynamoDbStore::with_client(Client::from_conf(config), TABLE).unwrap();

    let error = store.read("orders#1").await.unwrap_err();

    let (text, passes) = said(&error);
    let starts = format!(
        "no request reached the table `{TABLE}`, or no response came back; check that the function has credentials and a region: "
    );
    assert!(text.starts_with(&starts) && !passes, "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_read_is_not_shown() {
    let config = config().endpoint_url("user:s3cret@host:9000").build();
    let store = DynamoDbStore::with_client(Client::from_conf(config), TABLE).unwrap();

    let error = store.read("orders#1").await.unwrap_err();

    let (text, _) = said(&error);
    assert!(text.contains("check AWS_ENDPOINT_URL"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_cannot_be_read_is_named_and_its_data_is_not_shown() {
    let mut broken = item_json();
    broken["seq"] = json!({"S": "secret"});
    let stub = Stub::new([
        Reply::Says(200, json!({"Item": broken})),
        refused(Some(broken)),
    ]);
    let store = stub.store();

    let read = store.read("orders#1").await.unwrap_err();
    let swapped = store.swap(&put()).await.unwrap_err();

    let text = format!(
        "the table `{TABLE}` in eu-central-1 holds an item `orders#1` that cannot be read: its attribute `seq` is not a 64-bit whole number"
    );
    for error in [read, swapped] {
        assert_eq!(said(&error), (text.clone(), false));
        assert!(!format!("{error:?}").contains("secret"));
    }
}

#[test]
fn debug_and_description_name_the_table_only() {
    let arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders-idempotency";
    let store = DynamoDbStore::new(arn).unwrap();

    assert_eq!(store.describe(), "dynamodb:orders-idempotency");
    assert!(store.is_durable());
    assert_eq!(
        format!("{store:?}"),
        format!("DynamoDbStore {{ table: {arn:?}, .. }}")
    );
}

/// Reads one whole HTTP request; answers with its body.
async fn read_request(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let (_, len) = head.split_once("content-length: ").unwrap();
            let len: usize = len.lines().next().unwrap().parse().unwrap();
            if body.len() >= len {
                return body.to_owned();
            }
        }
        assert!(socket.read_buf(&mut bytes).await.unwrap() > 0);
    }
}

/// Real sockets, so real time: bounded by one back-off of at most [`DYNAMODB_BACKOFF_MS`](crate::limits::DYNAMODB_BACKOFF_MS).
#[tokio::test]
async fn a_connection_that_breaks_after_the_write_is_tried_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::from_conf(config().endpoint_url(&endpoint).build());
    let store = DynamoDbStore::with_client(client, TABLE).unwrap();

    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let first = read_request(&mut socket).await;
        drop(socket);
        let (mut socket, _) = listener.accept().await.unwrap();
        let second = read_request(&mut socket).await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        socket.write_all(answer.as_bytes()).await.unwrap();
        (first, second)
    };
    let swap = put();
    let (swapped, (first, second)) = tokio::join!(store.swap(&swap), server);

    assert_eq!(swapped.unwrap(), Swapped::Applied(Some(item())));
    assert_eq!(first, second);
}
