//! Each shape of a letter that is a JSON document, and what is none.

use super::{Foreign, read};
use crate::dlq::letter::{Content, Letter, Mark, Shape};

const CONTEXT: &str = r#""requestContext":{"requestId":"r","functionArn":"arn:aws:lambda:eu-west-1:1:function:orders","condition":"RetryAttemptsExhausted","approximateInvokeCount":3}"#;
const EVENT: &str = r#"{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:c","records":{"orders-0":[{"topic":"orders","partition":0,"offset":41,"timestamp":7,"value":"e30="}]}}"#;
const INFO: &str = r#"{"batchSize":2,"eventSourceArn":"arn:aws:kafka:c","recordsInfo":{"orders-a-0":{"firstRecordOffset":"41","lastRecordOffset":"43","firstRecordTimestamp":"2026-11-22T08:00:00.123Z","lastRecordTimestamp":null}}}"#;

fn document(more: &str) -> String {
    format!(
        r#"{{{CONTEXT},"responseContext":null,"version":"1.0","timestamp":"2026-11-22T08:00:00.123Z"{more}}}"#
    )
}

fn letter(more: &str) -> Letter {
    read(document(more).as_bytes(), None).unwrap()
}

fn json(letter: &Letter) -> String {
    let Content::Event(event) = &letter.content else {
        panic!("{:?}", letter.content);
    };
    event.json(None)
}

#[test]
fn an_envelope_gives_its_record_and_its_reason() {
    let failure = r#""failure":{"code":"reject.json","message":"no","attempts":1,"redrives":2,"idempotencyKey":"k"}"#;
    let letter = letter(&format!(
        r#","KafkaBatchInfo":{{"recordInfo":{{"offset":"41"}}}},{failure},"payload":{EVENT}"#
    ));

    assert_eq!(
        (letter.shape, &*letter.code),
        (Shape::Envelope, "reject.json")
    );
    assert_eq!((letter.attempts, letter.redrives), (Some(1), 2));
    assert_eq!(letter.place(), "orders-0@41");
    assert_eq!(json(&letter), EVENT);
}

#[test]
fn each_document_of_lambda_is_told_from_the_others() {
    let coordinates = letter(&format!(r#","KafkaBatchInfo":{INFO}"#));
    let text = serde_json::to_string(EVENT).unwrap();
    let batch = letter(&format!(r#","KafkaBatchInfo":{INFO},"payload":{text}"#));
    let record = letter(&format!(
        r#","KafkaBatchInfo":{{"recordInfo":{{"offset":"41"}}}},"payload":{EVENT}"#
    ));

    assert_eq!(coordinates.shape, Shape::LambdaCoordinates);
    assert_eq!(coordinates.place(), "orders-a-0@41..43");
    assert_eq!(coordinates.spans[0].first_ms, Some(1_795_334_400_123));
    assert_eq!(coordinates.spans[0].last_ms, None);
    assert_eq!(coordinates.code, "RetryAttemptsExhausted");
    assert_eq!(
        (batch.shape, json(&batch)),
        (Shape::LambdaBatch, EVENT.to_owned())
    );
    assert_eq!(
        (record.shape, json(&record)),
        (Shape::LambdaRecord, EVENT.to_owned())
    );
}

#[test]
fn a_letter_that_came_through_sns_is_the_letter() {
    let inner = document(&format!(r#","KafkaBatchInfo":{INFO}"#));
    let message = serde_json::to_string(&inner).unwrap();
    let outer = format!(
        r#"{{"Type":"Notification","TopicArn":"arn:aws:sns:eu-west-1:1:t","Message":{message}}}"#
    );

    assert_eq!(read(outer.as_bytes(), None), read(inner.as_bytes(), None));
}

#[test]
fn a_payload_may_lie_beside_the_envelope_or_elsewhere() {
    let failure = r#""failure":{"code":"c","message":"m","attempts":0,"idempotencyKey":"f/arn:x/y/orders/3/41/7"}"#;
    let start = format!(r#","KafkaBatchInfo":{{}},{failure}"#);
    let packed = document(&format!(r#"{start},"payloadEncoding":"gzip""#));
    let pointer = letter(&format!(r#"{start},"overflow":"s3://b/k""#));

    let letter = read(packed.as_bytes(), Some(EVENT.as_bytes())).unwrap();

    assert_eq!(json(&letter), EVENT);
    assert_eq!(read(packed.as_bytes(), None), Err(Foreign::BadPayload));
    assert_eq!(pointer.content, Content::Elsewhere("s3://b/k".to_owned()));
    assert_eq!(pointer.place(), "orders-3@41");
}

#[test]
fn what_is_no_letter_is_named_by_its_kind() {
    let whole = document(&format!(r#","KafkaBatchInfo":{INFO}"#));
    for (text, foreign) in [
        (" \n".to_owned(), Foreign::Empty),
        (whole[..whole.len() - 9].to_owned(), Foreign::CutOff),
        (format!("{}\n", &whole[..40]), Foreign::CutOff),
        ("hello".to_owned(), Foreign::NotJson),
        ("7".to_owned(), Foreign::OtherSystem),
        (r#"{"order_id":1}"#.to_owned(), Foreign::OtherSystem),
        (EVENT.to_owned(), Foreign::OtherSystem),
        (whole.replace("1.0", "2.0"), Foreign::NewerVersion),
        (document(r#","KinesisBatchInfo":{}"#), Foreign::OtherSource),
        (document(r#","KafkaBatchInfo":{}"#), Foreign::NoRecord),
        (
            whole.replace(r#"stRecordOffset":"43"#, r#"stRecordOffset":"4"#),
            Foreign::NoRecord,
        ),
        (
            document(r#","KafkaBatchInfo":{},"payload":{"records":{}}"#),
            Foreign::BadPayload,
        ),
        (
            document(r#","KafkaBatchInfo":{},"payload":"x""#),
            Foreign::BadPayload,
        ),
    ] {
        assert_eq!(read(text.as_bytes(), None), Err(foreign), "{text}");
    }
}

#[test]
fn an_id_is_the_same_in_each_reading_and_differs_from_others() {
    let text = document(&format!(r#","KafkaBatchInfo":{INFO}"#));
    let other = text.replace("\"41\"", "\"40\"");

    let id = |text: &str| read(text.as_bytes(), None).unwrap().id;

    assert_eq!(id(&text), id(&format!(" {text}\n")));
    assert_ne!(id(&text), id(&other));
    assert_eq!(id(&text).len(), 16);
}

#[test]
fn an_event_that_is_fed_back_carries_the_mark() {
    let letter = letter(&format!(r#","KafkaBatchInfo":{{}},"payload":{EVENT}"#));
    let Content::Event(event) = &letter.content else {
        panic!("{letter:?}");
    };
    let id = "00ff".to_owned();

    let marked = event.json(Some(&Mark { id, count: 2 }));

    let end = format!(
        "{},\"redrive\":{{\"id\":\"00ff\",\"count\":2}}}}",
        &EVENT[..EVENT.len() - 1]
    );
    assert_eq!(marked, end);
}

#[test]
fn offsets_that_no_batch_can_have_are_refused() {
    let span = |first: i64, last: i64| {
        let info = format!(
            r#"{{"recordsInfo":{{"orders-0":{{"firstRecordOffset":"{first}","lastRecordOffset":"{last}"}}}}}}"#
        );
        read(
            document(&format!(r#","KafkaBatchInfo":{info}"#)).as_bytes(),
            None,
        )
    };
    let pointer = |offset: i64| {
        let failure =
            format!(r#""failure":{{"code":"c","idempotencyKey":"n/c/orders/0/{offset}/7"}}"#);
        let more = format!(r#","KafkaBatchInfo":{{}},{failure}"#);
        read(document(&more).as_bytes(), None)
    };

    for (first, last) in [
        (-1, 5),
        (i64::MIN, i64::MAX),
        (0, i64::MAX),
        (i64::MAX, i64::MAX),
        (7, 100_007),
        (6, 5),
    ] {
        assert_eq!(span(first, last), Err(Foreign::NoRecord), "{first} {last}");
    }
    for offset in [-1, i64::MAX] {
        assert_eq!(pointer(offset), Err(Foreign::NoRecord), "{offset}");
    }
    assert!(span(7, 100_006).is_ok() && pointer(0).is_ok());
}
