//! Signed requests as they come to a server, which makes the signature once more from what it was sent.

use lambda_msk::Outcome::{Done, Failed};
use lambda_msk::testing::invoke;
use sha2::{Digest, Sha256};

use super::stub::{Answer, Request, Stub};
use super::{code, consumer, orders};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(padded(0x5c));
    outer.chain_update(inner.finalize()).finalize().to_vec()
}

/// The signature of a request by AWS's description of version 4, from what came over the wire.
fn signature(request: &Request, scope: &str, signed: &str) -> String {
    let path = request.line.split(' ').nth(1).unwrap();
    let headers = signed.split(';').map(|name| {
        let value = request.header(name).unwrap_or_else(|| panic!("{name}"));
        format!("{name}:{value}\n")
    });
    let headers: String = headers.collect();
    let hash = hex(&Sha256::digest(&request.body));
    let canonical = format!("POST\n{path}\n\n{headers}\n{signed}\n{hash}");
    let hashed = hex(&Sha256::digest(canonical));
    let date = request.header("x-amz-date").unwrap();
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let first = format!("AWS4{SECRET}").into_bytes();
    let key = scope.split('/').fold(first, |key, part| hmac(&key, part));
    hex(&hmac(&key, &text))
}

async fn request(service: &str, token: &str) -> Request {
    let stub = Stub::new(|request, _| Answer::created(request));
    let (consumer, _) = consumer(
        &stub.url,
        1,
        &[
            ("OPENSEARCH_SERVICE", service),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", token),
            ("AWS_REGION", "eu-central-1"),
        ],
    );

    assert_eq!(invoke(&consumer, orders(3)).await.outcomes(), [Done; 3]);
    stub.requests().remove(0)
}

#[tokio::test]
async fn a_request_is_signed_with_all_that_each_service_wants() {
    for (service, token) in [("es", "token/+="), ("aoss", "token/+="), ("es", "")] {
        let request = request(service, token).await;

        let authorization = request.header("authorization").unwrap();
        let parts = authorization.strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
        let mut parts = parts.split(", ").map(|part| part.split_once('=').unwrap());
        let (_, credential) = parts.next().unwrap();
        let (_, signed) = parts.next().unwrap();
        let (_, found) = parts.next().unwrap();
        let scope = credential.strip_prefix("AKIDEXAMPLE/").unwrap();
        assert!(
            scope.ends_with(&format!("/eu-central-1/{service}/aws4_request")),
            "{scope}"
        );
        assert_eq!(found, signature(&request, scope, signed));
        let hash = hex(&Sha256::digest(&request.body));
        assert_eq!(request.header("x-amz-content-sha256"), Some(&*hash));
        let mut names: Vec<_> = signed.split(';').collect();
        let expected = Some(token).filter(|token| !token.is_empty());
        assert_eq!(request.header("x-amz-security-token"), expected);
        if names.last() == Some(&"x-amz-security-token") {
            names.pop();
        }
        assert_eq!(
            names,
            ["content-type", "host", "x-amz-content-sha256", "x-amz-date"]
        );
        assert_eq!(signed.contains("security-token"), expected.is_some());
        assert!(!format!("{request:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn what_cannot_be_signed_is_tried_again_whole() {
    let stub = Stub::new(|request, _| Answer::created(request));
    let variables = [
        ("OPENSEARCH_SERVICE", "es"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        // No header may hold it.
        ("AWS_SESSION_TOKEN", "a\nb"),
        ("AWS_REGION", "eu-central-1"),
    ];
    let (consumer, letters) = consumer(&stub.url, 1, &variables);

    let invoked = invoke(&consumer, orders(2)).await;

    assert_eq!(invoked.outcomes(), [Failed; 2]);
    assert_eq!(code(&invoked, 0), "opensearch.denied");
    assert!(letters.letters().is_empty() && stub.requests().is_empty());
    let problems = format!("{:?}", invoked.records());
    assert!(!problems.contains(SECRET), "{problems}");
}

#[tokio::test]
async fn the_domain_of_amazon_opensearch_service_is_the_default() {
    let request = request("", "").await;

    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.contains("/es/aws4_request"),
        "{authorization}"
    );
}
