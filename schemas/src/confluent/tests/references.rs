//! References of schemas: each fetched once, bounded, and a fault of one named.

use serde_json::{Value, json};

use super::{fetch, reference, says, unusable};
use crate::confluent::Confluent;
use crate::id::{SchemaId, Source};
use crate::limits::{REFERENCES_DEPTH_MAX, REFERENCES_MAX};
use crate::registry::{FetchError, Registry};
use crate::stub::{Reply, Server};

#[tokio::test]
async fn references_are_fetched_with_theirs_and_each_once() {
    let root = json!({
        "schema": "root", "schemaType": "PROTOBUF",
        "references": [reference("a.proto", "a/b ü"), reference("b.proto", "b")],
    });
    let a =
        json!({"schema": "a", "schemaType": "PROTOBUF", "references": [reference("c.proto", "c")]});
    let b =
        json!({"schema": "b", "schemaType": "PROTOBUF", "references": [reference("c.proto", "c")]});
    let c = json!({"schema": "c", "schemaType": "PROTOBUF"});
    let server = Server::of([
        ("/r/schemas/ids/7", says(&root)),
        (
            "/r/subjects/a%2Fb%20%C3%BC/versions/1?deleted=true",
            says(&a),
        ),
        ("/r/subjects/b/versions/1?deleted=true", says(&b)),
        ("/r/subjects/c/versions/1?deleted=true", says(&c)),
    ])
    .await;
    let registry = Confluent::new(&format!("{}/r/", server.url)).unwrap();

    let source = registry.fetch(SchemaId::Number(7)).await.unwrap();

    let names = |source: &Source| -> Vec<String> {
        let references = source.references.iter();
        references
            .map(|reference| format!("{} {}", reference.name, reference.source.text))
            .collect()
    };
    assert_eq!(names(&source), ["a.proto a", "b.proto b"]);
    assert_eq!(names(&source.references[0].source), ["c.proto c"]);
    assert_eq!(names(&source.references[1].source), ["c.proto c"]);
    assert_eq!(server.targets().len(), 4);
}

#[tokio::test]
async fn what_several_schemas_refer_to_is_fetched_once() {
    let refers = says(&json!({"schema": "x", "references": [reference("m", "money")]}));
    let server = Server::of([
        ("/schemas/ids/7", refers.clone()),
        ("/schemas/ids/8", refers.clone()),
        ("/schemas/ids/9", refers),
        (
            "/subjects/money/versions/1?deleted=true",
            says(&json!({"schema": "money"})),
        ),
    ])
    .await;
    let registry = Confluent::new(&server.url).unwrap();
    let fetch = |id| registry.fetch(SchemaId::Number(id));

    let (first, beside) = tokio::join!(fetch(7), fetch(8));
    let later = fetch(9).await;

    assert!(first.is_ok() && first == beside && first == later);
    let references = server.targets().into_iter();
    let references = references.filter(|target| target.starts_with("/subjects"));
    assert_eq!(references.count(), 1);
}

#[tokio::test]
async fn a_reference_that_could_not_be_had_is_asked_for_again() {
    let server = Server::by(|number, request| match request.target.as_str() {
        "/schemas/ids/7" => says(&json!({"schema": "x", "references": [reference("m", "money")]})),
        _ if number < 2 => Reply::Says(503, String::new()),
        _ => says(&json!({"schema": "money"})),
    })
    .await;
    let registry = Confluent::new(&server.url).unwrap();
    let fetch = || registry.fetch(SchemaId::Number(7));

    assert!(matches!(fetch().await, Err(FetchError::Unavailable(_))));
    assert_eq!(fetch().await.unwrap().references.len(), 1);
}

#[tokio::test]
async fn references_in_a_circle_are_named() {
    let refers = |to: &str| says(&json!({"schema": "x", "references": [reference("x", to)]}));
    let server = Server::of([
        ("/schemas/ids/7", refers("a")),
        ("/subjects/a/versions/1?deleted=true", refers("b")),
        ("/subjects/b/versions/1?deleted=true", refers("a")),
    ])
    .await;

    let text = unusable(&server).await;

    assert_eq!(
        text,
        "the schema's references go in a circle: a 1 -> b 1 -> a 1"
    );
    assert_eq!(server.targets().len(), 3);
}

#[tokio::test]
async fn a_reference_that_the_registry_does_not_have_is_named_and_not_for_good() {
    let root = json!({"schema": "x", "references": [reference("x", "gone")]});
    let server = Server::of([("/schemas/ids/7", says(&root))]).await;

    let answer = fetch(&server, 7).await;

    let Err(FetchError::ReferenceNotFound(text)) = answer else {
        panic!("{answer:?}");
    };
    assert!(text.contains("version 1 of the subject \"gone\""), "{text}");
}

#[tokio::test]
async fn a_reference_that_cannot_be_had_now_is_an_outage() {
    let root = json!({"schema": "x", "references": [reference("x", "slow")]});
    let server = Server::of([
        ("/schemas/ids/7", says(&root)),
        (
            "/subjects/slow/versions/1?deleted=true",
            Reply::Says(503, String::new()),
        ),
    ])
    .await;

    let answer = fetch(&server, 7).await;

    assert!(
        matches!(answer, Err(FetchError::Unavailable(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn references_are_followed_to_a_depth() {
    let server = Server::by(|before, _| {
        says(&json!({"schema": "x", "references": [reference("x", &before.to_string())]}))
    })
    .await;

    let text = unusable(&server).await;

    assert!(text.contains("more than 32 deep"), "{text}");
    assert_eq!(server.targets().len(), REFERENCES_DEPTH_MAX + 1);
}

#[tokio::test]
async fn references_are_fetched_up_to_a_number() {
    let many: Vec<Value> = (0..=REFERENCES_MAX)
        .map(|at| reference("x", &at.to_string()))
        .collect();
    let root = json!({"schema": "x", "references": many});
    let server = Server::of([("/schemas/ids/7", says(&root))]).await;

    let text = unusable(&server).await;

    assert!(text.contains("more than 500 others"), "{text}");
    assert_eq!(server.targets().len(), 1);
}

#[tokio::test]
async fn references_that_are_repeated_on_each_level_end() {
    // 2^20 places in the tree, of 20 schemas.
    let server = Server::by(|_, request| {
        let level = request.target.split('/').nth(2).unwrap().parse::<u32>();
        let next = level.map_or(0, |level| level + 1);
        let references = match next {
            20 => vec![],
            next => vec![
                reference("x", &next.to_string()),
                reference("y", &next.to_string()),
            ],
        };
        says(&json!({"schema": "x", "references": references}))
    })
    .await;

    let text = unusable(&server).await;

    assert!(text.contains("more than 10000 times"), "{text}");
}
