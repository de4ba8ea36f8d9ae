//! The client against a registry that answers by script.

mod references;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Confluent, UrlError};
use crate::cache::{Cache, Known};
use crate::id::{Format, SchemaId, Source};
use crate::limits::ANSWER_BYTES_MAX;
use crate::registry::{FetchError, Registry};
use crate::stub::{Reply, Server};

fn says(body: &Value) -> Reply {
    Reply::Says(200, body.to_string())
}

async fn fetch(server: &Server, id: u32) -> Result<Source, FetchError> {
    let registry = Confluent::new(&server.url).unwrap();
    registry.fetch(SchemaId::Number(id)).await
}

/// The text of an outage.
async fn outage(reply: Reply) -> String {
    let server = Server::of([("/schemas/ids/7", reply)]).await;
    match fetch(&server, 7).await {
        Err(FetchError::Unavailable(text)) => {
            assert!(text.contains(&server.url), "{text}");
            text
        }
        other => panic!("{other:?}"),
    }
}

async fn unusable(server: &Server) -> String {
    match fetch(server, 7).await {
        Err(FetchError::Unusable(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn reference(name: &str, subject: &str) -> Value {
    json!({"name": name, "subject": subject, "version": 1})
}

#[tokio::test]
async fn a_schema_without_a_type_is_avro() {
    let server = Server::of([("/schemas/ids/7", says(&json!({"schema": "\"int\""})))]).await;

    let source = fetch(&server, 7).await.unwrap();

    assert_eq!(source, Source::new(Format::Avro, "\"int\""));
}

#[tokio::test]
async fn a_guid_has_a_path_of_its_own() {
    let path = "/schemas/guids/00010203-0405-0607-0809-0a0b0c0d0e0f";
    let answer = json!({"schema": "{}", "schemaType": "JSON", "references": null});
    let server = Server::of([(path, says(&answer))]).await;
    let registry = Confluent::new(&server.url).unwrap();

    let guid = SchemaId::Guid(std::array::from_fn(|at| at as u8));
    let source = registry.fetch(guid).await.unwrap();

    assert_eq!(source, Source::new(Format::Json, "{}"));
}

#[tokio::test]
async fn a_type_that_nobody_knows_is_named() {
    let answer = json!({"schema": "x", "schemaType": "THRIFT"});
    let server = Server::of([("/schemas/ids/7", says(&answer))]).await;

    let text = unusable(&server).await;

    assert!(text.contains("found \"THRIFT\""), "{text}");
}

#[tokio::test]
async fn only_the_registry_s_own_code_means_not_found() {
    for code in [40401, 40402, 40403] {
        let reply = Reply::Says(404, json!({"error_code": code, "message": "m"}).to_string());
        let server = Server::of([("/schemas/ids/7", reply)]).await;

        let answer = fetch(&server, 7).await;

        assert_eq!(answer, Err(FetchError::NotFound(SchemaId::Number(7))));
    }
}

#[tokio::test]
async fn a_404_of_another_server_is_an_outage_that_asks_for_the_path() {
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"error_code":404}"#,
        r#"{"error_code":40404}"#,
    ] {
        let text = outage(Reply::Says(404, body.to_owned())).await;

        assert!(
            text.contains("is the path right? Apicurio's is /apis/ccompat/v7"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_200_that_is_not_a_registry_s_json_is_an_outage_that_asks_for_the_path() {
    for body in ["", "<html>hello</html>", "{}", "[]", r#"{"schema":7}"#] {
        let text = outage(Reply::Says(200, body.to_owned())).await;

        assert!(
            text.contains("is the path right? Apicurio's is /apis/ccompat/v7"),
            "{text}"
        );
        assert!(!text.contains("hello"), "{text}");
    }
}

#[tokio::test]
async fn a_refusal_is_an_outage_that_names_the_credentials_variable() {
    for status in [401, 403] {
        let text = outage(Reply::Says(status, r#"{"error_code":40403}"#.to_owned())).await;

        assert!(text.contains("LAMBDA_MSK_SCHEMA_REGISTRY_AUTH"), "{text}");
    }
}

#[tokio::test]
async fn every_other_status_is_an_outage() {
    for status in [204, 400, 418, 429, 500, 502, 503, 504] {
        let text = outage(Reply::Says(status, r#"{"schema":"x"}"#.to_owned())).await;

        assert!(text.contains(&status.to_string()), "{text}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::of([("/", says(&json!({"schema": "x"})))]).await;

    let text = outage(Reply::Redirects(other.url.clone())).await;

    assert!(text.contains("a redirect, which is not followed"), "{text}");
    assert!(other.targets().is_empty());
}

#[tokio::test]
async fn an_answer_is_read_up_to_a_size() {
    let text = outage(Reply::Endless(ANSWER_BYTES_MAX * 8)).await;

    assert!(text.contains("more than 4194304 bytes"), "{text}");
}

#[tokio::test]
async fn nobody_there_is_an_outage() {
    let registry = Confluent::new("http://127.0.0.1:1/r").unwrap();

    let answer = registry.fetch(SchemaId::Number(7)).await;

    let Err(FetchError::Unavailable(text)) = answer else {
        panic!("{answer:?}");
    };
    let start = "the schema registry http://127.0.0.1:1/r cannot be reached: ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn a_connection_that_was_closed_since_the_last_request_is_made_again() {
    let server = Server::by(|before, _| match before {
        0 => Reply::SaysAndCloses(200, r#"{"schema":"x"}"#.to_owned()),
        _ => says(&json!({"schema": "y"})),
    })
    .await;
    let registry = Confluent::new(&server.url).unwrap();

    registry.fetch(SchemaId::Number(1)).await.unwrap();
    let second = registry.fetch(SchemaId::Number(2)).await.unwrap();

    assert_eq!(&*second.text, "y");
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_once_more_and_no_oftener() {
    let server = Server::by(|_, _| Reply::Breaks).await;

    let answer = fetch(&server, 7).await;

    assert!(
        matches!(answer, Err(FetchError::Unavailable(_))),
        "{answer:?}"
    );
    assert_eq!(server.targets().len(), 2);
}

#[tokio::test]
async fn an_id_that_no_registry_gives_is_not_asked_for() {
    let server = Server::of([]).await;

    let answer = fetch(&server, 1 << 31).await;

    assert_eq!(answer, Err(FetchError::NotFound(SchemaId::Number(1 << 31))));
    assert!(server.targets().is_empty());
    fetch(&server, (1 << 31) - 1).await.unwrap_err();
    assert_eq!(server.targets(), ["/schemas/ids/2147483647"]);
}

#[tokio::test]
async fn an_id_of_glues_frame_is_not_asked_for_and_says_what_it_is() {
    let server = Server::of([("/schemas/ids/7", says(&json!({"schema": "x"})))]).await;
    let registry = Confluent::new(&server.url).unwrap();

    let answer = registry.fetch(SchemaId::Version([7; 16])).await;

    let Err(FetchError::Foreign(text)) = answer else {
        panic!("{answer:?}");
    };
    assert!(
        text.contains("stands in AWS Glue's frame") && text.contains(&server.url),
        "{text}"
    );
    assert!(server.targets().is_empty());
}

#[tokio::test]
async fn credentials_go_with_each_request_and_into_no_text() {
    let server = Server::by(|_, _| Reply::Says(401, String::new())).await;
    let registry = || Confluent::new(&server.url).unwrap();
    let basic = registry().basic_auth("ann", "s3cret:é");
    let bearer = registry().bearer("t0ken");

    let mut texts = vec![format!("{basic:?} {bearer:?}")];
    for registry in [&basic, &bearer] {
        let answer = registry.fetch(SchemaId::Number(7)).await;
        texts.push(answer.unwrap_err().to_string());
    }

    let sent: Vec<String> = server
        .requests()
        .iter()
        .map(|request| {
            let mut lines = request.head.lines();
            lines
                .find(|line| line.starts_with("authorization"))
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        sent,
        [
            "authorization: Basic YW5uOnMzY3JldDrDqQ==",
            "authorization: Bearer t0ken"
        ]
    );
    let texts = texts.concat();
    assert!(
        !texts.contains("s3cret") && !texts.contains("t0ken"),
        "{texts}"
    );
}

#[tokio::test]
async fn a_token_with_a_line_end_is_an_outage_that_says_so() {
    let server = Server::of([]).await;
    let registry = Confluent::new(&server.url).unwrap().bearer("t0ken\n");

    let text = registry.fetch(SchemaId::Number(7)).await.unwrap_err();

    let text = text.to_string();
    assert!(
        text.contains("line end") && !text.contains("t0ken"),
        "{text}"
    );
    assert!(server.targets().is_empty());
}

#[test]
fn a_url_with_credentials_is_refused_without_showing_them() {
    for url in [
        "https://ann:s3cret@h",
        "https://s3cret@h/",
        "https://:s3cret@h",
    ] {
        let error = Confluent::new(url).unwrap_err();

        assert_eq!(error, UrlError::Credentials);
        assert!(
            error
                .to_string()
                .contains("LAMBDA_MSK_SCHEMA_REGISTRY_AUTH")
        );
        assert!(!error.to_string().contains("s3cret"));
    }
}

#[test]
fn a_url_is_http_and_ends_with_its_path() {
    let place = |url: &str| Confluent::new(url).map(|registry| registry.place().to_owned());

    assert_eq!(
        place("http://h:8081/a/b/"),
        Ok("http://h:8081/a/b".to_owned())
    );
    assert_eq!(place("https://h"), Ok("https://h".to_owned()));
    assert_eq!(place("https://h/?a=s3cret"), Err(UrlError::Rest('?')));
    assert_eq!(place("https://h/#s3cret"), Err(UrlError::Rest('#')));
    for url in [
        "",
        "h:8081",
        "//h",
        "arn:aws:glue:r:1:registry/x",
        "ftp://h",
        "http://",
    ] {
        let error = place(url).unwrap_err();
        assert!(matches!(error, UrlError::NoUrl(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn ten_callers_of_the_cache_make_one_request() {
    let server = Server::of([("/schemas/ids/7", says(&json!({"schema": "x"})))]).await;
    let cache = Cache::new(Box::new(Confluent::new(&server.url).unwrap()));

    let id = SchemaId::Number(7);
    let answers = (0..10).map(|_| cache.get(id, Duration::from_secs(2)));
    let answers = futures_util::future::join_all(answers).await;

    assert!(
        answers.iter().all(|known| matches!(known, Known::Ready(_))),
        "{answers:?}"
    );
    assert_eq!(server.targets().len(), 1);
}

#[tokio::test]
async fn a_schema_is_read_up_to_a_size_with_its_references() {
    // Each fits into an answer; three are too much.
    let text = "x".repeat(3_000_000);
    let server = Server::by(move |before, _| {
        let references = match before {
            0 => vec![reference("a", "a"), reference("b", "b")],
            _ => vec![],
        };
        says(&json!({"schema": text, "references": references}))
    })
    .await;

    let text = unusable(&server).await;

    assert!(text.contains("more than 8388608 bytes"), "{text}");
}

#[tokio::test]
async fn a_subject_that_would_be_another_path_is_not_asked_for() {
    for subject in ["", ".", ".."] {
        let root = json!({"schema": "x", "references": [reference("x", subject)]});
        let server = Server::of([("/schemas/ids/7", says(&root))]).await;

        unusable(&server).await;

        assert_eq!(server.targets(), ["/schemas/ids/7"]);
    }
}

#[tokio::test]
async fn a_registry_without_guids_is_an_outage_that_says_so() {
    let server = Server::by(|_, _| Reply::Says(404, "<html>".to_owned())).await;
    let registry = Confluent::new(&server.url).unwrap();

    let answer = registry.fetch(SchemaId::Guid([7; 16])).await;

    let Err(FetchError::Unavailable(text)) = answer else {
        panic!("{answer:?}");
    };
    assert!(text.contains("/schemas/guids"), "{text}");
}
