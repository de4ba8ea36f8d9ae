//! The client against a registry that answers by script.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{ArnError, Glue};
use crate::aws::Service;
use crate::id::{Format, SchemaId, Source};
use crate::registry::{FetchError, Registry};
use crate::stub::{Reply, Server};

const ARN: &str = "arn:aws:glue:eu-central-1:123456789012:registry/shop";
const ID: SchemaId = SchemaId::Version([0xab; 16]);

/// The registry at an endpoint.
fn at(arn: &str, endpoint: Option<String>) -> Result<Glue, ArnError> {
    Glue::with(arn, |partition, region| {
        Service::at("glue", partition, region, endpoint)
    })
}

fn glue(server: &Server) -> Glue {
    let mut glue = at(ARN, Some(server.url.clone())).unwrap();
    let session = Some("t0ken".to_owned());
    let credentials = Credentials::new("AKIDEXAMPLE", "s3cret", session, None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    glue.service.credentials = OnceCell::new_with(Some(Some(provider)));
    glue
}

async fn answer(status: u16, body: &Value) -> Result<Source, FetchError> {
    answer_text(status, &body.to_string()).await
}

async fn answer_text(status: u16, body: &str) -> Result<Source, FetchError> {
    let body = body.to_owned();
    let server = Server::by(move |_, _| Reply::Says(status, body.clone())).await;
    glue(&server).fetch(ID).await
}

async fn outage(status: u16, body: &str) -> String {
    match answer_text(status, body).await {
        Err(FetchError::Unavailable(text)) => {
            assert!(
                text.starts_with(&format!("the schema registry {ARN} ")),
                "{text}"
            );
            text
        }
        other => panic!("{other:?}"),
    }
}

fn version(format: &str, status: &str) -> Value {
    json!({"SchemaVersionId": "a", "SchemaDefinition": "text", "DataFormat": format, "Status": status})
}

#[tokio::test]
async fn a_schema_has_its_format() {
    let formats = [
        ("AVRO", Format::Avro),
        ("PROTOBUF", Format::Protobuf),
        ("JSON", Format::Json),
    ];
    for (name, format) in formats {
        let source = answer(200, &version(name, "AVAILABLE")).await;

        assert_eq!(source, Ok(Source::new(format, "text")));
    }
    let other = answer(200, &version("XML", "AVAILABLE")).await;
    assert!(matches!(other, Err(FetchError::Unusable(_))), "{other:?}");
}

#[tokio::test]
async fn a_request_is_signed_for_the_arns_region() {
    let said = version("AVRO", "AVAILABLE").to_string();
    let server = Server::by(move |_, _| Reply::Says(200, said.clone())).await;

    glue(&server).fetch(ID).await.unwrap();

    let request = server.requests().remove(0);
    assert_eq!(
        request.body,
        r#"{"SchemaVersionId":"abababab-abab-abab-abab-abababababab"}"#
    );
    assert!(request.head.starts_with("POST / "), "{}", request.head);
    let has = |line: &str| assert!(request.head.contains(line), "{}", request.head);
    has("x-amz-target: AWSGlue.GetSchemaVersion\r\n");
    has("content-type: application/x-amz-json-1.1\r\n");
    has("x-amz-security-token: t0ken\r\n");
    has(
        "/eu-central-1/glue/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=",
    );
}

#[tokio::test]
async fn only_glues_own_exception_means_not_found() {
    for kind in [
        "EntityNotFoundException",
        "com.amazonaws.glue#EntityNotFoundException",
    ] {
        let answer = answer(400, &json!({"__type": kind, "Message": "m"})).await;

        assert_eq!(answer, Err(FetchError::NotFound(ID)));
    }
}

#[tokio::test]
async fn every_other_exception_is_an_outage_that_is_named() {
    for kind in [
        "InternalServiceException",
        "InvalidInputException",
        "ThrottlingException",
        "ExpiredTokenException",
        "UnknownOperationException",
    ] {
        let text = outage(400, &json!({"__type": kind}).to_string()).await;

        assert!(text.contains(kind), "{text}");
    }
}

#[tokio::test]
async fn a_refusal_names_the_permission() {
    let text = outage(400, r#"{"__type":"AccessDeniedException"}"#).await;

    assert!(text.contains("glue:GetSchemaVersion"), "{text}");
}

#[tokio::test]
async fn what_is_not_glues_is_an_outage_that_asks_for_the_endpoint() {
    for (status, body) in [
        (200, "<html>hello"),
        (200, "{}"),
        (404, "not found"),
        (404, r#"{"error_code":40403}"#),
        (500, ""),
        (302, ""),
    ] {
        let text = outage(status, body).await;

        assert!(text.contains("is the endpoint http://127.0.0.1:"), "{text}");
        assert!(!text.contains("hello"), "{text}");
    }
}

#[tokio::test]
async fn a_version_that_is_still_checked_may_be_had_later() {
    let pending = answer(200, &version("AVRO", "PENDING")).await;
    assert!(
        matches!(pending, Err(FetchError::Unavailable(_))),
        "{pending:?}"
    );

    for status in ["FAILURE", "DELETING"] {
        let answer = answer(200, &version("AVRO", status)).await;
        assert!(matches!(answer, Err(FetchError::Unusable(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn an_id_of_confluents_is_not_asked_for_and_says_what_it_is() {
    let server = Server::of([]).await;

    for id in [SchemaId::Number(7), SchemaId::Guid([7; 16])] {
        let answer = glue(&server).fetch(id).await;

        let Err(FetchError::Foreign(text)) = answer else {
            panic!("{answer:?}");
        };
        assert!(text.contains("is one of Confluent's"), "{text}");
    }
    assert!(server.targets().is_empty());
}

#[tokio::test]
async fn credentials_are_in_no_text() {
    let server = Server::by(|_, _| Reply::Says(400, r#"{"__type":"X"}"#.to_owned())).await;
    let glue = glue(&server);

    let error = glue.fetch(ID).await.unwrap_err();

    let texts = format!("{error} {glue:?}");
    assert!(
        !texts.contains("s3cret") && !texts.contains("t0ken"),
        "{texts}"
    );
}

#[test]
fn the_endpoint_is_the_partitions() {
    let endpoint = |partition: &str, region: &str| {
        let arn = format!("arn:{partition}:glue:{region}:123456789012:registry/shop");
        at(&arn, None).map(|glue| glue.service.endpoint)
    };

    assert_eq!(
        endpoint("aws", "eu-west-1").unwrap(),
        "https://glue.eu-west-1.amazonaws.com"
    );
    assert_eq!(
        endpoint("aws-us-gov", "us-gov-west-1").unwrap(),
        "https://glue.us-gov-west-1.amazonaws.com"
    );
    assert_eq!(
        endpoint("aws-cn", "cn-north-1").unwrap(),
        "https://glue.cn-north-1.amazonaws.com.cn"
    );
    assert_eq!(
        endpoint("aws-iso", "r"),
        Err(ArnError::Partition("aws-iso".to_owned()))
    );
}

#[test]
fn what_is_no_arn_of_a_registry_is_shown() {
    for arn in [
        "",
        "http://h",
        "arn:aws:glue:eu-central-1:123456789012:schema/shop/orders",
        "arn:aws:glue:eu-central-1:123456789012:registry/",
        "arn:aws:glue::123456789012:registry/shop",
        "arn:aws:glue:eu.evil.example/:123456789012:registry/shop",
        "arn:aws:glue:eu-central-1:me:registry/shop",
        "arn:aws:sqs:eu-central-1:123456789012:registry/shop",
        "arn:aws:glue:eu-central-1:123456789012:registry/shop:more",
    ] {
        let error = at(arn, None).unwrap_err();

        assert_eq!(error, ArnError::NoRegistry(arn.to_owned()));
    }
}
