//! The clients against real registries: Apicurio and moto's Glue (`make services`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use msk_schemas::cache::{Cache, Known};
use msk_schemas::confluent::Confluent;
use msk_schemas::glue::Glue;
use msk_schemas::id::{Format, SchemaId, Source};
use msk_schemas::json_schema::{Unfit, Validator};
use msk_schemas::limits::SECRET_AGAIN_SECS;
use msk_schemas::protobuf::File;
use msk_schemas::protobuf::json::Dynamic;
use msk_schemas::registry::{FetchError, Registry};
use msk_schemas::secret::Secret;
use prost::Message;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

const MONEY: &str = r#"syntax = "proto3"; package shop; message Money { int64 amount_cents = 1; }"#;
const PAYMENT: &str = r#"
    syntax = "proto3";
    package shop;
    import "shop/money.proto";
    message Payment { Money total = 1; map<string, string> notes = 2; message Card { string last = 1; } }
"#;

fn apicurio() -> String {
    std::env::var("LAMBDA_MSK_APICURIO").unwrap()
}

fn confluent() -> Confluent {
    Confluent::new(&apicurio()).unwrap()
}

async fn ask(method: Method, path: &str, body: Option<Value>) -> Response {
    let request = Client::new().request(method, format!("{}/{path}", apicurio()));
    let request = request.header("content-type", "application/vnd.schemaregistry.v1+json");
    let request = request.body(body.map_or_else(String::new, |body| body.to_string()));
    request.send().await.unwrap()
}

/// Registers a schema, and gives its id.
async fn registered(subject: &str, kind: &str, schema: &str, references: Value) -> SchemaId {
    let body = json!({"schemaType": kind, "schema": schema, "references": references});
    let path = format!("subjects/{subject}/versions");
    let answer = ask(Method::POST, &path, Some(body)).await;
    let text = answer.text().await.unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    SchemaId::Number(answer["id"].as_u64().expect(&text).try_into().unwrap())
}

fn reference(name: &str, subject: &str) -> Value {
    json!({"name": name, "subject": subject, "version": 1})
}

async fn fetched(id: SchemaId) -> Source {
    confluent().fetch(id).await.unwrap()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn an_avro_schema_is_fetched_with_what_it_refers_to() {
    let currency = r#"{"type":"enum","name":"Currency","namespace":"shop","symbols":["EUR"]}"#;
    let money = r#"{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"currency","type":"shop.Currency"}]}"#;
    let order = r#"{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"total","type":"shop.Money"}]}"#;
    registered("avro-currency", "AVRO", currency, json!([])).await;
    let to_currency = json!([reference("shop.Currency", "avro-currency")]);
    registered("avro-money", "AVRO", money, to_currency).await;
    let to_money = json!([reference("shop.Money", "avro-money")]);
    let id = registered("avro-orders-value", "AVRO", order, to_money).await;

    let source = fetched(id).await;

    assert_eq!(source.format, Format::Avro);
    assert_eq!(value(&source.text), value(order));
    let to_money = &source.references[0];
    assert_eq!(to_money.name, "shop.Money");
    assert_eq!(value(&to_money.source.text), value(money));
    let to_currency = &to_money.source.references[0];
    assert_eq!(to_currency.name, "shop.Currency");
    assert_eq!(value(&to_currency.source.text), value(currency));
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn a_protobuf_schema_is_fetched_as_text_and_in_base64() {
    let in_base64 = |name: &str, text: &str| {
        let descriptor = protox_parse::parse(name, text).unwrap();
        STANDARD.encode(descriptor.encode_to_vec())
    };
    // Subjects have slashes where they are the paths of imports.
    let money = registered("shop%2Fmoney.proto", "PROTOBUF", MONEY, json!([])).await;
    assert_eq!(fetched(money).await.format, Format::Protobuf);
    let to_money = json!([reference("shop/money.proto", "shop/money.proto")]);
    let text = registered("payments-value", "PROTOBUF", PAYMENT, to_money.clone()).await;
    let encoded = in_base64("payment.proto", PAYMENT);
    let encoded = registered("payments2-value", "PROTOBUF", &encoded, to_money).await;

    for id in [text, encoded] {
        let source = fetched(id).await;

        let file = File::of(&source).unwrap();
        assert_eq!(file.message_at(&[0]), Some("shop.Payment"));
        assert_eq!(file.message_at(&[0, 1]), Some("shop.Payment.Card"));
        let dynamic = Dynamic::of(&source).unwrap();
        let json = json!({"total": {"amount_cents": 7}, "notes": {"a": "b"}});
        let bytes = dynamic.from_json("shop.Payment", &json).unwrap();
        assert_eq!(dynamic.to_json("shop.Payment", &bytes).unwrap(), json);
    }
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn a_json_schema_is_fetched_and_checks_by_what_it_refers_to() {
    let user = r#"{"type":"object","properties":{"name":{"type":"string"}}}"#;
    let click = r#"{"type":"object","properties":{"user":{"$ref":"user.json"}}}"#;
    registered("json-user", "JSON", user, json!([])).await;
    let to_user = json!([reference("user.json", "json-user")]);
    let id = registered("clicks-value", "JSON", click, to_user).await;

    let validator = Validator::of(&fetched(id).await).unwrap();

    assert_eq!(validator.check(&json!({"user": {"name": "Ann"}})), Ok(()));
    let unfit = validator.check(&json!({"user": {"name": 7}})).unwrap_err();
    let Unfit::Misfit(misfit) = unfit else {
        panic!("{unfit}");
    };
    assert_eq!(misfit.path, "$.user.name");
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn an_id_that_was_never_given_is_not_found() {
    for number in [i32::MAX as u32, u32::MAX] {
        let id = SchemaId::Number(number);

        let answer = confluent().fetch(id).await;

        assert_eq!(answer, Err(FetchError::NotFound(id)));
    }
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn the_schema_of_a_deleted_subject_is_still_found() {
    let id = registered("deleted-value", "AVRO", "\"bytes\"", json!([])).await;
    let answer = ask(Method::DELETE, "subjects/deleted-value", None).await;
    assert!(answer.status().is_success());

    assert_eq!(fetched(id).await.format, Format::Avro);
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn the_address_without_its_path_is_an_outage() {
    let url = apicurio();
    let wrong = url.strip_suffix("/apis/ccompat/v7").unwrap();

    let answer = Confluent::new(wrong)
        .unwrap()
        .fetch(SchemaId::Number(1))
        .await;

    let Err(FetchError::Unavailable(text)) = answer else {
        panic!("{answer:?}");
    };
    assert!(text.contains("is the path right?"), "{text}");
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn a_cache_gives_all_invocations_the_same_schema() {
    let id = registered("cached-value", "AVRO", "\"long\"", json!([])).await;
    let cache = Cache::new(Box::new(confluent()));

    let limit = Duration::from_secs(10);
    let (first, second) = tokio::join!(cache.get(id, limit), cache.get(id, limit));

    let (Known::Ready(first), Known::Ready(second)) = (first, second) else {
        panic!("{cache:?}");
    };
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

async fn glue(operation: &str, body: &Value) -> Value {
    moto("glue", &format!("AWSGlue.{operation}"), body).await
}

/// One call of a service of AWS. moto reads the service in a request's signature, and does not check it.
async fn moto(service: &str, target: &str, body: &Value) -> Value {
    let signature = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
    );
    let request = Client::new().post(std::env::var("AWS_ENDPOINT_URL_GLUE").unwrap());
    let request = request.header("x-amz-target", target);
    let request = request.header("content-type", "application/x-amz-json-1.1");
    let request = request
        .header("authorization", signature)
        .body(body.to_string());
    let text = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

const ARN: &str = "arn:aws:glue:eu-central-1:123456789012:registry/shop";

fn version_id(text: &str) -> SchemaId {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    SchemaId::Version(u128::from_str_radix(&digits, 16).unwrap().to_be_bytes())
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn glues_schemas_are_fetched_by_their_versions() {
    glue("CreateRegistry", &json!({"RegistryName": "shop"})).await;
    for (name, kind, format, text) in [
        (
            "orders",
            "AVRO",
            Format::Avro,
            r#"{"type":"record","name":"Order","fields":[]}"#,
        ),
        (
            "clicks",
            "JSON",
            Format::Json,
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}"#,
        ),
        ("payments", "PROTOBUF", Format::Protobuf, MONEY),
    ] {
        let created = glue(
            "CreateSchema",
            &json!({
                "RegistryId": {"RegistryName": "shop"}, "SchemaName": name, "DataFormat": kind,
                "Compatibility": "NONE", "SchemaDefinition": text,
            }),
        )
        .await;
        let id = created["SchemaVersionId"].as_str();
        let id = version_id(id.unwrap_or_else(|| panic!("{created}")));

        let source = Glue::new(ARN).unwrap().fetch(id).await;

        assert_eq!(source, Ok(Source::new(format, text)));
    }
}

/// A registry behind a door that wants a user and a password, with which every schema is the same.
async fn guarded(user: &'static str, password: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let wanted = STANDARD.encode(format!("{user}:{password}"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8_192];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let known =
                request.contains(&format!("authorization: basic {}", wanted.to_lowercase()));
            let (status, body) = match known {
                true => ("200 OK", r#"{"schema": "\"string\""}"#),
                false => ("401 Unauthorized", r#"{"error_code": 40101}"#),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn credentials_come_from_a_secret_and_again_once_it_has_changed() {
    let secrets = |action: &'static str, body: Value| async move {
        moto("secretsmanager", &format!("secretsmanager.{action}"), &body).await
    };
    let old = r#"{"username": "shop", "password": "old"}"#;
    let new = r#"{"username": "shop", "password": "new"}"#;
    let made = secrets(
        "CreateSecret",
        json!({"Name": "registry", "SecretString": old}),
    )
    .await;
    let arn = made["ARN"]
        .as_str()
        .unwrap_or_else(|| panic!("{made}"))
        .to_owned();
    let registry = |url: &str| {
        let secret = Secret::new(&arn).unwrap();
        Confluent::new(url).unwrap().secret(secret)
    };
    let (before, after) = (guarded("shop", "old").await, guarded("shop", "new").await);
    let known = registry(&before);
    let expected = Ok(Source::new(Format::Avro, "\"string\""));

    assert_eq!(known.fetch(SchemaId::Number(1)).await, expected);
    // This one has read the old secret, and is refused with it.
    let refused = registry(&after);
    let error = refused
        .fetch(SchemaId::Number(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("401") && !error.contains("old"), "{error}");
    secrets(
        "PutSecretValue",
        json!({"SecretId": arn, "SecretString": new}),
    )
    .await;
    // A secret that was refused is not read again with each request.
    assert!(refused.fetch(SchemaId::Number(1)).await.is_err());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(SECRET_AGAIN_SECS + 1)).await;
    tokio::time::resume();
    assert_eq!(refused.fetch(SchemaId::Number(1)).await, expected);
}

#[tokio::test]
#[ignore = "needs a registry: make services"]
async fn a_version_that_glue_does_not_have_is_not_found() {
    let id = SchemaId::Version([0xab; 16]);

    let answer = Glue::new(ARN).unwrap().fetch(id).await;

    assert_eq!(answer, Err(FetchError::NotFound(id)));
}
