//! What a function measures, added up.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{Measured, Spread, setting, time};
use crate::function::emf;

fn line(topic: &str, done: u64, failed: u64, handler: &str, lag: u64) -> emf::Emf {
    let line = format!(
        r#"{{"_aws":{{"Timestamp":1,"CloudWatchMetrics":[{{"Namespace":"shop","Dimensions":[["Consumer","Topic"]],"Metrics":[{{"Name":"Done"}},{{"Name":"Failed"}},{{"Name":"HandlerMs"}},{{"Name":"TimeLagMs"}}]}}]}},"Consumer":"c","Topic":"{topic}","Done":{done},"Failed":{failed},"HandlerMs":{handler},"TimeLagMs":{lag}}}"#
    );
    emf::read(&line).unwrap()
}

#[test]
fn the_lines_of_a_topic_add_up() {
    let start = Instant::now();
    let mut measured = Measured::default();

    measured.begins("orders", start);
    let first = line("orders", 3, 1, r#"{"Values":[1,2],"Counts":[98,1]}"#, 5_000);
    measured.add(&first, start + Duration::from_secs(1));
    let second = line("orders", 4, 0, r#"{"Values":[40],"Counts":[1]}"#, 0);
    measured.add(&second, start + Duration::from_secs(2));

    let topic = measured.of("orders").unwrap();
    assert_eq!(
        topic.json(topic.records_per_second()),
        json!({
            "records": 8,
            "recordsPerSecond": 4.0,
            "handlerMs": {"runs": 100, "p50": 1.0, "p99": 2.0, "max": 40.0},
            "timeLagMs": 0.0,
            "timeLagMsMax": 5_000.0,
            "sums": {"Done": 7, "Failed": 1},
        })
    );
    assert_eq!(
        topic.text(topic.records_per_second()),
        "4 records/s, handler p50 1.0 ms, p99 2.0 ms, lag in time 0 s"
    );
}

#[test]
fn of_partitions_that_are_a_dimension_the_latest_lag_of_the_latest_one_counts() {
    let now = Instant::now();
    let mut measured = Measured::default();
    for (partition, lag) in [("0", 900), ("1", 7_000), ("0", 300), ("1", 200)] {
        let mut line = line("orders", 1, 0, "[1]", lag);
        line.dimensions
            .insert("Partition".to_owned(), partition.to_owned());
        measured.add(&line, now);
    }

    assert_eq!(measured.of("orders").unwrap().lag_ms(), Some(300.0));
}

#[test]
fn a_handler_that_takes_no_time_takes_less_than_can_be_measured() {
    let mut measured = Measured::default();
    let line = line("orders", 2, 0, r#"{"Values":[0,0.003],"Counts":[1,1]}"#, 0);
    measured.add(&line, Instant::now());

    let text = measured.of("orders").unwrap().text(None);

    assert_eq!(text, "handler p50 <1 µs, p99 3 µs, lag in time 0 s");
}

/// A line with partitions as properties.
fn with_partitions(lags: &[(&str, f64)]) -> emf::Emf {
    let greatest = lags.iter().map(|(_, lag)| *lag).fold(0.0, f64::max);
    let partitions = lags.iter().map(|(partition, lag)| {
        (
            (*partition).to_owned(),
            json!({"Records": 1, "TimeLagMs": lag}),
        )
    });
    let line = json!({
        "_aws": {"Timestamp": 1, "CloudWatchMetrics": [{
            "Namespace": "shop",
            "Dimensions": [["Consumer", "Topic"]],
            "Metrics": [{"Name": "Done"}, {"Name": "TimeLagMs"}],
        }]},
        "Consumer": "c",
        "Topic": "orders",
        "Done": 1,
        "TimeLagMs": greatest,
        "Partitions": partitions.collect::<serde_json::Map<_, _>>(),
    });
    emf::read(&line.to_string()).unwrap()
}

#[test]
fn a_partition_that_is_stuck_lags_while_lines_tell_of_others() {
    let now = Instant::now();
    let mut measured = Measured::default();

    measured.add(&with_partitions(&[("0", 9_000.0), ("1", 0.0)]), now);
    measured.add(&with_partitions(&[("1", 0.0)]), now);
    measured.add(&with_partitions(&[("1", 40.0)]), now);

    let topic = measured.of("orders").unwrap();
    assert_eq!(topic.lag_ms(), Some(9_000.0));
}

#[test]
fn a_partition_of_which_nothing_waits_lags_no_more() {
    let start = Instant::now();
    let mut measured = Measured::default();
    let stands = |measured: &mut Measured, partitions: [(&str, bool); 2]| {
        let partitions = partitions.map(|(partition, settled)| (partition.to_owned(), settled));
        let now = start + Duration::from_secs(1);
        measured.stands("orders", &partitions.into(), now);
        measured.of("orders").unwrap().lag_ms().unwrap()
    };
    measured.add(&with_partitions(&[("0", 9_000.0), ("1", 700.0)]), start);

    assert_eq!(stands(&mut measured, [("0", false), ("1", false)]), 9_000.0);
    assert_eq!(stands(&mut measured, [("0", true), ("1", false)]), 700.0);
    // Another run has partition 1 now.
    assert_eq!(stands(&mut measured, [("0", true), ("2", false)]), 0.0);
    let bars = measured.of("orders").unwrap().bars();
    assert_eq!(bars[1], "  lag in time █▂                    0 s");
}

#[test]
fn a_line_without_partitions_lags_until_nothing_of_its_topic_waits() {
    let now = Instant::now();
    let mut measured = Measured::default();
    measured.add(&line("orders", 1, 0, "[1]", 5_000), now);
    let mut lag = |settled| {
        let partitions = [("0".to_owned(), true), ("1".to_owned(), settled)];
        measured.stands("orders", &partitions.into(), now);
        measured.of("orders").unwrap().lag_ms()
    };

    assert_eq!(lag(false), Some(5_000.0));
    assert_eq!(lag(true), Some(0.0));
}

#[test]
fn each_second_has_a_bar_and_one_without_a_line_keeps_its_lag() {
    let start = Instant::now();
    let mut measured = Measured::default();
    for (second, done, lag) in [(0, 8, 1_000), (2, 4, 0)] {
        let line = line("orders", done, 0, "[1]", lag);
        measured.add(&line, start + Duration::from_secs(second));
    }

    let bars = measured.of("orders").unwrap().bars();

    assert_eq!(
        bars,
        [
            "  throughput  █▁▄                   handler p50 1.0 ms, p99 1.0 ms",
            "  lag in time ██▁                   0 s",
        ]
    );
}

#[test]
fn after_a_long_pause_the_bars_begin_anew_and_no_more_than_twenty_are_kept() {
    let start = Instant::now();
    let mut measured = Measured::default();
    let mut bars = Vec::new();
    for second in [0, 3_600, 3_615, 3_630] {
        let line = line("orders", 1, 0, "[1]", 0);
        measured.add(&line, start + Duration::from_secs(second));
        bars.push(measured.of("orders").unwrap().buckets.len());
    }

    assert_eq!(bars, [1, 1, 16, 20]);
}

#[test]
fn metrics_of_somebody_else_are_passed_over() {
    let line = r#"{"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Topic"]],"Metrics":[{"Name":"Sold"}]}]},"Topic":"orders","Sold":3}"#;
    let mut measured = Measured::default();

    measured.add(&emf::read(line).unwrap(), Instant::now());

    assert_eq!(measured.iter().count(), 0);
}

#[test]
fn a_percentile_is_a_value_that_was_seen() {
    let mut spread = Spread::default();
    assert_eq!(spread.percentile(50), None);
    for (ms, count) in [(0.5, 50), (12.345, 49), (9_000.0, 1)] {
        spread.add(ms, count);
    }

    let percentiles = [50, 51, 99, 100].map(|of| spread.percentile(of).unwrap());

    assert_eq!(percentiles, [0.5, 12.3, 12.3, 9_000.0]);
}

#[test]
fn a_setting_of_the_users_own_is_kept() {
    let pair = |value: &str| [("LAMBDA_MSK_METRICS".to_owned(), value.to_owned())];

    assert_eq!(setting(&pair("none")), None);
    assert_eq!(setting(&pair("")), None);
    assert_eq!(setting(&[]), Some(("LAMBDA_MSK_METRICS", "emf:lambda-msk")));
}

#[test]
fn times_are_as_long_as_people_say_them() {
    let times = [0.0, 0.82, 1.24, 640.0, 3_210.0, 125_000.0, 12_000_000.0].map(time);

    assert_eq!(
        times,
        [
            "0 s",
            "820 µs",
            "1.2 ms",
            "640 ms",
            "3.2 s",
            "2 min 5 s",
            "3 h 20 min"
        ]
    );
}
