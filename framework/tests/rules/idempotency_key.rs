//! The idempotency key of a record: the consumer's name, the cluster, and where the record stands.

use lambda_msk::builder::Builder;
use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};
use lambda_msk::{Consumer, IdempotencyKey, State};

use crate::support::Journal;

fn consumer(journal: &Journal) -> Builder<Journal> {
    Consumer::builder().state(journal.clone()).topic(
        "orders",
        async |key: IdempotencyKey, State(journal): State<Journal>| journal.write(key.as_str()),
    )
}

fn with_record(event: EventBuilder) -> EventBuilder {
    event.record(Sample::new("orders", 3).offset(15).timestamp(1_000))
}

/// The keys that a handler saw.
async fn keys(builder: Builder<Journal>, journal: &Journal, event: EventBuilder) -> Vec<String> {
    invoke(&builder.build().unwrap(), with_record(event)).await;
    journal.lines()
}

#[tokio::test(start_paused = true)]
async fn it_begins_with_the_functions_name_and_the_clusters_arn() {
    let journal = Journal::default();
    let event = Event::msk().arn("arn:aws:kafka:eu-west-1:1:cluster/a/1");

    let keys = keys(consumer(&journal), &journal, event).await;

    assert_eq!(
        keys,
        ["test/arn:aws:kafka:eu-west-1:1:cluster/a/1/orders/3/15/1000"]
    );
}

#[tokio::test(start_paused = true)]
async fn namespace_and_cluster_can_be_named() {
    let journal = Journal::default();
    let consumer = consumer(&journal).namespace("shop").cluster("main");

    let keys = keys(consumer, &journal, Event::self_managed()).await;

    assert_eq!(keys, ["shop/main/orders/3/15/1000"]);
}

#[tokio::test(start_paused = true)]
async fn a_given_name_wins_over_each_arn_that_a_cluster_has() {
    for arn in [
        "arn:aws:kafka:eu-west-1:111122223333:cluster/shop/a-1",
        "arn:aws:kafka:eu-west-1:444455556666:vpc-connection/111122223333/shop/b-1",
    ] {
        let journal = Journal::default();
        let consumer = consumer(&journal)
            .namespace("shop")
            .from_vars([("LAMBDA_MSK_CLUSTER", "main")]);

        let keys = keys(consumer, &journal, Event::msk().arn(arn)).await;

        assert_eq!(keys, ["shop/main/orders/3/15/1000"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_self_managed_cluster_without_a_name_is_known_by_its_brokers() {
    let journal = Journal::default();

    let keys = keys(consumer(&journal), &journal, Event::self_managed()).await;

    assert_eq!(
        keys,
        ["test/abc.xyz.com:9092,xyz.abc.com:9092/orders/3/15/1000"]
    );
}
