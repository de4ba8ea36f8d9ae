//! Letters to a real SNS server, through the client that the destination makes itself. `tests/services/run` starts one.

use msk_destinations::send::Sns;

use super::SnsDestination;
use crate::destination::Destination;
use crate::destination::fixture::letters;
use crate::destination::http_stub::outcomes;

/// A topic of the test's own, at the server that `tests/services/run` has started.
async fn real_topic(fifo: bool) -> String {
    let any = Sns::new("arn:aws:sns:eu-central-1:123456789012:any");
    let end = if fifo { ".fifo" } else { "" };
    let name = format!("dead-{}-{}{end}", std::process::id(), fastrand::u32(..));
    let request = any.client().await.create_topic().name(name);
    let request = match fifo {
        true => request.attributes("FifoTopic", "true"),
        false => request,
    };
    request.send().await.unwrap().topic_arn.unwrap()
}

#[tokio::test]
#[ignore = "needs topics: make services"]
async fn a_real_topic_confirms_letters_of_more_than_a_batch() {
    let topic = real_topic(false).await;

    let results = SnsDestination::new(&topic)
        .unwrap()
        .send(&letters(23))
        .await;

    assert_eq!(outcomes(results), vec!["confirmed"; 23]);
}

#[tokio::test]
#[ignore = "needs topics: make services"]
async fn a_real_fifo_topic_confirms_letters_with_their_group() {
    let topic = real_topic(true).await;

    let results = SnsDestination::new(&topic).unwrap().send(&letters(3)).await;

    assert_eq!(outcomes(results), vec!["confirmed"; 3]);
}

#[tokio::test]
#[ignore = "needs topics: make services"]
async fn a_real_server_without_the_topic_says_what_to_check() {
    let missing = format!("{}-missing", real_topic(false).await);

    let destination = SnsDestination::new(&missing).unwrap();
    let results = outcomes(destination.send(&letters(2)).await);

    for result in results {
        assert!(
            result.ends_with("; check the region, the account and the name in its ARN"),
            "{result}"
        );
    }
}
