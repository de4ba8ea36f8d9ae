//! The round trip of a record that is given up: `cargo msk dev` writes Lambda's document of it to each kind of destination, and `cargo msk dlq`
//! reads that back into the sample function. The judge is the service outside, which takes the order at last.

use serde_json::json;

use crate::given_up::give_up;
use crate::poison::POISON;
use crate::support::aws::Aws;
use crate::support::broker::{bootstrap, topic};
use crate::support::build::build_handler;
use crate::support::ends;
use crate::support::redrive::{list, redrive, text};
use crate::support::service::Service;

/// A record that is given up to `to` is found in `from` as one letter of this shape, and goes from there to the function, once.
async fn there_and_back(topic: &str, to: &str, from: &str, queues: &Aws, shape: &str) {
    give_up(topic, to).await;
    let service = Service::start().await;
    let env = [
        format!("ORDERS_TOPIC={topic}"),
        format!("FULFILMENT_URL={}", service.url()),
        "AWS_LAMBDA_LOG_LEVEL=ERROR".to_owned(),
    ];

    let listed = list(from, queues.endpoint()).await;
    let run = redrive(from, queues.endpoint(), "bin:handler", &env).await;
    let left = list(from, queues.endpoint()).await;

    assert_eq!(listed["count"], 1, "{listed:#}");
    assert_eq!(listed["letters"][0]["shape"], shape, "{listed:#}");
    // Moto's queues keep messages for four days; ElasticMQ does not tell, and these topics keep records for ever.
    let is_in_queue = from.starts_with(Aws::moto().endpoint());
    assert_eq!(listed["until"].is_string(), is_in_queue, "{listed:#}");
    let said = text(&run);
    assert!(said.contains("1 letter settled, 0 left"), "{said}");
    assert_eq!(run.status.code(), Some(0), "{said}");
    assert_eq!(left["count"], 0, "{left:#}");
    let poison = i64::try_from(POISON).unwrap();
    assert_eq!(service.log(), [(0, poison)], "{shape}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker, a queue, topics and buckets: make test-services"]
async fn what_dev_gives_up_to_each_destination_comes_back_to_the_function() {
    tokio::task::spawn_blocking(build_handler).await.unwrap();
    let (queues, moto) = (Aws::queues(), Aws::moto());
    let make = async |stem| topic(&bootstrap(), stem, 1).await;

    let file = async {
        let topic = make("back-file").await;
        let path = std::env::temp_dir().join(format!("{topic}.ndjson"));
        let at = format!("file:{}", path.display());
        there_and_back(&topic, &at, &at, &queues, "lambda-record").await;
        std::fs::remove_file(path).unwrap();
    };
    let queue = async {
        let topic = make("back-queue").await;
        let url = queues.queue(&topic, json!({})).await;
        there_and_back(&topic, &url, &url, &queues, "lambda-coordinates").await;
    };
    let notification = async {
        let topic = make("back-sns").await;
        let (arn, url) = moto.topic(&topic, false).await;
        there_and_back(&topic, &arn, &url, &moto, "lambda-coordinates").await;
    };
    let object = async {
        let topic = make("back-bucket").await;
        moto.bucket(&topic).await;
        let at = format!("s3://{topic}/desk");
        there_and_back(&topic, &at, &at, &moto, "lambda-batch").await;
    };
    let record = async {
        let (topic, dead) = (make("back-topic").await, make("back-dead").await);
        let (to, from) = (
            format!("kafka://{dead}"),
            format!("kafka://{dead}?bootstrap={}", bootstrap()),
        );
        there_and_back(&topic, &to, &from, &queues, "lambda-record").await;
    };
    ends(async { tokio::join!(file, queue, notification, object, record) }).await;
}
