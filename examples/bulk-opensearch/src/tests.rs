//! What becomes of records, by what a server answers; and requests as they come to it.

mod faults;
mod real;
mod signed;
mod stub;

use std::ffi::OsString;
use std::time::{Duration, Instant};

use lambda_msk::Outcome::{self, Done, Failed, Rejected, Unreached};
use lambda_msk::destination::MemoryDestination;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Idempotency, Invoked};

use self::stub::{Answer, Stub};
use super::{TOPIC, consumer_with};

/// The variables of a consumer that writes to a server, unsigned, and more of them.
fn variables<'v>(
    url: &'v str,
    more: &'v [(&'v str, &'v str)],
) -> impl Fn(&str) -> Option<OsString> + 'v {
    let own = [("OPENSEARCH_URL", url), ("OPENSEARCH_SERVICE", "none")];
    move |name| {
        let mut all = more.iter().copied().chain(own);
        let (_, value) = all.find(|(known, _)| *known == name)?;
        Some(value.into())
    }
}

/// The consumer that writes to a server, with so many attempts, and where its letters go.
fn consumer(url: &str, attempts: u32, more: &[(&str, &str)]) -> (Consumer, MemoryDestination) {
    let letters = MemoryDestination::new();
    let builder = consumer_with(variables(url, more));
    let builder = builder.on_failure(letters.clone()).attempts(attempts);
    let consumer = builder.idempotency(Idempotency::None).build();
    (consumer.expect("the consumer is configured"), letters)
}

fn order(number: usize) -> String {
    format!("{{\"order_id\":{number},\"customer_id\":\"c-{number}\",\"amount_cents\":100}}")
}

/// Orders 0, 1, …, each in a partition of its own.
fn orders(number: usize) -> Event {
    let samples = (0..number).map(|at| {
        let partition = i32::try_from(at).unwrap();
        Sample::new(TOPIC, partition).value(order(at))
    });
    Event::msk().records(samples).build()
}

/// What becomes of so many orders, each in a partition of its own.
async fn outcomes(stub: &Stub, attempts: u32, number: usize) -> Vec<Outcome> {
    let (consumer, _) = consumer(&stub.url, attempts, &[]);
    invoke(&consumer, orders(number)).await.outcomes()
}

fn code(invoked: &Invoked, at: usize) -> String {
    let problem = invoked.records()[at].problem.as_ref();
    problem.expect("a problem").code.clone()
}

#[tokio::test]
async fn each_order_is_one_create_with_its_key_as_its_id() {
    let stub = Stub::new(|request, _| Answer::created(request));
    let (consumer, _) = consumer(&stub.url, 1, &[]);
    let event = Event::msk()
        .record(Sample::new(TOPIC, 0).value(order(1)))
        .record(
            Sample::new(TOPIC, 0)
                .value("{\n\"order_id\":2,\"customer_id\":\"é\",\"amount_cents\":0,\"n\":1.50\n}"),
        );

    let first = invoke(&consumer, event.build()).await;
    let again = invoke(&consumer, event).await;

    assert_eq!(first.outcomes(), [Done, Done]);
    assert_eq!(again.outcomes(), [Done, Done]);
    let requests = stub.requests();
    assert_eq!(
        requests[0].line,
        format!("POST /{}/_bulk HTTP/1.1", TOPIC.to_ascii_lowercase())
    );
    assert_eq!(
        requests[0].header("content-type"),
        Some("application/x-ndjson")
    );
    assert_eq!(requests[0].header("authorization"), None);
    let documents = requests[0].documents();
    assert_eq!(documents[0].1, order(1));
    assert_eq!(
        documents[1].1,
        "{ \"order_id\":2,\"customer_id\":\"é\",\"amount_cents\":0,\"n\":1.50 }"
    );
    assert_ne!(documents[0].0, documents[1].0);
    assert_eq!(
        requests[1].documents(),
        documents,
        "the same ids in every delivery"
    );
}

#[tokio::test]
async fn of_each_document_its_status_decides() {
    let statuses = [200, 201, 409, 400, 422, 401, 403, 404, 429, 500, 503];
    let stub = Stub::new(move |_, _| Answer::items(&statuses));
    let (consumer, letters) = consumer(&stub.url, 1, &[]);

    let invoked = invoke(&consumer, orders(statuses.len())).await;

    let expected = [
        Done, Done, Done, Rejected, Rejected, Failed, Failed, Failed, Failed, Failed, Failed,
    ];
    assert_eq!(invoked.outcomes(), expected);
    let codes = [
        (3, "opensearch.refused"),
        (5, "opensearch.denied"),
        (7, "opensearch.no_index"),
        (8, "opensearch.busy"),
        (9, "opensearch.unavailable"),
    ];
    for (at, expected) in codes {
        assert_eq!(code(&invoked, at), expected);
    }
    let letters = letters.letters();
    assert_eq!(letters.len(), 2);
    let message = format!("{:?}", letters[0]);
    assert!(
        message.contains("OpenSearch answered 400 (some_exception)"),
        "{message}"
    );
    assert!(
        !message.contains("secret"),
        "no part of a document: {message}"
    );
}

#[tokio::test]
async fn what_is_retried_is_sent_again_without_what_is_done() {
    let stub = Stub::new(|request, before| match before {
        0 => Answer::items(&[201, 429, 400, 201]),
        _ => Answer::created(request),
    });

    assert_eq!(outcomes(&stub, 3, 4).await, [Done, Done, Rejected, Done]);
    let sent: Vec<_> = stub.requests().iter().map(stub::Request::orders).collect();
    assert_eq!(sent, [vec![0, 1, 2, 3], vec![1]]);
}

#[tokio::test]
async fn a_failed_document_stops_its_lane_and_what_was_created_stays_done() {
    let stub = Stub::new(|_, _| Answer::items(&[201, 404, 201, 201]));
    let (consumer, _) = consumer(&stub.url, 1, &[("BULK_RECORDS", "4")]);
    let samples = (0..6).map(|at| Sample::new(TOPIC, 0).value(order(at)));

    let invoked = invoke(&consumer, Event::msk().records(samples)).await;

    let expected = [Done, Failed, Done, Done, Unreached, Unreached];
    assert_eq!(invoked.outcomes(), expected);
}

#[tokio::test]
async fn an_answer_that_is_not_one_to_the_request_settles_nothing() {
    let three = Answer::items(&[201; 3]).2;
    let mut other_action = three.clone();
    other_action = other_action.replace("create", "index");
    for (status, body) in [
        (200, "no json".to_owned()),
        (200, String::new()),
        (200, "{\"items\":[]}".to_owned()),
        (200, Answer::items(&[201; 2]).2),
        (200, Answer::items(&[201; 4]).2),
        (200, other_action),
        (201, three.clone()),
        (302, three.clone()),
        (400, three.clone()),
        (500, three),
    ] {
        let answer = Answer(status, "Location: /orders/_bulk\r\n", body.clone());
        let stub = Stub::new(move |_, _| answer.clone());

        assert_eq!(outcomes(&stub, 1, 3).await, [Failed; 3], "{status} {body}");
    }
}

#[tokio::test]
async fn after_an_answer_that_settles_nothing_all_are_sent_again() {
    let stub = Stub::new(|request, before| match before {
        0 => Answer(200, "", "<html>".to_owned()),
        _ => Answer::items(&vec![409; request.documents().len()]),
    });

    assert_eq!(outcomes(&stub, 3, 3).await, [Done; 3]);
    let sent: Vec<_> = stub.requests().iter().map(stub::Request::orders).collect();
    assert_eq!(sent, [[0, 1, 2], [0, 1, 2]]);
}

#[tokio::test]
async fn a_server_that_is_busy_or_shut_is_asked_again_with_all_and_never_in_halves() {
    for status in [401, 403, 404, 429, 502, 503, 504] {
        let stub = Stub::new(move |_, _| Answer(status, "", String::new()));

        assert_eq!(outcomes(&stub, 2, 4).await, [Failed; 4], "{status}");
        let sent: Vec<_> = stub.requests().iter().map(stub::Request::orders).collect();
        assert_eq!(sent, [[0, 1, 2, 3], [0, 1, 2, 3]], "{status}");
    }
}

#[tokio::test]
async fn a_server_says_when_to_come_back() {
    let stub = Stub::new(|request, before| match before {
        0 => Answer(429, "Retry-After: 1\r\n", String::new()),
        _ => Answer::created(request),
    });
    #[allow(clippy::disallowed_methods, reason = "of a server in its own time")]
    let started = Instant::now();

    assert_eq!(outcomes(&stub, 2, 2).await, [Done; 2]);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved_and_a_document_that_is_alone_waits() {
    let stub = Stub::new(|request, _| {
        let orders = request.orders();
        match orders.len() > 2 || orders == [5] {
            true => Answer(413, "", String::new()),
            false if orders.contains(&5) => Answer(413, "", String::new()),
            false => Answer::created(request),
        }
    });
    let (consumer, letters) = consumer(&stub.url, 1, &[]);

    let invoked = invoke(&consumer, orders(8)).await;

    let expected = [Done, Done, Done, Done, Done, Failed, Done, Done];
    assert_eq!(invoked.outcomes(), expected);
    assert_eq!(code(&invoked, 5), "opensearch.too_large");
    assert_eq!(letters.letters().len(), 0);
    assert_eq!(stub.requests().len(), 9, "8; 4, 2, 2; 4, 2, 1, 1, 2");
}

#[tokio::test]
async fn a_proxy_that_takes_no_request_for_its_size_drains_no_topic() {
    let stub = Stub::new(|_, _| Answer(413, "", String::new()));
    let (consumer, letters) = consumer(&stub.url, 2, &[]);

    let invoked = invoke(&consumer, orders(4)).await;

    assert_eq!(invoked.outcomes(), [Failed; 4]);
    assert_eq!(letters.letters().len(), 0);
}

#[tokio::test]
async fn without_a_server_records_fail_and_no_url_is_told() {
    // Bound and dropped: nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (consumer, _) = consumer(&format!("http://user:s3cret@{address}"), 1, &[]);

    let invoked = invoke(&consumer, orders(2)).await;

    assert_eq!(invoked.outcomes(), [Failed; 2]);
    assert_eq!(code(&invoked, 0), "opensearch.unavailable");
    let problem = format!("{:?}", invoked.records());
    for text in ["s3cret", "user", "_bulk"] {
        assert!(!problem.contains(text), "{problem}");
    }
}

#[tokio::test]
async fn a_request_has_at_most_so_many_records_and_bytes() {
    for (more, expected) in [
        (("BULK_RECORDS", "2"), vec![2, 2, 1]),
        // Less than two orders have.
        (("BULK_BYTES", "100"), vec![1; 5]),
        (("BULK_BYTES", ""), vec![5]),
    ] {
        let stub = Stub::new(|request, _| Answer::created(request));
        let (consumer, _) = consumer(&stub.url, 1, &[more]);
        let samples = (0..5).map(|at| Sample::new(TOPIC, 0).value(order(at)));

        let invoked = invoke(&consumer, Event::msk().records(samples)).await;

        assert_eq!(invoked.outcomes(), [Done; 5]);
        let sent = stub.requests();
        let sent: Vec<_> = sent.iter().map(|request| request.orders().len()).collect();
        assert_eq!(sent, expected, "{more:?}");
    }
}

#[tokio::test]
async fn what_is_no_order_is_rejected_and_never_sent() {
    let stub = Stub::new(|request, _| Answer::created(request));
    let (consumer, letters) = consumer(&stub.url, 1, &[]);
    let event = Event::msk()
        .record(Sample::new(TOPIC, 0).value("no order"))
        .record(Sample::new(TOPIC, 0).value(order(1)))
        .record(Sample::new(TOPIC, 0).value(r#"{"order_id":"2"}"#))
        // An order as a list of its fields, which is no document.
        .record(Sample::new(TOPIC, 0).value(r#"[3,"c-3",100]"#))
        .record(Sample::new(TOPIC, 0));

    let invoked = invoke(&consumer, event).await;

    let expected = [Rejected, Done, Rejected, Rejected, Rejected];
    assert_eq!(invoked.outcomes(), expected);
    assert_eq!(letters.letters().len(), 4);
    assert_eq!(stub.requests()[0].orders(), [1]);
}

#[tokio::test]
async fn every_record_of_the_sample_event_is_done() {
    let stub = Stub::new(|request, _| Answer::created(request));
    let (consumer, _) = consumer(&stub.url, 1, &[]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/events/batch.json");

    let invoked = invoke(&consumer, Event::from_file(file).expect("an event")).await;

    assert_eq!(invoked.outcomes(), [Done; 4]);
    let requests = stub.requests();
    assert_eq!(requests.len(), 1, "all partitions in one request");
    assert_eq!(requests[0].orders(), [1002, 1003, 1004, 1006]);
}

#[tokio::test]
async fn the_index_the_topic_and_the_path_are_chosen_and_a_user_is_let_in() {
    let stub = Stub::new(|request, _| Answer::created(request));
    let url = stub.url.replace("http://", "http://ann:p%40ss@") + "/search/";
    let more = [("OPENSEARCH_INDEX", "archive-2026"), ("TOPIC", "shop")];
    let (consumer, _) = consumer(&url, 1, &more);
    let event = Event::msk().record(Sample::new("shop", 0).value(order(1)));

    assert_eq!(invoke(&consumer, event).await.outcomes(), [Done]);
    let request = &stub.requests()[0];
    assert_eq!(request.line, "POST /search/archive-2026/_bulk HTTP/1.1");
    // printf 'ann:p@ss' | base64
    assert_eq!(request.header("authorization"), Some("Basic YW5uOnBAc3M="));
}
