//! Clusters that neither the event nor a setting names: by offset nothing of theirs is skipped on a guess.

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::PerRecord;
use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};

use crate::shared_store::{Shared, process};
use crate::support::{Journal, Lines, letters};

/// The same record, as each of two clusters holds it at the same offset.
fn record() -> Sample {
    Sample::new("orders", 0)
        .offset(7)
        .timestamp(1_000)
        .key("7")
        .value("1")
}

/// Events that name no cluster.
fn unnamed() -> Vec<EventBuilder> {
    let brokers = |servers: &str| Event::self_managed().bootstrap_servers(servers);
    vec![
        Event::self_managed().without("bootstrapServers"),
        brokers(""),
        brokers(","),
        brokers(" , ,"),
        Event::msk()
            .without("eventSourceArn")
            .without("bootstrapServers"),
        Event::msk().arn("").bootstrap_servers(""),
    ]
}

/// How the record ends in two processes, one after the other, and what was warned of.
async fn twice(
    event: &EventBuilder,
    with: impl Fn(Builder<Journal>) -> Builder<Journal>,
) -> (String, Vec<serde_json::Value>) {
    let (store, journal, lines) = (Shared::default(), Journal::default(), Lines::default());
    let _listening = lines.listen();
    let event = event.clone().record(record()).build();
    let mut ended = String::new();
    for _ in 0..2 {
        let consumer = with(process(&store, &journal)).build().unwrap();
        ended += &letters(&invoke(&consumer, event.clone()).await);
        // A second one says nothing more.
        ended += &letters(&invoke(&consumer, event.clone()).await);
    }
    (
        ended,
        lines.of("the event names neither an ARN nor a broker"),
    )
}

#[tokio::test(start_paused = true)]
async fn of_a_cluster_without_a_name_each_delivery_runs_and_one_warning_says_what_to_set() {
    for event in unnamed() {
        let (ended, said) = twice(&event, |process| process).await;

        assert_eq!(ended, "DDDD", "{event:?}");
        assert_eq!(said.len(), 2, "{event:?}");
        assert_eq!(said[0]["cure"], "LAMBDA_MSK_CLUSTER");
        assert!(
            said[0]["means"]
                .as_str()
                .unwrap()
                .contains("run again in each delivery")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_given_is_enough() {
    for event in unnamed() {
        let (ended, said) = twice(&event, |process| process.cluster("main")).await;

        assert_eq!(ended, "DSSS", "{event:?}");
        assert_eq!(said.len(), 0, "{event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_msk_event_without_its_arn_is_known_by_its_brokers() {
    let event = Event::msk().without("eventSourceArn");

    let (ended, said) = twice(&event, |process| process).await;

    assert_eq!((ended.as_str(), said.len()), ("DSSS", 0));
}

#[tokio::test(start_paused = true)]
async fn by_key_the_record_itself_says_which_it_is_and_the_warning_says_what_is_shared() {
    for event in unnamed() {
        let by_key = |process: Builder<Journal>| process.per_record(PerRecord::by_key());
        let (ended, said) = twice(&event, by_key).await;

        assert_eq!(ended, "DSSS", "{event:?}");
        assert_eq!(said.len(), 2);
        assert!(said[0]["means"].as_str().unwrap().contains("share"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_of_such_a_cluster_runs_when_it_is_fed_back() {
    let (store, journal) = (Shared::default(), Journal::default());
    let destination = MemoryDestination::new();
    let process = || {
        process(&store, &journal)
            .on_failure(destination.clone())
            .build()
            .unwrap()
    };
    let event = Event::self_managed().without("bootstrapServers");
    let rejected = invoke(&process(), event.clone().record(record().value("?"))).await;

    let letter = destination.letters()[0].envelope();
    let letter: serde_json::Value = serde_json::from_str(&letter).unwrap();
    let payload = letter["payload"].to_string().replace("Pw==", "MQ==");
    let fed_back = invoke(&process(), payload).await;

    assert_eq!(
        (letters(&rejected), letters(&fed_back)),
        ("R".into(), "D".into())
    );
}
