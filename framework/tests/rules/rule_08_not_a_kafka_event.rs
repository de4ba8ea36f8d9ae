//! A body that is not a Kafka event is an invocation error that says what it is, and where its JSON breaks; the next invocation runs.

use lambda_msk::testing::invoke;
use lambda_msk::{Consumer, Error, Record};

use crate::support::{letters, orders};

fn consumer() -> Consumer {
    Consumer::builder()
        .topic("orders", async |_: Record| {})
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn another_sources_event_is_named() {
    let sqs = r#"{"Records":[{"messageId":"1","body":"secret","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:q"}]}"#;
    let kinesis = r#"{"Records":[{"kinesis":{"data":"c2VjcmV0"},"eventSource":"aws:kinesis"}]}"#;

    for (event, name) in [(sqs, "SQS"), (kinesis, "Kinesis")] {
        let invoked = invoke(&consumer(), event).await;

        let error = invoked.response().unwrap_err();
        assert!(matches!(error, Error::Event(_)), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(invoked.records().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_place_where_the_json_breaks_is_said() {
    let event = r#"{"eventSource":"aws:kafka","records":{"orders-0":[{"topic":"orders","partition":0,"offset":x}]}}"#;

    let invoked = invoke(&consumer(), event).await;

    let error = invoked.response().unwrap_err().to_string();
    let byte = event.find('x').unwrap();
    assert!(error.contains(&format!("byte {byte}")), "{error}");
    assert!(
        error.contains(r#"records["orders-0"][0].offset"#),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_invocation_runs() {
    let consumer = consumer();

    invoke(&consumer, "not JSON").await.response().unwrap_err();
    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(letters(&invoked), "D");
}
