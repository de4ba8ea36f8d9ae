//! Metrics: where they are on, what the variables and code say, and the bounds of a line.

use lambda_msk::limits::{METRIC_LINE_BYTES_MAX, METRIC_LINES_MAX, METRIC_PARTITIONS_MAX};
use lambda_msk::metrics::{Emf, Metrics, MetricsBy};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Failure};
use serde_json::Value;

use crate::emf::{OUTCOMES, Written, numbers};
use crate::support::{Lines, orders};

/// The start line's settings, by these variables.
fn started(variables: &[(&str, &str)]) -> String {
    let builder = Consumer::builder().topic("orders", async || {});
    let consumer = builder.from_vars(variables.iter().copied()).build();
    let lines = Lines::default();
    let _guard = lines.listen();
    consumer.unwrap().log_start();
    let started = &lines.of("consumer started")[0];
    started["configuration"].as_str().unwrap().to_owned()
}

/// The faults that these variables make.
fn refused(variables: &[(&str, &str)]) -> String {
    let builder = Consumer::builder().topic("orders", async || {});
    let built = builder.from_vars(variables.iter().copied()).build();
    format!("{:?}", built.unwrap_err())
}

/// The line that these variables make of one invocation.
async fn line(variables: &[(&str, &str)]) -> Value {
    let written = Written::default();
    let builder = Consumer::builder().topic("orders", async || {});
    let builder = builder.metrics(written.emf());
    let consumer = builder.from_vars(variables.iter().copied()).build();
    invoke(&consumer.unwrap(), orders([(0, "1")])).await;
    written.line()
}

#[test]
fn metrics_are_on_in_lambda_and_off_elsewhere() {
    for variable in ["AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_EXECUTION_ENV"] {
        let started = started(&[(variable, "on-demand")]);
        assert!(started.contains("metrics=emf:lambda-msk (default)"));
    }
    assert!(started(&[]).contains("metrics=none (default), metrics_by=topic (default)"));
}

#[test]
fn metrics_are_turned_off_in_lambda_by_the_variable() {
    let in_lambda = ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023");

    let started = started(&[in_lambda, ("LAMBDA_MSK_METRICS", "none")]);

    assert!(started.contains("metrics=none (environment)"), "{started}");
}

#[tokio::test(start_paused = true)]
async fn the_variables_win_over_code_and_the_output_stays() {
    let line = line(&[
        ("LAMBDA_MSK_METRICS", "emf:other space"),
        ("LAMBDA_MSK_METRICS_BY", "partition"),
    ])
    .await;

    let namespace = &line["_aws"]["CloudWatchMetrics"][0]["Namespace"];
    assert_eq!(namespace, "other space");
    assert_eq!(line["Partition"], "0");
}

#[tokio::test(start_paused = true)]
async fn a_line_bears_the_functions_level_so_that_lambda_keeps_it() {
    for (level, found) in [("ERROR", "ERROR"), ("debug", "DEBUG"), ("loud", "INFO")] {
        let line = line(&[("AWS_LAMBDA_LOG_LEVEL", level)]).await;
        assert_eq!(line["level"], found);
    }
}

#[test]
fn a_value_that_is_no_form_of_metrics_is_refused_by_name() {
    let too_long = format!("emf:{}", "n".repeat(256));
    for bad in [
        "emf:",
        "emf",
        "statsd:a",
        "emf:é",
        "emf::a",
        "emf:AWS/Lambda",
        &too_long,
    ] {
        let fault = refused(&[("LAMBDA_MSK_METRICS", bad)]);
        assert!(
            fault.contains("LAMBDA_MSK_METRICS: expected"),
            "{bad}: {fault}"
        );
    }
    let fault = refused(&[("LAMBDA_MSK_METRICS_BY", "record")]);
    assert!(
        fault.contains("LAMBDA_MSK_METRICS_BY: expected one of `topic`"),
        "{fault}"
    );
    let fault = refused(&[("LAMBDA_MSK_LOG_RECORDS", "some")]);
    assert!(
        fault.contains("LAMBDA_MSK_LOG_RECORDS: expected one of `failed`"),
        "{fault}"
    );
}

#[test]
fn a_namespace_in_code_that_cloudwatch_does_not_take_is_refused() {
    let builder = Consumer::builder().topic("orders", async || {});

    let fault = builder.metrics(Emf::namespace("é")).build().unwrap_err();

    assert!(format!("{fault:?}").contains(".metrics(…): expected a CloudWatch namespace"));
}

#[tokio::test(start_paused = true)]
async fn without_metrics_nothing_is_written() {
    let written = Written::default();
    let builder = Consumer::builder().topic("orders", async || {});
    let builder = builder.metrics(written.emf()).metrics(Metrics::None);

    invoke(&builder.build().unwrap(), orders([(0, "1")])).await;

    assert_eq!(written.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_many_partitions_those_that_lag_most_are_properties() {
    let written = Written::default();
    let fails = async || Err::<(), _>(Failure::retry("down"));
    let builder = Consumer::builder().topic("orders", fails).attempts(1);
    let consumer = builder.metrics(written.emf()).build().unwrap();
    let partitions = i32::try_from(METRIC_PARTITIONS_MAX).unwrap() + 20;
    let sample = |at| Sample::new("orders", at).timestamp(1_767_225_000_000 - i64::from(at));

    invoke(&consumer, Event::msk().records((0..partitions).map(sample))).await;

    let line = written.line();
    let listed = line["Partitions"].as_object().unwrap();
    assert_eq!(listed.len(), METRIC_PARTITIONS_MAX);
    assert!(listed.contains_key("119") && !listed.contains_key("19"));
    assert_eq!(line["PartitionsLeftOut"], 20);
    assert_eq!(line["Failed"], 120);
    assert!(line.to_string().len() < METRIC_LINE_BYTES_MAX);
}

#[tokio::test(start_paused = true)]
async fn partitions_without_a_line_of_their_own_share_the_last() {
    let written = Written::default();
    let emf = written.emf().by(MetricsBy::Partition);
    let builder = Consumer::builder().topic("orders", async || {});
    let consumer = builder.metrics(emf).build().unwrap();
    let partitions = i32::try_from(METRIC_LINES_MAX).unwrap() + 20;
    let samples = (0..partitions).map(|at| Sample::new("orders", at));

    invoke(&consumer, Event::msk().records(samples)).await;

    let lines = written.lines();
    assert_eq!(lines.len(), METRIC_LINES_MAX);
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["Topic"], &last["Partition"]),
        (&Value::from("(others)"), &Value::from("(others)"))
    );
    assert_eq!(numbers(last, OUTCOMES)[0], 21.0);
}
