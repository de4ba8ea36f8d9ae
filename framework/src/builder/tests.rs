//! What `build` refuses, and what it says.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::builder::Builder;
use crate::consumer::{Consumer, IntoConsumer};
use crate::error::{ConfigurationFault, Error};
use crate::handler::each;
use crate::idempotency::Guarantee;
use crate::limits::{
    ATTEMPTS_MAX, CONCURRENCY_MAX, DEADLINE_MARGIN_MS_MAX, DEADLINE_MARGIN_MS_MIN, TOPIC_BYTES_MAX,
};

async fn ship() {}

fn orders() -> Builder<()> {
    Consumer::builder().topic("orders", ship)
}

fn faults<S: Send + Sync + 'static>(builder: Builder<S>) -> Vec<ConfigurationFault> {
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(Error::Configuration(error)) => error.faults().to_vec(),
        Err(other) => panic!("{other}"),
    }
}

/// Where the faults are.
fn places<S: Send + Sync + 'static>(builder: Builder<S>) -> Vec<String> {
    faults(builder)
        .into_iter()
        .map(|fault| fault.place)
        .collect()
}

#[test]
fn a_builder_given_in_place_of_a_consumer_is_built_or_its_faults_are_named() {
    let consumer = orders().into_consumer().unwrap();
    let error = orders().concurrency(0).into_consumer().unwrap_err();

    assert!(consumer.inner.processor.topics.contains_key("orders"));
    assert_eq!(error.code(), "configuration.invalid");
    assert_eq!(
        error.to_string(),
        "1 fault in the configuration: .concurrency(…): expected 1 to 10000, found 0"
    );
}

#[test]
fn every_fault_is_named_at_once() {
    let builder = orders()
        .topic("orders", ship)
        .concurrency(0)
        .faults([ConfigurationFault::new("FULFILMENT_URL", "is no URL")])
        .from_vars([
            ("LAMBDA_MSK_ORDER", "random"),
            ("LAMBDA_MSK_ATTEMPTS", "-1"),
        ]);

    let error = builder.build().unwrap_err();

    assert_eq!(error.code(), "configuration.invalid");
    assert_eq!(
        error.to_string(),
        "5 faults in the configuration: \
         FULFILMENT_URL: is no URL; \
         .concurrency(…): expected 1 to 10000, found 0; \
         .topic(\"orders\", …): the topic already has a handler; a topic takes one; \
         LAMBDA_MSK_ORDER: expected one of `partition`, `key`, `unordered`, found `random`; \
         LAMBDA_MSK_ATTEMPTS: expected a whole number from 1 to 100, found `-1`"
    );
}

#[test]
fn one_fault_of_the_functions_own_is_enough() {
    let own = ConfigurationFault::new("FULFILMENT_URL", "is no URL");

    let error = orders().faults([own]).build().unwrap_err();

    assert_eq!(
        error.to_string(),
        "1 fault in the configuration: FULFILMENT_URL: is no URL"
    );
}

#[test]
fn a_consumer_without_a_handler_is_a_fault_and_a_fallback_is_a_handler() {
    let none = Consumer::builder();
    let fallback = Consumer::builder().fallback(ship);

    assert_eq!(places(none), ["Consumer::builder()"]);
    assert!(places(fallback).is_empty());
}

#[test]
fn a_second_handler_for_what_has_one_is_a_fault() {
    let topic = orders().topic(["returns", "orders"], ship);
    let fallback = orders().fallback(ship).fallback(ship);

    assert_eq!(places(topic), [r#".topic("orders", …)"#]);
    assert_eq!(places(fallback), [".fallback(…)"]);
}

#[test]
fn a_handler_without_a_topic_is_a_fault() {
    let none: [&str; 0] = [];

    assert_eq!(places(orders().topic(none, ship)), [".topic(…)"]);
    assert_eq!(places(orders().topic(Vec::new(), ship)), [".topic(…)"]);
    assert_eq!(places(orders().topic(none, each(ship))), [".topic(…)"]);
}

#[test]
fn a_fault_that_advises_to_set_what_is_set_says_that_it_was_not_read() {
    let names = || ["LAMBDA_MSK_ATTEMPTS".to_owned()].into_iter();
    let builder = || orders().guarantee(Guarantee::AtMostOnce);

    let unread = builder().build_beside(names()).unwrap_err().to_string();
    let read = builder().from_vars([("LAMBDA_MSK_ORDER", "")]);
    let read = read.build_beside(names()).unwrap_err().to_string();

    let note = "(LAMBDA_MSK_ATTEMPTS is set, but was not read: call `.from_env()`)";
    assert_eq!(unread.matches(note).count(), 1, "{unread}");
    assert_eq!(unread.replace(&format!(" {note}"), ""), read);
}

#[test]
fn a_name_that_no_topic_can_have_is_a_fault() {
    let longest = "x".repeat(TOPIC_BYTES_MAX);
    let longer = "x".repeat(TOPIC_BYTES_MAX + 1);

    for name in [
        "",
        "orders,returns",
        "orders ",
        "bestellungen-ü",
        ".",
        "..",
        &longer,
    ] {
        let place = format!(".topic({name:?}, …)");
        assert_eq!(places(Consumer::builder().topic(name, ship)), [place]);
    }
    for name in ["orders", "my-topic.v1_x", &longest] {
        assert!(
            places(Consumer::builder().topic(name, ship)).is_empty(),
            "{name}"
        );
    }
}

#[test]
fn settings_in_code_are_held_to_their_ranges() {
    let long = Duration::from_millis(DEADLINE_MARGIN_MS_MAX + 1);
    let shortest = Duration::from_millis(DEADLINE_MARGIN_MS_MIN);
    let short = shortest - Duration::from_nanos(1);
    let bad = [
        (orders().concurrency(0), ".concurrency(…)"),
        (orders().concurrency(CONCURRENCY_MAX + 1), ".concurrency(…)"),
        (orders().attempts(0), ".attempts(…)"),
        (orders().attempts(ATTEMPTS_MAX + 1), ".attempts(…)"),
        (orders().deadline_margin(long), ".deadline_margin(…)"),
        (orders().deadline_margin(short), ".deadline_margin(…)"),
        (
            orders().deadline_margin(Duration::ZERO),
            ".deadline_margin(…)",
        ),
        (
            orders().deadline_margin(Duration::MAX),
            ".deadline_margin(…)",
        ),
        (orders().namespace("a/b"), ".namespace(…)"),
        (orders().cluster("two words"), ".cluster(…)"),
    ];
    let good = [
        orders().concurrency(CONCURRENCY_MAX),
        orders().attempts(ATTEMPTS_MAX),
        orders().deadline_margin(shortest),
        orders().deadline_margin(Duration::from_millis(DEADLINE_MARGIN_MS_MAX)),
        orders().namespace("shop.orders-v1_x").cluster("shop/main"),
    ];

    for (builder, place) in bad {
        assert_eq!(places(builder), [place]);
    }
    for builder in good {
        assert!(places(builder).is_empty());
    }
}

#[test]
fn a_routes_attempts_are_held_to_their_range() {
    for attempts in [0, ATTEMPTS_MAX + 1] {
        let builder = Consumer::builder()
            .topic(["a", "b"], each(ship).attempts(attempts))
            .fallback(each(ship).attempts(attempts));

        let places: BTreeSet<String> = places(builder).into_iter().collect();

        let expected = [
            ".fallback(…) `each(…).attempts(…)`",
            r#".topic("a", …) `each(…).attempts(…)`"#,
            r#".topic("b", …) `each(…).attempts(…)`"#,
        ];
        assert_eq!(places, expected.map(str::to_owned).into());
    }
}

#[test]
fn what_the_environment_says_wins_wherever_it_is_read() {
    let first = Consumer::builder()
        .from_vars([("LAMBDA_MSK_ATTEMPTS", "7")])
        .attempts(2)
        .topic("orders", ship);
    let last = orders()
        .attempts(2)
        .from_vars([("LAMBDA_MSK_ATTEMPTS", "7")]);

    for builder in [first, last] {
        let consumer = builder.build().unwrap();
        assert!(
            format!("{consumer:?}").contains("attempts: 7"),
            "{consumer:?}"
        );
    }
}

#[test]
fn a_variable_that_is_not_known_does_not_stop_the_function() {
    let variables = [("LAMBDA_MSK_CONCURENCY", "8"), ("PATH", "/bin")];

    let consumer = orders().from_vars(variables).build().unwrap();

    assert_eq!(consumer.inner.unknown_variables, ["LAMBDA_MSK_CONCURENCY"]);
}
