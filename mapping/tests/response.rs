//! Answers, read as Lambda reads them.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use msk_mapping::response::{
    Again, Event, FailureReporting, NotAnEvent, Partition, Read, ResponseFault, Verdict,
};

const EVENT: &str = r#"{"eventSource":"aws:kafka","records":{
    "orders-1":[{"offset":10,"value":"e30="},{"offset":11},{"offset":15},{"offset":16}],
    "a-b.c-0":[{"offset":9007199254740993}]}}"#;

fn event() -> Event {
    Event::parse(EVENT.as_bytes()).unwrap()
}

fn read(answer: &str) -> Read {
    Read::response(&event(), answer.as_bytes(), FailureReporting::Partial)
}

fn listing(identifiers: &str) -> String {
    format!(r#"{{"batchItemFailures":[{identifiers}]}}"#)
}

fn identifier(partition: &str, offset: &str) -> String {
    format!(r#"{{"itemIdentifier":{{"partition":"{partition}","offset":{offset}}}}}"#)
}

fn fault(answer: &str) -> ResponseFault {
    let read = read(answer);
    assert!(
        read.partitions()
            .iter()
            .all(|partition| partition.done() == 0 && partition.commit().is_none())
    );
    let Verdict::WholeBatchAgain(fault) = read.verdict() else {
        panic!("{answer}: {:?}", read.verdict())
    };
    fault.clone()
}

#[test]
fn an_answer_without_failures_commits_everything() {
    for answer in [
        "null",
        "{}",
        r#"{"batchItemFailures":[]}"#,
        r#"{"batchItemFailures":null}"#,
        r#"{"statusCode":200}"#,
    ] {
        let read = read(answer);

        assert!(read.all_done(), "{answer}");
        let commits: Vec<_> = read.partitions().iter().map(Partition::commit).collect();
        assert_eq!(commits, [Some(17), Some(9_007_199_254_740_994)]);
        assert!(
            read.partitions()
                .iter()
                .all(|partition| partition.sent_again(Again::FromLowest).is_empty())
        );
    }
}

#[test]
fn the_two_readings_differ_behind_the_lowest_failure() {
    let read = read(&listing(&identifier("orders-1", "11")));

    assert_eq!(read.verdict(), &Verdict::SomeAgain);
    let [orders, other] = read.partitions() else {
        panic!()
    };
    assert_eq!(
        (orders.key(), orders.done(), orders.again(), orders.from()),
        ("orders-1", 3, 1, Some(11))
    );
    assert_eq!(orders.sent_again(Again::OnlyListed), [11]);
    assert_eq!(orders.sent_again(Again::FromLowest), [11, 15, 16]);
    assert_eq!((other.done(), other.from()), (1, None));
}

#[test]
fn the_commit_is_one_past_the_last_record_before_the_first_failure() {
    let commit =
        |offset: &str| read(&listing(&identifier("orders-1", offset))).partitions()[0].commit();

    assert_eq!(commit("10"), None);
    assert_eq!(commit("11"), Some(11));
    assert_eq!(commit("15"), Some(12));
    assert_eq!(commit("16"), Some(16));
}

#[test]
fn an_identifier_that_is_listed_twice_counts_once() {
    let twice = format!(
        "{},{}",
        identifier("orders-1", "15"),
        identifier("orders-1", "15")
    );

    assert_eq!(read(&listing(&twice)).partitions()[0].again(), 1);
}

#[test]
fn one_unknown_identifier_sends_the_whole_batch_again() {
    let good = identifier("orders-1", "11");

    let partition = fault(&listing(&format!("{good},{}", identifier("orders", "11"))));
    let offset = fault(&listing(&format!(
        "{good},{}",
        identifier("orders-1", "12")
    )));

    assert_eq!(
        partition,
        ResponseFault::UnknownPartition {
            partition: "orders".to_owned()
        }
    );
    assert_eq!(
        offset,
        ResponseFault::UnknownOffset {
            partition: "orders-1".to_owned(),
            offset: 12
        }
    );
}

#[test]
fn a_malformed_answer_sends_the_whole_batch_again_and_names_the_place() {
    for (answer, reason) in [
        (r#""done""#.to_owned(), "it is a string"),
        ("[]".to_owned(), "it is an array"),
        (
            r#"{"batchItemFailures":{}}"#.to_owned(),
            "batchItemFailures is an object",
        ),
        (
            listing("{}"),
            "batchItemFailures[0].itemIdentifier is missing",
        ),
        (
            listing("7"),
            "batchItemFailures[0].itemIdentifier is missing",
        ),
        (
            listing(r#"{"itemIdentifier":"orders-1-11"}"#),
            "itemIdentifier is a string, not an object",
        ),
        (
            listing(&identifier("orders-1", r#""11""#)),
            "itemIdentifier.offset is a string, not an integer",
        ),
        (
            listing(&identifier("orders-1", "11.0")),
            "itemIdentifier.offset is a number, not an integer",
        ),
        (
            listing(r#"{"itemIdentifier":{"offset":11}}"#),
            "itemIdentifier.partition is missing or null",
        ),
    ] {
        let fault = fault(&answer);

        assert!(matches!(fault, ResponseFault::Malformed { .. }), "{answer}");
        assert!(fault.to_string().contains(reason), "{answer}: {fault}");
    }
}

#[test]
fn an_answer_that_is_not_json_sends_the_whole_batch_again() {
    for answer in ["", "fine", "{", "{} {}"] {
        assert!(
            matches!(fault(answer), ResponseFault::NotJson { .. }),
            "{answer}"
        );
    }
}

#[test]
fn an_error_sends_the_whole_batch_again() {
    let read = Read::error(&event());

    assert_eq!(
        read.verdict(),
        &Verdict::WholeBatchAgain(ResponseFault::FunctionError)
    );
    assert_eq!(
        read.partitions()[0].sent_again(Again::OnlyListed),
        [10, 11, 15, 16]
    );
}

#[test]
fn failures_listed_where_lambda_does_not_look_commit_all_and_are_named() {
    let entry = identifier("orders-1", "11");
    let list = format!("[{entry},{entry}]");
    for (answer, place) in [
        (
            format!(r#"{{"BatchItemFailures":{list}}}"#),
            "BatchItemFailures",
        ),
        (
            format!(r#"{{"batch_item_failures":{list}}}"#),
            "batch_item_failures",
        ),
        (
            format!(r#"{{"batchItemFailure":{list}}}"#),
            "batchItemFailure",
        ),
        (
            format!(r#"{{"batchItemFailures":[],"batchitemfailures":{list}}}"#),
            "batchitemfailures",
        ),
        (
            format!(
                r#"{{"statusCode":200,"body":{}}}"#,
                serde_json::json!(listing(&format!("{entry},{entry}")))
            ),
            "body.batchItemFailures",
        ),
        (
            format!(
                r#"{{"statusCode":200,"body":{}}}"#,
                listing(&format!("{entry},{entry}"))
            ),
            "body.batchItemFailures",
        ),
        (
            format!(r#"{{"Ok":{{"batchItemFailures":{list}}}}}"#),
            "Ok.batchItemFailures",
        ),
    ] {
        let read = Read::response(&event(), answer.as_bytes(), FailureReporting::Partial);

        let verdict = Verdict::FailuresMisplaced {
            field: place.to_owned(),
            listed: 2,
        };
        assert_eq!(read.verdict(), &verdict, "{answer}");
        assert_eq!(read.partitions()[0].commit(), Some(17));
        assert!(!read.all_done());
        let ignored = Read::response(&event(), answer.as_bytes(), FailureReporting::WholeBatch);
        assert_eq!(
            ignored.verdict(),
            &Verdict::FailuresIgnored { listed: 2 },
            "{answer}"
        );
    }
    for nothing in [
        r#"{"BatchItemFailures":[]}"#,
        r#"{"statusCode":200,"body":"{\"batchItemFailures\":[]}"}"#,
        r#"{"body":"{"}"#,
        r#"{"failures":3}"#,
    ] {
        let read = Read::response(&event(), nothing.as_bytes(), FailureReporting::Partial);
        assert!(read.all_done(), "{nothing}");
    }
}

#[test]
fn a_name_in_an_identifier_that_is_nearly_right_is_named() {
    for (entry, said) in [
        (
            r#"{"ItemIdentifier":{"partition":"orders-1","offset":11}}"#,
            "itemIdentifier is missing: ItemIdentifier stands in its place",
        ),
        (
            r#"{"item_identifier":{"partition":"orders-1","offset":11}}"#,
            "itemIdentifier is missing: item_identifier stands in its place",
        ),
        (
            r#"{"itemIdentifier":{"Partition":"orders-1","offset":11}}"#,
            "partition is missing or null, not a string: Partition stands in its place",
        ),
        (
            r#"{"itemIdentifier":{"partition":"orders-1","Offset":11}}"#,
            "offset is missing or null, not an integer: Offset stands in its place",
        ),
    ] {
        let fault = fault(&listing(entry)).to_string();

        assert!(fault.contains(said), "{fault}");
    }
}

#[test]
fn without_partial_responses_every_answer_commits_everything() {
    for (answer, verdict) in [
        ("null".to_owned(), Verdict::AllDone),
        ("not json".to_owned(), Verdict::AllDone),
        (listing(""), Verdict::AllDone),
        (
            listing(&identifier("orders-1", "11")),
            Verdict::FailuresIgnored { listed: 1 },
        ),
        (listing("7,8"), Verdict::FailuresIgnored { listed: 2 }),
    ] {
        let read = Read::response(&event(), answer.as_bytes(), FailureReporting::WholeBatch);

        assert_eq!(read.verdict(), &verdict, "{answer}");
        assert_eq!(read.partitions()[0].commit(), Some(17));
        assert_eq!(read.all_done(), verdict == Verdict::AllDone);
    }
}

#[test]
fn empty_records_are_an_event_with_nothing_to_do() {
    for records in [
        "",
        r#","records":null"#,
        r#","records":{}"#,
        r#","records":{"orders-0":[]}"#,
        r#","records":{"orders-0":null}"#,
    ] {
        for source in ["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"] {
            let event =
                Event::parse(format!(r#"{{"eventSource":"{source}"{records}}}"#).as_bytes())
                    .unwrap();

            assert_eq!(event.records(), 0);
            assert!(Read::response(&event, b"null", FailureReporting::Partial).all_done());
        }
    }
}

#[test]
fn what_is_not_kafkas_is_no_event() {
    for (json, names) in [
        (r#"{"Records":[{"eventSource":"aws:sqs"}]}"#, "eventSource"),
        (
            r#"{"eventSource":"aws:kafka","records":[]}"#,
            "not a Kafka event",
        ),
        (
            r#"{"eventSource":"aws:kafka","records":{"a-0":[{"offset":"7"}]}}"#,
            "not a Kafka event",
        ),
        ("7", "not a Kafka event"),
        ("", "not a Kafka event"),
    ] {
        let error: NotAnEvent = Event::parse(json.as_bytes()).unwrap_err();

        assert!(error.to_string().contains(names), "{json}: {error}");
    }
}

#[test]
fn a_message_names_the_kind_that_was_found_and_never_the_value() {
    for (json, says) in [
        (
            r#""secret \", expected""#,
            "invalid type: string, expected a JSON object",
        ),
        ("[]", "invalid length 0, expected a JSON object"),
        ("12345", "invalid type: integer, expected a JSON object"),
        (
            r#"{"records":{"a-0":[{"offset":"secret"}]}}"#,
            "invalid type: string, expected i64",
        ),
        (
            r#"{"records":{"a-0":[{"offset":1.25}]}}"#,
            "invalid type: floating point, expected i64",
        ),
        (
            r#"{"records":{"a-0":["secret"]}}"#,
            "invalid type: string, expected a record as a JSON object",
        ),
        (r#"{"records":{"a-0":[{}]}}"#, "missing field `offset`"),
    ] {
        let error = Event::parse(json.as_bytes()).unwrap_err();
        let NotAnEvent::Shape { source } = error else {
            panic!("{error}")
        };

        let text = source.to_string();
        assert!(text.starts_with(says), "{json}: {text}");
        let place = (source.line(), text.matches(" at line 1 column ").count());
        assert_eq!(place, (1, 1), "{text}");
    }
}

#[test]
fn no_message_quotes_more_than_a_few_hundred_characters() {
    let long = "x".repeat(1_200_000);
    let document = format!("\n\"{long}\"");
    let listed = listing(&identifier(&long, "11"));

    let error = Event::parse(document.as_bytes()).unwrap_err();
    let NotAnEvent::Shape { source } = error else {
        panic!("{error}")
    };
    let fault = fault(&listed).to_string();

    assert!(
        source.to_string().len() < 400,
        "{} bytes",
        source.to_string().len()
    );
    assert_eq!(source.line(), 2);
    assert!(fault.len() < 400, "{} bytes", fault.len());
}
