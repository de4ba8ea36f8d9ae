//! What of a template flags turn, and what of it stands without them.

use std::time::Duration;

use super::{completed, function, partial};
use crate::dev::flags::settings::Mode;
use crate::dev::flags::start::Start;

#[test]
fn flags_win_over_the_template_and_silence_its_remarks() {
    let template = function(
        "BatchSize: 7\nConsumerGroupId: theirs\nStartingPosition: LATEST\n\
         DestinationConfig: {OnFailure: {Destination: !GetAtt Bucket.Arn}}",
    );
    let flags = [
        "--topic",
        "other",
        "--batch-size",
        "9",
        "--group",
        "mine",
        "--starting-position",
        "TRIM_HORIZON",
        "--on-failure",
        "file:x",
        "--timeout",
        "9s",
        "--pollers",
        "2",
    ];

    let (args, remarks) = completed(&template, &flags).unwrap();

    assert_eq!(args.topics, ["other"]);
    assert_eq!(args.settings.batch_size, Some(9));
    assert_eq!(args.group(), "mine");
    assert_eq!(args.settings.starting_position, Some(Start::TrimHorizon));
    assert_eq!(args.timeout, Some(Duration::from_secs(9)));
    assert_eq!(
        (args.settings.pollers, args.settings.on_demand),
        (Some(2), false)
    );
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn the_switches_of_a_template_are_turned_off_by_flags() {
    let template = function(
        "ProvisionedPollerConfig: {MinimumPollers: 1}\nBisectBatchOnFunctionError: true\n\
         FunctionResponseTypes: [ReportBatchItemFailures]",
    );
    let off = [
        "--no-bisect-batch-on-function-error",
        "--function-response-types",
        "[]",
    ];

    let (on, _) = completed(&template, &[]).unwrap();
    let (off, _) = completed(&template, &off).unwrap();

    assert!(on.settings.bisect_batch_on_function_error && partial(&on));
    assert!(!off.settings.bisect_batch_on_function_error && !partial(&off));
}

#[test]
fn a_share_group_is_read_as_the_template_says_unless_a_flag_does() {
    let template = function("SelfManagedKafkaEventSourceConfig: {ConsumptionMode: Queue}");
    let mode = |flags: &[&str]| {
        completed(&template, flags).map(|(args, remarks)| (args.settings.consumption_mode, remarks))
    };

    assert_eq!(mode(&[]), Ok((Some(Mode::Queue), vec![])));
    let stream = ["--consumption-mode", "Stream"];
    assert_eq!(mode(&stream), Ok((Some(Mode::Stream), vec![])));
}

#[test]
fn a_destination_that_is_left_out_does_not_change_how_often_a_batch_is_tried() {
    let destination = "DestinationConfig: {OnFailure: {Destination: !GetAtt Bucket.Arn}}";
    let provisioned = format!("ProvisionedPollerConfig: {{MinimumPollers: 1}}\n{destination}");
    let attempts = |properties: &str, flags: &[&str]| {
        let (args, remarks) = completed(&function(properties), flags).unwrap();
        (args.settings.maximum_retry_attempts, remarks.join("\n"))
    };

    let (kept, remark) = attempts(&provisioned, &[]);
    assert_eq!(kept, Some(10));
    assert!(
        remark.ends_with("; a failed batch is retried 10 times, as Lambda does with one"),
        "{remark}"
    );
    let (of_template, remark) = attempts(&format!("MaximumRetryAttempts: 3\n{provisioned}"), &[]);
    assert_eq!(of_template, Some(3));
    assert!(remark.ends_with("give --on-failure"), "{remark}");
    let (of_flag, _) = attempts(&provisioned, &["--maximum-retry-attempts", "-1"]);
    assert_eq!(of_flag, Some(-1));
    let queue =
        format!("SelfManagedKafkaEventSourceConfig: {{ConsumptionMode: Queue}}\n{provisioned}");
    assert_eq!(attempts(&queue, &[]).0, None);
    let (on_demand, remark) = attempts(destination, &[]);
    assert_eq!(on_demand, None);
    assert!(remark.ends_with("without limit, not 10 times"), "{remark}");
}
