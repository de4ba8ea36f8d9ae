//! What Lambda would refuse, named at once and in its words.

use msk_mapping::event::Source;
use msk_mapping::machine::{
    Configuration, ConsumptionMode, Faults, Mapping, OnFailure, ProvisionedPollers,
    StartingPosition,
};
use msk_mapping::response::FailureReporting;

use crate::desk::settings;

fn faults(settings: Configuration) -> Vec<String> {
    let faults: Faults = Mapping::new(settings).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

fn on_demand() -> Configuration {
    let source = Source::Msk {
        arn: "arn".to_owned(),
        bootstrap_servers: None,
    };
    Configuration::new(source, "orders", StartingPosition::Latest)
}

#[test]
fn on_demand_mode_refuses_what_needs_provisioned_mode() {
    let mut settings = on_demand();
    settings.maximum_retry_attempts = Some(-1);
    settings.maximum_record_age_in_seconds = Some(60);
    settings.bisect_batch_on_function_error = true;
    settings.function_response_types = FailureReporting::Partial;
    settings.on_failure = Some(OnFailure::Kafka("failed".to_owned()));

    let expected = [
        "MaximumRetryAttempts needs provisioned mode: set ProvisionedPollerConfig",
        "MaximumRecordAgeInSeconds needs provisioned mode: set ProvisionedPollerConfig",
        "BisectBatchOnFunctionError needs provisioned mode: set ProvisionedPollerConfig",
        "FunctionResponseTypes needs provisioned mode: set ProvisionedPollerConfig",
        "DestinationConfig.OnFailure with a Kafka topic needs provisioned mode: set ProvisionedPollerConfig",
    ];
    assert_eq!(faults(settings), expected);
}

#[test]
fn on_demand_mode_has_batches_windows_filters_and_other_destinations() {
    let mut settings = on_demand();
    settings.batch_size = Some(10_000);
    settings.maximum_batching_window_in_seconds = Some(300);
    settings.on_failure = Some(OnFailure::Sqs("arn".to_owned()));
    settings.filter_criteria = Some(std::sync::Arc::new(|_: Option<&[u8]>| true));

    assert!(settings.check().is_ok());
}

#[test]
fn numbers_out_of_range_are_named_with_their_range() {
    let mut settings = settings();
    settings.batch_size = Some(0);
    settings.maximum_batching_window_in_seconds = Some(301);
    settings.maximum_retry_attempts = Some(-2);
    settings.maximum_record_age_in_seconds = Some(59);
    settings.provisioned_poller_config = Some(ProvisionedPollers {
        minimum: Some(201),
        maximum: Some(0),
        group: None,
    });

    let expected = [
        "BatchSize is 0: Lambda allows 1 to 10000",
        "MaximumBatchingWindowInSeconds is 301: Lambda allows 0 to 300",
        "MaximumRetryAttempts is -2: Lambda allows -1 (infinite), 0 to 10000",
        "MaximumRecordAgeInSeconds is 59: Lambda allows -1 (infinite), 60 to 604800",
        "ProvisionedPollerConfig.MinimumPollers is 201: Lambda allows 1 to 200",
        "ProvisionedPollerConfig.MaximumPollers is 0: Lambda allows 1 to 2000",
        "ProvisionedPollerConfig.MinimumPollers is 201, above MaximumPollers 0",
    ];
    assert_eq!(faults(settings), expected);
}

#[test]
fn the_ends_of_the_ranges_are_allowed() {
    for (size, window, attempts, age) in [
        (1, 0, -1, -1),
        (10_000, 300, 10_000, 604_800),
        (1, 0, 0, 60),
    ] {
        let mut settings = settings();
        settings.batch_size = Some(size);
        settings.maximum_batching_window_in_seconds = Some(window);
        settings.maximum_retry_attempts = Some(attempts);
        settings.maximum_record_age_in_seconds = Some(age);

        assert!(settings.check().is_ok());
    }
}

#[test]
fn queue_mode_is_for_self_managed_clusters_and_has_no_window() {
    let mut settings = settings();
    settings.consumption_mode = ConsumptionMode::Queue;
    settings.maximum_batching_window_in_seconds = Some(1);

    let expected = [
        "ConsumptionMode is Queue: Lambda has it for self-managed clusters only",
        "MaximumBatchingWindowInSeconds does not apply when ConsumptionMode is Queue: leave it out",
    ];
    assert_eq!(faults(settings), expected);
}

#[test]
fn a_destination_is_not_the_topic_that_is_read() {
    let mut settings = settings();
    settings.on_failure = Some(OnFailure::Kafka("orders".to_owned()));
    settings.consumer_group_id = Some(String::new());

    let expected = [
        "ConsumerGroupId is empty: name a group, or leave it out",
        "DestinationConfig.OnFailure is kafka://orders, the topic that is read: name another",
    ];
    assert_eq!(faults(settings), expected);
}

#[test]
fn pollers_are_capped_at_the_partitions() {
    let mut settings = settings();
    let mut pollers = |minimum, maximum, partitions| {
        settings.provisioned_poller_config = Some(ProvisionedPollers {
            minimum,
            maximum,
            group: None,
        });
        settings.pollers(partitions)
    };

    assert_eq!(pollers(Some(2), Some(8), 5), 2..=5);
    assert_eq!(pollers(Some(4), Some(8), 3), 3..=3);
    assert_eq!(pollers(None, None, 300), 1..=200);
    assert_eq!(on_demand().pollers(9), 1..=1);
}
