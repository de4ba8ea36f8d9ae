//! The business: which answers of the fulfilment service are done, tried again, rejected; what it is sent; what a wrong environment gets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use lambda_msk::testing::{Event, Invoked, Sample, invoke};
use lambda_msk::{Error, Outcome};

use crate::support::{Service, scratch};

const ORDER: &str = r#"{"order_id":7,"customer_id":"c-1","amount_cents":1250,"note":"ring twice"}"#;

/// Gives one record to the function in this environment.
async fn ship(value: &str, variables: &[(&str, &str)]) -> Invoked {
    let variables = variables
        .iter()
        .map(|(name, value)| (String::from(*name), String::from(*value)));
    let consumer = handler::consumer(variables).unwrap();
    let record = Sample::new("orders", 0)
        .offset(15)
        .timestamp(1_545_084_650_987)
        .value(value);
    invoke(&consumer, Event::msk().record(record)).await
}

/// How an order ends when the service answers so, and how often it was sent.
async fn outcome(statuses: &[u16]) -> (Outcome, usize) {
    let service = Service::answering(statuses).await;
    let invoked = ship(ORDER, &[("FULFILMENT_URL", &service.url())]).await;
    (invoked.outcomes()[0], service.received().len())
}

#[tokio::test]
async fn an_order_goes_to_the_service_as_it_came_with_its_key() {
    let service = Service::answering(&[204]).await;

    let invoked = ship(
        ORDER,
        &[
            ("FULFILMENT_URL", &service.url()),
            ("LAMBDA_MSK_NAMESPACE", "shop"),
        ],
    )
    .await;

    assert_eq!(invoked.outcomes(), [Outcome::Done]);
    let received = service.received();
    let [(key, body)] = received.as_slice() else {
        panic!("{} requests", received.len());
    };
    assert_eq!(body, ORDER);
    assert!(key.starts_with("shop/arn:aws:kafka:"), "{key}");
    assert!(key.ends_with("/orders/0/15/1545084650987"), "{key}");
}

#[tokio::test]
async fn any_2xx_is_done() {
    for status in [200, 201, 202, 204] {
        assert_eq!(outcome(&[status]).await, (Outcome::Done, 1), "{status}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert_eq!(
            outcome(&[status, 200]).await,
            (Outcome::Done, 2),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_order_is_sent_again() {
    for status in [301, 302, 303, 307, 308] {
        let service = Service::answering(&[status, 200]).await;

        let invoked = ship(ORDER, &[("FULFILMENT_URL", &service.url())]).await;

        assert_eq!(invoked.outcomes(), [Outcome::Done], "{status}");
        assert_eq!(invoked.records()[0].attempts, 2, "{status}");
        let received = service.received();
        let bodies: Vec<&str> = received.iter().map(|(_, body)| &**body).collect();
        assert_eq!(bodies, [ORDER, ORDER], "{status}");
    }
    assert_eq!(outcome(&[302]).await, (Outcome::Failed, 3));
}

#[tokio::test]
async fn what_does_not_pass_is_failed_after_three_tries() {
    assert_eq!(outcome(&[503]).await, (Outcome::Failed, 3));
}

#[tokio::test]
async fn any_other_4xx_rejects() {
    let dead_letters = scratch("refused.ndjson");
    let file = format!("file:{}", dead_letters.display());
    for status in [400, 401, 404, 409, 422] {
        let service = Service::answering(&[status]).await;

        let invoked = ship(
            ORDER,
            &[
                ("FULFILMENT_URL", &service.url()),
                ("LAMBDA_MSK_ON_FAILURE", &file),
            ],
        )
        .await;

        assert_eq!(invoked.outcomes(), [Outcome::Rejected], "{status}");
        assert_eq!(invoked.records()[0].attempts, 1);
        let code = &invoked.records()[0].problem.as_ref().unwrap().code;
        assert_eq!(code, "fulfilment.refused");
    }
    let letters = std::fs::read_to_string(&dead_letters).unwrap();
    std::fs::remove_file(&dead_letters).unwrap();
    assert_eq!(letters.lines().count(), 5);
}

#[tokio::test]
async fn no_connection_is_tried_again() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);

    let invoked = ship(ORDER, &[("FULFILMENT_URL", &format!("http://{address}/"))]).await;

    let report = &invoked.records()[0];
    assert_eq!((report.outcome, report.attempts), (Outcome::Failed, 3));
}

#[tokio::test]
async fn without_a_service_orders_are_logged_and_done() {
    assert_eq!(ship(ORDER, &[]).await.outcomes(), [Outcome::Done]);
}

#[tokio::test]
async fn what_is_no_order_is_never_sent() {
    let service = Service::answering(&[200]).await;

    let invoked = ship(
        r#"{"order_id":"seven"}"#,
        &[("FULFILMENT_URL", &service.url())],
    )
    .await;

    assert_eq!(invoked.outcomes(), [Outcome::Failed]);
    assert!(service.received().is_empty());
}

#[test]
fn every_fault_of_the_environment_is_named_at_once() {
    let variables = [
        ("FULFILMENT_URL", "fulfilment"),
        ("LAMBDA_MSK_CONCURRENCY", "many"),
        ("LAMBDA_MSK_ORDER", "random"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));

    let error = handler::consumer(variables).unwrap_err();

    assert!(matches!(error, Error::Configuration(_)));
    let text = error.to_string();
    for part in [
        "3 faults",
        "FULFILMENT_URL: expected `https://host/path`, or unset, found no URL",
        "LAMBDA_MSK_CONCURRENCY: expected a whole number from 1 to 10000, found `many`",
        "LAMBDA_MSK_ORDER: expected one of `partition`, `key`, `unordered`, found `random`",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
