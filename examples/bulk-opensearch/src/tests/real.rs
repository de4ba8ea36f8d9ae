//! Against a real OpenSearch, that of `LAMBDA_MSK_OPENSEARCH`. It makes no index by itself (`action.auto_create_index: false`).

use lambda_msk::Outcome::{Done, Failed, Rejected};
use lambda_msk::testing::{Event, Sample, invoke};
use reqwest::{Client, Url};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::TOPIC;
use super::super::index::{Index, Target};
use super::super::requests::Bulk;
use super::{code, consumer, order, orders};

/// An index of a test's own.
struct Real {
    url: String,
    index: String,
}

impl Real {
    fn new(test: &str) -> Self {
        let url = std::env::var("LAMBDA_MSK_OPENSEARCH");
        Self {
            url: url.expect("LAMBDA_MSK_OPENSEARCH is the URL of an OpenSearch"),
            index: format!("{test}-{}", std::process::id()),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/{}{path}", self.url, self.index);
        let request = Client::new().request(method.parse().unwrap(), url);
        let request = request.header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    async fn make(&self) {
        let fields = json!({ "order_id": { "type": "long" }, "note": { "type": "date" } });
        let index = json!({ "mappings": { "properties": fields } });
        self.ask("PUT", "", &index).await;
    }

    /// The documents, by their order's number.
    async fn documents(&self) -> Vec<Value> {
        self.ask("POST", "/_refresh", &json!({})).await;
        let query = json!({ "size": 1000, "sort": ["order_id"] });
        let found = self.ask("POST", "/_search", &query).await;
        found["hits"]["hits"].as_array().unwrap().clone()
    }

    fn variables(&self) -> [(&str, &str); 1] {
        [("OPENSEARCH_INDEX", &self.index)]
    }
}

#[tokio::test]
#[ignore = "needs OpenSearch: tests/services/run opensearch"]
async fn orders_are_documents_and_a_redelivery_makes_no_second_ones() {
    let real = Real::new("redelivered");
    real.make().await;
    let (consumer, _) = consumer(&real.url, 1, &real.variables());

    let first = invoke(&consumer, orders(300)).await;
    let again = invoke(&consumer, orders(300)).await;

    assert_eq!(first.outcomes(), [Done; 300]);
    assert_eq!(again.outcomes(), [Done; 300]);
    let documents = real.documents().await;
    assert_eq!(documents.len(), 300);
    let expected: Value = serde_json::from_str(&order(299)).unwrap();
    assert_eq!(documents[299]["_source"], expected);
    let mut ids: Vec<_> = documents
        .iter()
        .map(|found| found["_id"].as_str())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 300);
}

#[tokio::test]
#[ignore = "needs OpenSearch: tests/services/run opensearch"]
async fn a_document_that_does_not_fit_the_mapping_is_rejected_alone() {
    let real = Real::new("mapped");
    real.make().await;
    let (consumer, letters) = consumer(&real.url, 3, &real.variables());
    let samples = (0..5).map(|at| {
        let note = if at == 2 { "s3cret" } else { "2026-01-01" };
        let text = order(at).replace('}', &format!(",\"note\":\"{note}\"}}"));
        Sample::new(TOPIC, 0).value(text)
    });

    let invoked = invoke(&consumer, Event::msk().records(samples)).await;

    assert_eq!(invoked.outcomes(), [Done, Done, Rejected, Done, Done]);
    let letters = letters.letters();
    assert_eq!(letters[0].code(), "opensearch.refused");
    assert_eq!(
        letters[0].message(),
        "OpenSearch answered 400 (mapper_parsing_exception)"
    );
    assert_eq!(real.documents().await.len(), 4);
}

#[tokio::test]
#[ignore = "needs OpenSearch: tests/services/run opensearch"]
async fn without_its_index_records_are_retried_and_done_once_it_is_there() {
    let real = Real::new("missing");
    let (consumer, letters) = consumer(&real.url, 2, &real.variables());
    let samples = |records| (0..records).map(|at| Sample::new(TOPIC, 0).value(order(at)));

    let missing = invoke(&consumer, Event::msk().records(samples(3))).await;
    real.make().await;
    let there = invoke(&consumer, Event::msk().records(samples(3))).await;

    assert_eq!(missing.outcomes(), [Failed; 3]);
    assert_eq!(code(&missing, 0), "opensearch.no_index");
    assert_eq!(there.outcomes(), [Done; 3]);
    assert_eq!(letters.letters().len(), 0);
}

#[tokio::test]
#[ignore = "needs OpenSearch: tests/services/run opensearch"]
async fn a_key_of_any_length_and_letters_is_an_id() {
    let real = Real::new("keys");
    real.make().await;
    let mut url = Url::parse(&real.url).unwrap();
    url.set_path(&format!("/{}/_bulk", real.index));
    let index = Index::new(Target { url, signer: None }, &mut Vec::new());
    let longest = "k".repeat(512);
    let mut bulk = Bulk::new();
    for (at, key) in ["a\"b\\c\n", "é/ö?#", &longest, &"k".repeat(513)]
        .iter()
        .enumerate()
    {
        bulk.create(key, &RawValue::from_string(order(at)).unwrap());
    }

    let failed = index.send(bulk).await.unwrap();

    assert!(failed.is_empty(), "{failed:?}");
    let documents = real.documents().await;
    let id = |at: usize| documents[at]["_id"].as_str().unwrap();
    assert_eq!((id(0), id(1), id(2)), ("a\"b\\c\n", "é/ö?#", &*longest));
    assert_eq!(id(3).len(), 64);
}
