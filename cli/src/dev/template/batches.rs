//! A mapping's settings for batches, retries and what is given up, as flags would set them.

use clap::ValueEnum;
use msk_mapping::limits::RETRY_ATTEMPTS_WITH_DESTINATION;
use serde_json::Value;

use super::node::Node;
use super::property::Properties;
use crate::dev::flags::settings::{Mode, Settings};
use crate::fault::Fault;
use crate::flags::response_types::ResponseTypes;

/// How records become batches, and how many pollers read them.
pub(crate) fn take_batches<'a>(
    settings: &mut Settings,
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
) -> Result<(), Fault> {
    let numbers = [
        ("BatchSize", "--batch-size", &mut settings.batch_size),
        (
            "MaximumBatchingWindowInSeconds",
            "--maximum-batching-window-in-seconds",
            &mut settings.maximum_batching_window_in_seconds,
        ),
    ];
    take_numbers(properties, below, numbers)?;
    if settings.starting_position.is_none() {
        let flag = "--starting-position";
        let form = "TRIM_HORIZON, LATEST or AT_TIMESTAMP";
        let start = |text: &str| ValueEnum::from_str(text, false).ok();
        settings.starting_position =
            properties.text(below, &["StartingPosition"], flag, form, start)?;
        if settings.starting_position_timestamp.is_none() {
            let flag = "--starting-position-timestamp";
            let some = |text: &str| Some(text.to_owned());
            settings.starting_position_timestamp =
                properties.text(below, &["StartingPositionTimestamp"], flag, "a time", some)?;
        }
    }
    if settings.filters.is_empty() && settings.filter_criteria.is_none() {
        let criteria = properties.value(below, &["FilterCriteria"], "--filter")?;
        settings.filter_of_template = criteria.is_some();
        settings.filter_criteria = criteria.map(|criteria| criteria.to_string());
    }
    if settings.consumption_mode.is_none() {
        let keys = ["SelfManagedKafkaEventSourceConfig", "ConsumptionMode"];
        let mode = |text: &str| ValueEnum::from_str(text, false).ok();
        let (flag, form) = ("--consumption-mode", "Stream or Queue");
        settings.consumption_mode = properties.text(below, &keys, flag, form, mode)?;
    }
    if settings.pollers.is_none() && !settings.on_demand {
        let provisioned = properties.node(below, &["ProvisionedPollerConfig"], "--pollers")?;
        settings.on_demand =
            provisioned.is_none() && !mentions(properties, "ProvisionedPollerConfig");
        settings.on_demand_by_template = settings.on_demand;
        let keys = ["ProvisionedPollerConfig", "MinimumPollers"];
        let number = |text: &str| {
            text.parse()
                .ok()
                .filter(|pollers| (1..=200).contains(pollers))
        };
        settings.pollers = properties.text(below, &keys, "--pollers", "1 to 200", number)?;
    }
    Ok(())
}

/// Whether a remark is about this property: then it is there, only not to be told.
fn mentions(properties: &Properties<'_, '_>, name: &str) -> bool {
    let start = format!("left out: {name} ");
    properties
        .remarks
        .iter()
        .any(|remark| remark.starts_with(&start))
}

fn take_numbers<'a, const N: usize>(
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
    numbers: [(&str, &str, &mut Option<i64>); N],
) -> Result<(), Fault> {
    for (name, flag, number) in numbers {
        if number.is_none() {
            let whole = |text: &str| text.parse().ok();
            *number = properties.text(below, &[name], flag, "a whole number", whole)?;
        }
    }
    Ok(())
}

/// What comes of a batch that fails.
pub(crate) fn take_failures<'a>(
    settings: &mut Settings,
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
) -> Result<(), Fault> {
    let attempts_by_flag = settings.maximum_retry_attempts.is_some();
    let numbers = [
        (
            "MaximumRetryAttempts",
            "--maximum-retry-attempts",
            &mut settings.maximum_retry_attempts,
        ),
        (
            "MaximumRecordAgeInSeconds",
            "--maximum-record-age-in-seconds",
            &mut settings.maximum_record_age_in_seconds,
        ),
    ];
    take_numbers(properties, below, numbers)?;
    if !settings.bisect_batch_on_function_error && !settings.no_bisect_batch_on_function_error {
        let flag = "--bisect-batch-on-function-error";
        let truth = |text: &str| text.to_ascii_lowercase().parse().ok();
        let bisect = properties.text(
            below,
            &["BisectBatchOnFunctionError"],
            flag,
            "true or false",
            truth,
        )?;
        settings.bisect_batch_on_function_error = bisect.unwrap_or(false);
    }
    if settings.function_response_types.is_none() {
        let flag = "--function-response-types";
        let types = properties.value(below, &["FunctionResponseTypes"], flag)?;
        settings.function_response_types = types
            .map(|types| response_types(properties, below, &types))
            .transpose()?
            .flatten();
    }
    take_destination(settings, properties, below, attempts_by_flag)
}

/// Where records go that are given up, if that is a topic of the cluster.
fn take_destination<'a>(
    settings: &mut Settings,
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
    attempts_by_flag: bool,
) -> Result<(), Fault> {
    if settings.on_failure.is_some() {
        return Ok(());
    }
    let flag = "--on-failure";
    let keys = ["DestinationConfig", "OnFailure", "Destination"];
    let some = |text: &str| Some(text.to_owned());
    let before = properties.remarks.len();
    match properties.text(below, &keys, flag, "a destination", some)? {
        Some(topic) if topic.starts_with("kafka://") => settings.on_failure = Some(topic),
        Some(_) => properties.leave(
            "DestinationConfig",
            "a destination in AWS",
            "give --on-failure file:PATH to see what would be sent there",
        ),
        None => {}
    }
    let is_left_out = properties.remarks.len() > before;
    let for_ever = match settings.maximum_retry_attempts {
        None => settings.consumption_mode != Some(Mode::Queue),
        Some(attempts) => attempts == -1,
    };
    if is_left_out && for_ever && !attempts_by_flag {
        keep_attempts(settings, properties);
    }
    Ok(())
}

/// With a destination Lambda tries for ever ten times. That is not to change because the destination is left out.
fn keep_attempts(settings: &mut Settings, properties: &mut Properties<'_, '_>) {
    let Some(remark) = properties.remarks.last_mut() else {
        return;
    };
    if settings.on_demand {
        *remark += &format!(
            "; without one a failed batch is retried without limit, not {RETRY_ATTEMPTS_WITH_DESTINATION} times"
        );
        return;
    }
    settings.maximum_retry_attempts = Some(i64::from(RETRY_ATTEMPTS_WITH_DESTINATION));
    *remark += &format!(
        "; a failed batch is retried {RETRY_ATTEMPTS_WITH_DESTINATION} times, as Lambda does with one"
    );
}

fn response_types(
    properties: &Properties<'_, '_>,
    below: &Node,
    types: &Value,
) -> Result<Option<ResponseTypes>, Fault> {
    match types.as_array().map(Vec::as_slice) {
        Some([]) => Ok(Some(ResponseTypes::None)),
        Some([Value::String(only)]) if only == "ReportBatchItemFailures" => {
            Ok(Some(ResponseTypes::ReportBatchItemFailures))
        }
        _ => {
            let node = below.get("FunctionResponseTypes").unwrap_or(below);
            let place = properties.resolver.place(node);
            Err(Fault::new(format!(
                "expected [ReportBatchItemFailures] in FunctionResponseTypes, found {types}"
            ))
            .at(format!(
                "{place}: {}.FunctionResponseTypes",
                properties.path
            ))
            .help("correct it, or leave it out"))
        }
    }
}

/// What a mapping may have besides, and that no flag gives.
pub(crate) fn name_the_rest(properties: &mut Properties<'_, '_>, below: &Node) {
    let name = "SourceAccessConfigurations";
    if below.get(name).is_some() {
        let why = "secrets and subnets of the account";
        properties.leave(name, why, "give --set for a cluster that needs them");
    }
}
