//! The spans of consumers in this process. Each test has a topic of its own, by which it knows its spans.

use std::sync::OnceLock;
use std::time::Duration;

use lambda_msk::destination::MemoryDestination;
use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};
use lambda_msk::traces::{Parent, TracedRecords, Traces};
use lambda_msk::{Attempt, Batch, Consumer, Failure, Json, Outcome, batch};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use traced::Exporter;

use crate::collector::{Collector, Span, attribute, hex};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn exporter() -> &'static (Collector, Exporter) {
    static EXPORTER: OnceLock<(Collector, Exporter)> = OnceLock::new();
    EXPORTER.get_or_init(|| {
        let collector = Collector::start();
        let exporter = Exporter::to(collector.endpoint(), "tests".to_owned(), false).unwrap();
        exporter.install();
        (collector, exporter)
    })
}

/// A record, with a producer's trace of these flags if there are some.
fn record(topic: &str, offset: i64, flags: Option<&str>) -> Sample {
    let sample = Sample::new(topic, 0).offset(offset).value("1");
    match flags {
        Some(flags) => sample.header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}")),
        None => sample,
    }
}

fn consumer(topic: &str, traces: Traces) -> Consumer {
    let handler = async |record: lambda_msk::Record, Attempt(attempt): Attempt| {
        tracing::info_span!("inside", topic = record.topic()).in_scope(|| {});
        match record.value() {
            Some(b"fails") => Err(Failure::reject("no good").code("order.bad")),
            Some(b"twice") if attempt == 1 => Err(Failure::retry("not now")),
            _ => Ok(()),
        }
    };
    let builder = Consumer::builder().topic(topic, handler).traces(traces);
    let builder = builder
        .on_failure(MemoryDestination::new())
        .namespace("shop");
    builder.build().unwrap()
}

/// Of the topic: the records' spans and the handler's own, once the batch has been exported.
async fn spans(consumer: &Consumer, topic: &str, event: EventBuilder) -> (Vec<Span>, Vec<Span>) {
    let (collector, exporter) = exporter();
    invoke(consumer, event).await;
    exporter.clone().flush().await;
    let inside = collector.named("inside").into_iter();
    let inside = inside.filter(|span| attribute(span, "topic") == topic);
    (
        collector.named(&format!("process {topic}")),
        inside.collect(),
    )
}

/// The invocation's span above a record's.
fn invocation(span: &Span) -> Span {
    let spans = exporter().0.spans().into_iter();
    let mut above = spans.filter(|other| other.span_id == span.parent_span_id);
    above.next().unwrap()
}

#[tokio::test]
async fn a_record_has_a_span_below_its_invocations_that_links_the_producers() {
    exporter();
    let topic = "linked";
    let event = Event::msk().record(record(topic, 7, Some("01")));

    let (records, inside) = spans(&consumer(topic, Traces::default()), topic, event).await;

    let [span] = records.try_into().unwrap();
    assert_eq!(span.kind(), SpanKind::Consumer);
    let [link] = &*span.links else {
        panic!("{:?}", span.links)
    };
    assert_eq!([hex(&link.trace_id), hex(&link.span_id)], [TRACE, PARENT]);
    let expected = [
        ("messaging.system", "kafka"),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", topic),
        ("messaging.destination.partition.id", "0"),
        ("messaging.consumer.group.name", "shop"),
        ("messaging.kafka.offset", "7"),
        ("messaging.message.body.size", "1"),
        ("messaging.kafka.message.tombstone", ""),
        ("messaging.kafka.message.key", ""),
        ("lambda_msk.outcome", "done"),
        ("lambda_msk.attempts", "1"),
        ("error.type", ""),
    ];
    for (name, value) in expected {
        assert_eq!(attribute(&span, name), value, "{name}");
    }
    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    let invocation = invocation(&span);
    assert_eq!(invocation.kind(), SpanKind::Server);
    assert_eq!(invocation.trace_id, span.trace_id);
    assert_eq!(attribute(&invocation, "messaging.batch.message_count"), "1");
    assert_eq!(hex(&invocation.links[0].span_id), PARENT);
    let [inside] = inside.try_into().unwrap();
    assert_eq!(inside.parent_span_id, span.span_id);
}

#[tokio::test]
async fn a_producer_that_is_the_parent_goes_on_in_its_trace_and_links_the_batch() {
    exporter();
    let topic = "parent";
    let traces = Traces::of(TracedRecords::All).parent(Parent::Producer);
    let event = Event::msk()
        .record(record(topic, 0, Some("01")))
        .record(record(topic, 1, Some("00")));

    let (records, _) = spans(&consumer(topic, traces), topic, event).await;

    let [sampled, not_sampled] = records.try_into().unwrap();
    assert_eq!(
        [hex(&sampled.trace_id), hex(&sampled.parent_span_id)],
        [TRACE, PARENT]
    );
    let batch = invocation(&not_sampled);
    assert_eq!(sampled.links[0].span_id, batch.span_id);
    assert_eq!(hex(&not_sampled.links[0].span_id), PARENT);
}

#[tokio::test]
async fn by_default_records_that_are_not_sampled_have_no_span_and_no_children() {
    exporter();
    let topic = "sampled";
    let event = Event::msk()
        .record(record(topic, 0, Some("00")))
        .record(record(topic, 1, None))
        .record(record(topic, 2, Some("01")));

    let (records, inside) = spans(&consumer(topic, Traces::default()), topic, event).await;

    let offset = |span: &Span| attribute(span, "messaging.kafka.offset");
    let offsets: Vec<_> = records.iter().map(offset).collect();
    assert_eq!(offsets, ["2"]);
    assert_eq!(inside.len(), 1);
}

#[tokio::test]
async fn a_record_that_was_not_sampled_and_fails_has_a_span_without_children() {
    exporter();
    let topic = "failed";
    let failing = || record(topic, 0, None).value("fails");
    for traces in [TracedRecords::Sampled, TracedRecords::Failed] {
        let event = Event::msk()
            .record(failing())
            .record(record(topic, 1, None));

        let (records, inside) = spans(&consumer(topic, Traces::of(traces)), topic, event).await;

        let span = records.last().unwrap();
        assert_eq!(attribute(span, "lambda_msk.outcome"), "rejected");
        assert_eq!(attribute(span, "error.type"), "order.bad");
        assert_eq!(span.status.as_ref().unwrap().code(), StatusCode::Error);
        assert!(inside.is_empty());
    }
    assert_eq!(exporter().0.named("process failed").len(), 2);
}

#[tokio::test]
async fn a_record_that_is_tried_twice_has_one_span_around_both_tries() {
    exporter();
    let topic = "twice";
    let event = Event::msk().record(record(topic, 0, Some("01")).value("twice"));

    let (records, inside) = spans(&consumer(topic, Traces::default()), topic, event).await;

    let [span] = records.try_into().unwrap();
    assert_eq!(attribute(&span, "lambda_msk.attempts"), "2");
    assert_eq!(inside.len(), 2);
    for inside in &inside {
        assert_eq!(inside.parent_span_id, span.span_id);
    }
    // The test kit's wall clock is its own: only times between two of one clock compare.
    let both = inside[1].end_time_unix_nano - inside[0].start_time_unix_nano;
    assert!(span.end_time_unix_nano - span.start_time_unix_nano >= both);
}

#[tokio::test]
async fn a_key_is_shown_only_if_it_is_asked_for_and_a_tombstone_is_named() {
    exporter();
    let topic = "keyed";
    let keyed = || Event::msk().record(record(topic, 0, Some("01")).key("k-1").without("value"));

    spans(&consumer(topic, Traces::default()), topic, keyed()).await;
    let asked = consumer(topic, Traces::default().key(true));
    let (records, _) = spans(&asked, topic, keyed()).await;

    let key = |span: &Span| attribute(span, "messaging.kafka.message.key");
    let keys: Vec<_> = records.iter().map(key).collect();
    assert_eq!(keys, ["", "k-1"]);
    let tombstone = "messaging.kafka.message.tombstone";
    assert!(
        records
            .iter()
            .all(|span| attribute(span, tombstone) == "true")
    );
}

#[tokio::test]
async fn an_invocation_links_at_most_128_producers_and_those_of_failed_records_first() {
    exporter();
    let topic = "many";
    let event = (0..300).fold(Event::msk(), |event, offset| {
        let of = format!("00-{TRACE}-{:016x}-01", offset + 1);
        let sample = Sample::new(topic, 0).offset(offset).value("1");
        let sample = match offset {
            299 => sample.value("fails"),
            _ => sample,
        };
        event.record(sample.header("traceparent", of))
    });

    let (records, _) = spans(&consumer(topic, Traces::default()), topic, event).await;

    assert_eq!(records.len(), 300);
    let links = invocation(&records[0]).links;
    assert_eq!(links.len(), 128);
    assert_eq!(hex(&links[0].span_id), format!("{:016x}", 300));
    assert_eq!(hex(&links[1].span_id), format!("{:016x}", 1));
}

/// The offsets of these spans, in order.
fn offsets(spans: &[Span]) -> Vec<i64> {
    let offset = |span: &Span| attribute(span, "messaging.kafka.offset").parse().unwrap();
    let mut offsets: Vec<i64> = spans.iter().map(offset).collect();
    offsets.sort_unstable();
    offsets
}

/// Reads numbers: a record that has none is rejected before its handler, one above zero by it.
fn reader(topic: &str, traces: TracedRecords) -> Consumer {
    let handler = async |Json(number): Json<u64>| match number {
        0 => Ok(()),
        _ => Err(Failure::reject("no good").code("order.bad")),
    };
    let builder = Consumer::builder().topic(topic, handler);
    let builder = builder.traces(Traces::of(traces));
    builder
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap()
}

#[tokio::test]
async fn where_all_have_spans_those_that_nothing_could_read_have_theirs_too() {
    exporter();
    let topic = "unread";
    let event = (0..3_000).fold(Event::msk(), |event, offset| {
        let value = if offset < 1_500 { "?" } else { "0" };
        event.record(record(topic, offset, None).value(value))
    });

    let (records, _) = spans(&reader(topic, TracedRecords::All), topic, event).await;

    assert_eq!(offsets(&records), (0..3_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn of_failed_records_those_whose_handler_has_run_have_their_spans_first() {
    exporter();
    let topic = "crowded";
    let event = (0..1_200).fold(Event::msk(), |event, offset| {
        let value = if offset < 1_100 { "?" } else { "1" };
        event.record(record(topic, offset, None).value(value))
    });

    let (records, _) = spans(&reader(topic, TracedRecords::Sampled), topic, event).await;

    let expected: Vec<i64> = (0..900).chain(1_100..1_200).collect();
    assert_eq!(offsets(&records), expected);
}

#[tokio::test]
async fn a_span_of_a_record_that_a_call_has_left_begins_with_that_call() {
    exporter();
    let topic = "left";
    let handler = async |orders: Batch<Json<u64>>| {
        let mut outcomes = orders.outcomes();
        // Two records at first; the second one is tried once more, alone.
        if orders.len() == 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            outcomes.retry(1, Failure::retry("not now"));
        }
        Ok::<_, Failure>(outcomes)
    };
    let builder = Consumer::builder().route(topic, batch(handler));
    let consumer = builder.traces(Traces::of(TracedRecords::All)).build();
    let event = Event::msk()
        .record(record(topic, 0, None))
        .record(record(topic, 1, None));

    let (records, _) = spans(&consumer.unwrap(), topic, event).await;

    assert_eq!(offsets(&records), [0, 1]);
    for span in records {
        let took = span.end_time_unix_nano - span.start_time_unix_nano;
        assert!(took >= 50_000_000, "{took}");
    }
}

#[tokio::test]
async fn nothing_has_a_span_if_traces_are_off() {
    exporter();
    let topic = "off";
    let event = Event::msk()
        .record(record(topic, 0, Some("01")))
        .record(record(topic, 1, Some("01")).value("fails"));
    let consumer = consumer(topic, Traces::of(TracedRecords::None));

    let outcomes = invoke(&consumer, event).await.outcomes();
    exporter().1.clone().flush().await;

    assert_eq!(outcomes, [Outcome::Done, Outcome::Rejected]);
    assert!(exporter().0.named("process off").is_empty());
    let inside = exporter().0.named("inside").into_iter();
    let inside = inside.filter(|span| attribute(span, "topic") == topic);
    assert_eq!(inside.count(), 0);
}
