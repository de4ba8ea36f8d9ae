//! Each variable: good, bad, empty; where each value came from.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::destination::Destination;
use crate::error::ConfigurationFault;
use crate::idempotency::{Idempotency, WhenStoreFails};
use crate::lane::{NullKeys, ProcessingOrder};
use crate::limits::{DEADLINE_MARGIN_MS_MAX, DEADLINE_MARGIN_MS_MIN};
use crate::process::WhenExhausted;
use crate::response::FailureReporting;
use crate::settings::Settings;

/// The settings that these variables make, what is wrong, and what is not known.
fn read(variables: &[(&str, &str)]) -> (Settings, Vec<ConfigurationFault>, Vec<String>) {
    let variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| (format!("LAMBDA_MSK_{name}"), (*value).to_owned()))
        .collect();
    let mut settings = Settings::default();
    let mut faults = Vec::new();
    let unknown = settings.read(&variables, &mut faults);
    (settings, faults, unknown)
}

/// The settings that one good variable makes.
fn good(name: &str, value: &str) -> Settings {
    let (settings, faults, unknown) = read(&[(name, value)]);
    assert!(faults.is_empty(), "{faults:?}");
    assert!(unknown.is_empty(), "{unknown:?}");
    settings
}

/// What is said of one bad variable.
fn bad(name: &str, value: &str) -> String {
    let (settings, faults, _) = read(&[(name, value)]);
    assert_eq!(settings.to_string(), Settings::default().to_string());
    assert_eq!(faults.len(), 1, "{name}={value}: {faults:?}");
    assert_eq!(faults[0].place, format!("LAMBDA_MSK_{name}"));
    faults[0].reason.clone()
}

#[test]
fn each_variable_is_read() {
    let file = good("ON_FAILURE", "file:/tmp/dead")
        .destination
        .value
        .unwrap();
    assert!(file.describe().contains("/tmp/dead"));
    let idempotency = |text| good("IDEMPOTENCY", text).idempotency.value;
    assert!(matches!(idempotency("memory"), Idempotency::Memory));
    assert!(matches!(idempotency("none"), Idempotency::None));
    let fails = |text| good("WHEN_STORE_FAILS", text).when_store_fails.value;
    assert_eq!(fails("fail"), WhenStoreFails::Fail);
    assert_eq!(fails("process"), WhenStoreFails::Process);
    let progress = |text| good("PROGRESS_MS", text).progress.value;
    assert_eq!(progress("0"), Duration::ZERO);
    assert_eq!(progress("10000"), Duration::from_secs(10));
    let reporting = |text| good("FAILURE_REPORTING", text).failure_reporting.value;
    assert_eq!(reporting("whole-batch"), FailureReporting::WholeBatch);
    assert_eq!(reporting("partial"), FailureReporting::Partial);
    let order = |text| good("ORDER", text).order.value;
    assert_eq!(order("partition"), ProcessingOrder::Partition);
    assert_eq!(order("key"), ProcessingOrder::Key);
    assert_eq!(order("unordered"), ProcessingOrder::Unordered);
    let null_keys = |text| good("NULL_KEYS", text).null_keys.value;
    assert_eq!(null_keys("ordered"), NullKeys::Ordered);
    assert_eq!(null_keys("unordered"), NullKeys::Unordered);
    let exhausted = |text| good("WHEN_EXHAUSTED", text).when_exhausted.value;
    assert_eq!(exhausted("fail"), WhenExhausted::Fail);
    assert_eq!(exhausted("reject"), WhenExhausted::Reject);
    assert_eq!(
        good("NAMESPACE", "shop-a").namespace.value.as_deref(),
        Some("shop-a")
    );
    assert_eq!(
        good("CLUSTER", "main/a").cluster.value.as_deref(),
        Some("main/a")
    );
}

#[test]
fn numbers_are_read_from_their_lowest_to_their_greatest() {
    for count in [1, 10_000] {
        assert_eq!(
            good("CONCURRENCY", &count.to_string()).concurrency.value,
            count
        );
    }
    for count in [1, 100] {
        assert_eq!(good("ATTEMPTS", &count.to_string()).attempts.value, count);
    }
    for ms in [DEADLINE_MARGIN_MS_MIN, DEADLINE_MARGIN_MS_MAX] {
        let margin = good("DEADLINE_MARGIN_MS", &ms.to_string())
            .deadline_margin
            .value;
        assert_eq!(margin, Duration::from_millis(ms));
    }
}

#[test]
fn a_bad_value_is_shown_with_what_is_allowed() {
    assert_eq!(bad("CONCURRENCY", "0"), "expected 1 to 10000, found 0");
    assert_eq!(
        bad("CONCURRENCY", "10001"),
        "expected 1 to 10000, found 10001"
    );
    assert_eq!(
        bad("CONCURRENCY", "many"),
        "expected a whole number from 1 to 10000, found `many`"
    );
    assert_eq!(bad("ATTEMPTS", "0"), "expected 1 to 100, found 0");
    assert_eq!(bad("ATTEMPTS", "101"), "expected 1 to 100, found 101");
    assert_eq!(
        bad("ATTEMPTS", "99999999999"),
        "expected a whole number from 1 to 100, found `99999999999`"
    );
    let (low, high) = (DEADLINE_MARGIN_MS_MIN, DEADLINE_MARGIN_MS_MAX);
    for outside in [0, low - 1, high + 1] {
        assert_eq!(
            bad("DEADLINE_MARGIN_MS", &outside.to_string()),
            format!("expected {low} to {high}, found {outside}")
        );
    }
    assert_eq!(
        bad("DEADLINE_MARGIN_MS", "0.5s"),
        format!("expected a whole number from {low} to {high}, found `0.5s`")
    );
    assert_eq!(
        bad("FAILURE_REPORTING", "Partial"),
        "expected one of `whole-batch`, `partial`, found `Partial`"
    );
    assert_eq!(
        bad("ORDER", "keys"),
        "expected one of `partition`, `key`, `unordered`, found `keys`"
    );
    assert_eq!(
        bad("NULL_KEYS", "none"),
        "expected one of `ordered`, `unordered`, found `none`"
    );
    assert_eq!(
        bad("WHEN_EXHAUSTED", "drop"),
        "expected one of `fail`, `reject`, found `drop`"
    );
    assert_eq!(
        bad("WHEN_UNHANDLED", "drop"),
        "expected one of `fail`, `reject`, found `drop`"
    );
    assert_eq!(
        bad("IDEMPOTENCY", "disk"),
        "is not a store; expected `dynamodb://TABLE`, `redis://HOST`, `rediss://HOST`, `valkey://HOST`, `postgres://HOST/DATABASE`, `memory` or `none`"
    );
    let name = "expected a name of 1 to 128 letters, digits, `-`, `_` and `.`, found";
    assert_eq!(bad("NAMESPACE", "a/b"), format!("{name} `a/b`"));
    assert!(bad("NAMESPACE", &"x".repeat(129)).starts_with(name));
    assert_eq!(
        bad("CLUSTER", "two words"),
        "expected a name of 1 to 256 visible ASCII characters, found `two words`"
    );
    assert!(bad("CLUSTER", &"x".repeat(257)).contains("1 to 256"));
    assert!(bad("ON_FAILURE", "nowhere").starts_with("is not a destination"));
}

#[test]
fn names_may_be_as_long_as_their_limit() {
    good("NAMESPACE", &"x".repeat(128));
    good("CLUSTER", &"x".repeat(256));
}

#[test]
fn a_long_value_is_cut_where_it_is_shown() {
    let reason = bad("ORDER", &"é".repeat(1_000));

    assert!(
        reason.ends_with(&format!(", found `{}…`", "é".repeat(40))),
        "{reason}"
    );
}

#[test]
fn a_stores_address_is_not_shown_since_it_may_hold_a_password() {
    for text in [
        "redis://user:hunter2@cache:port",
        "postgres://user:hunter2@db:port/orders",
        "mysql://user:hunter2@db",
    ] {
        let reason = bad("IDEMPOTENCY", text);
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}

#[test]
fn an_empty_variable_counts_as_unset_and_space_around_a_value_does_not_count() {
    let (settings, faults, _) = read(&[("ORDER", ""), ("ATTEMPTS", "  "), ("CONCURRENCY", " 8\n")]);

    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(settings.order.shown(|_| String::new()), " (default)");
    assert_eq!(settings.attempts.shown(ToString::to_string), "3 (default)");
    assert_eq!(
        settings.concurrency.shown(ToString::to_string),
        "8 (environment)"
    );
}

#[test]
fn names_that_are_not_known_are_told() {
    let (_, faults, unknown) = read(&[("ORDERS", "key"), ("ORDER", "key")]);

    assert!(faults.is_empty());
    assert_eq!(unknown, ["LAMBDA_MSK_ORDERS"]);
}

#[test]
fn the_environment_wins_over_code_and_code_over_the_default() {
    let mut settings = Settings::default();
    settings.attempts.by_code(5);
    settings.concurrency.by_code(8);
    let variables = BTreeMap::from([("LAMBDA_MSK_ATTEMPTS".to_owned(), "7".to_owned())]);

    settings.read(&variables, &mut Vec::new());

    assert_eq!(
        settings.attempts.shown(ToString::to_string),
        "7 (environment)"
    );
    assert_eq!(settings.concurrency.shown(ToString::to_string), "8 (code)");
}

#[test]
fn the_whole_configuration_is_shown_on_one_line_with_where_it_came_from() {
    let (mut settings, _, _) = read(&[("FAILURE_REPORTING", "partial"), ("NAMESPACE", "shop")]);
    settings.when_exhausted.by_code(WhenExhausted::Reject);

    // Without the feature there are none.
    let traces = match cfg!(feature = "otel") {
        true => "sampled",
        false => "none",
    };
    assert_eq!(
        settings
            .to_string()
            .replace(&format!("traces={traces} "), "traces=… "),
        "on_failure=none (default), overflow=none (default), idempotency=memory (default), \
         keys=by offset (default), guarantee=at-least-once (default), \
         progress=250ms (default), when_store_fails=fail (default), \
         failure_reporting=partial (environment), order=partition (default), \
         null_keys=ordered (default), concurrency=64 (default), attempts=3 (default), when_exhausted=reject (code), \
         when_unhandled=by-batch (default), \
         deadline_margin=500ms (default), namespace=shop (environment), \
         cluster=from the event (default), \
         schema_registry=none (default), schema_framing=auto (default), schema_format=source (default), \
         metrics=none (default), metrics_by=topic (default), log_records=failed (default), traces=… (default)"
    );
}

#[test]
fn what_code_sets_more_than_once_is_named() {
    let mut settings = Settings::default();
    settings.attempts.by_code(5);
    settings.order.by_code(ProcessingOrder::Key);
    assert!(settings.repeated().is_empty());
    settings.order.by_code(ProcessingOrder::Partition);
    settings.null_keys.by_code(NullKeys::Unordered);
    settings.null_keys.by_code(NullKeys::Ordered);
    let variables = BTreeMap::from([("LAMBDA_MSK_ATTEMPTS".to_owned(), "7".to_owned())]);

    settings.read(&variables, &mut Vec::new());

    assert_eq!(settings.repeated(), [".order(…)", ".null_keys(…)"]);
}
