//! Letters in a FIFO queue, whose groups give their next messages only when those before them are deleted.

use serde_json::json;

use crate::support::aws::Aws;
use crate::support::build::handler;
use crate::support::ends;
use crate::support::redrive::{list, redrive, text};
use crate::support::service::Service;

/// Far more of each group than a queue gives at once.
const LETTERS: usize = 36;
const GROUPS: usize = 3;

/// A letter of lambda-msk whose order is one of the service's, or no order at all.
fn letter(partition: usize, offset: usize) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let order = json!({"order_id": offset, "customer_id": "c", "amount_cents": 1});
    json!({
        "requestContext": {"requestId": "r", "functionArn": "arn:aws:lambda:eu-central-1:1:function:shop", "condition": "RecordRejected", "approximateInvokeCount": 1},
        "responseContext": null, "version": "1.0", "timestamp": "2026-11-22T08:00:00.123Z", "KafkaBatchInfo": {},
        "failure": {"code": "c", "message": "m", "attempts": 1, "redrives": 0, "idempotencyKey": "k"},
        "payload": {"eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:c", "records": {(format!("orders-{partition}")): [{
            "topic": "orders", "partition": partition, "offset": offset, "timestamp": 7, "timestampType": "CREATE_TIME",
            "value": STANDARD.encode(order.to_string()),
        }]}},
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a queue: make test-services"]
async fn a_fifo_queue_is_redriven_to_its_end_in_the_order_of_its_groups() {
    tokio::task::spawn_blocking(handler).await.unwrap();
    let queues = Aws::queues();
    let name = format!("letters-{}.fifo", std::process::id());
    let queue = queues.queue(&name, json!({"FifoQueue": "true"})).await;
    for number in 0..LETTERS * GROUPS {
        let (group, offset) = (number % GROUPS, number / GROUPS);
        let more = json!({"MessageGroupId": format!("orders-{group}"), "MessageDeduplicationId": number.to_string()});
        queues.send(&queue, &letter(group, offset), more).await;
    }
    // The last group's orders are refused from this one on.
    let refused = LETTERS / 2;
    let service = Service::refusing_places(move |(partition, offset)| {
        partition == 2 && offset >= i64::try_from(refused).unwrap()
    });
    let service = service.await;
    let to = format!("command:{}", handler().display());
    let env = [
        format!("FULFILMENT_URL={}", service.url()),
        "LAMBDA_MSK_ATTEMPTS=1".to_owned(),
        "AWS_LAMBDA_LOG_LEVEL=FATAL".to_owned(),
    ];

    let listed = list(&queue, queues.endpoint()).await;
    let run = ends(redrive(&queue, queues.endpoint(), &to, &env)).await;

    // Nothing was deleted, so each group gives its first messages only.
    assert_eq!(listed["complete"], false, "{listed:#}");
    let again = service.assert_all_in_order(&[LETTERS, LETTERS, refused]);
    assert_eq!(again, 0);
    let said = text(&run);
    assert_eq!(run.status.code(), Some(1), "{said}");
    let settled = LETTERS * GROUPS - (LETTERS - refused);
    assert!(
        said.contains(&format!("{settled} letters settled")),
        "{said}"
    );
    assert!(said.contains("more messages were not seen"), "{said}");
    assert_eq!(queues.count(&queue).await, LETTERS - refused);
}
