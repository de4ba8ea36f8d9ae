//! The binary: what a collector has when the answer is there.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use lambda_msk::testing::{Event, Sample};

use crate::collector::{Collector, attribute, hex};
use crate::http::{Answer, serve};
use crate::lambda::{Lambda, X_RAY};

const TOPIC: &str = "orders";
const PRODUCER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const ORDER: &str = r#"{"order_id":1,"amount_cents":4999}"#;

fn event(first_offset: i64, records: i64) -> String {
    let offsets = first_offset..first_offset + records;
    let records = offsets.map(|offset| {
        let record = Sample::new(TOPIC, 0).offset(offset).value(ORDER);
        record.header("traceparent", PRODUCER)
    });
    Event::msk().records(records).to_json()
}

#[test]
fn nothing_is_lost_over_a_hundred_invocations_that_are_frozen_in_between() {
    let collector = Collector::start();
    let lambda = Lambda::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())]);

    for at in 0..100 {
        lambda.invoke(event(at * 3, 3));

        // The process is frozen: what is not here now may never come.
        let so_far = usize::try_from(at + 1).unwrap();
        assert_eq!(collector.named("shop").len(), so_far);
        assert_eq!(
            collector.named(&format!("process {TOPIC}")).len(),
            so_far * 3
        );
        assert_eq!(collector.named("ship").len(), so_far * 3);
        lambda.thaw();
    }
    assert_eq!(collector.spans().len(), 700);
}

#[test]
fn the_invocations_span_hangs_under_x_rays_and_bears_the_functions_name() {
    let collector = Collector::start();
    let lambda = Lambda::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())]);

    lambda.invoke(event(0, 2));

    let [invocation] = collector.named("shop").try_into().unwrap();
    assert_eq!(
        [hex(&invocation.trace_id), hex(&invocation.parent_span_id)],
        X_RAY
    );
    assert_eq!(attribute(&invocation, "faas.invocation_id"), "8476a536");
    assert_eq!(attribute(&invocation, "messaging.batch.message_count"), "2");
    assert_eq!(collector.service(), "shop");
    // The handler's own span is a child of the record's.
    let records = collector.named(&format!("process {TOPIC}"));
    let ships = collector.named("ship");
    assert_eq!(ships.len(), 2);
    for ship in ships {
        assert!(
            records
                .iter()
                .any(|record| record.span_id == ship.parent_span_id)
        );
    }
}

#[test]
fn a_sampler_by_the_parent_exports_nothing_that_x_ray_does_not_sample() {
    let collector = Collector::start();
    let lambda = Lambda::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
    ]);

    lambda.invoke(event(0, 3));

    // X-Ray's header says `Sampled=0`, as it does without active tracing; the producers' flags say that they have sampled.
    let names: Vec<String> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, [""; 0]);
}

#[test]
fn settings_that_the_sdk_would_pass_over_are_refused_at_the_start() {
    let lambda = Lambda::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "5%"),
    ]);

    let refusal = lambda.refusal();

    for fault in [
        "OTEL_EXPORTER_OTLP_ENDPOINT: expected `http://HOST:PORT`",
        "OTEL_TRACES_SAMPLER: expected one of `always_on`",
        "OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, found `5%`",
    ] {
        assert!(refusal.contains(fault), "{refusal}");
    }
}

#[test]
fn the_service_is_named_by_the_variable_of_opentelemetry_if_it_is_set() {
    let collector = Collector::start();
    let lambda = Lambda::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
        ("OTEL_SERVICE_NAME", "shop"),
    ]);

    lambda.invoke(event(0, 1));

    assert_eq!(collector.service(), "shop");
}

#[test]
fn without_traces_nothing_is_exported_not_even_a_handlers_own_spans() {
    let collector = Collector::start();
    let lambda = Lambda::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
        ("LAMBDA_MSK_TRACES", "none"),
    ]);

    lambda.invoke(event(0, 3));

    // A handler's span without a parent would be a trace of its own, for each record.
    let names = collector.spans().into_iter().map(|span| span.name);
    assert_eq!(names.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_collector_that_hangs_delays_no_answer_beyond_its_part_of_the_margin() {
    let (hold, held) = channel::<()>();
    let held = Mutex::new(held);
    let address = serve(move |_| {
        let _ = held.lock().unwrap().recv();
        Answer::of("200 OK")
    });
    let endpoint = format!("http://{address}");
    let lambda = Lambda::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);

    for at in 0..3 {
        let took = lambda.invoke(event(at, 1));
        lambda.thaw();

        // Half of the margin of 500 ms, and what starting the process takes; the exporter's own time-out is 10 s.
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    drop(hold);
}
