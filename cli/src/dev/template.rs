//! The mapping's settings from a SAM or CloudFormation template, for `cargo msk dev --template`: flags win over them.

mod mapping;
mod node;
mod property;
mod resolve;

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

use self::mapping::{Function, Mapping};
use self::node::Node;
use self::property::Properties;
use self::resolve::Resolver;
use super::settings::{ResponseType, Settings};
use crate::fault::{Fault, warn};
use crate::invoke;

/// CloudFormation's own limit.
const TEMPLATE_MAX_BYTES: u64 = 1_000_000;
/// Lambda's bounds of a function's time-out.
const TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=900;
/// Lambda's time-out of a function whose template has none.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

/// Which template is read, and how.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Template")]
pub(crate) struct Chosen {
    /// Take topic, group, mapping, time-out and environment from a SAM or CloudFormation template. Flags win over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// A parameter of the template, in place of its default; AWS::StackName and the like too.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = invoke::variable, requires = "template")]
    pub(crate) parameters: Vec<(String, String)>,
    /// The function whose mapping is meant, by its logical ID in the template.
    #[arg(long, value_name = "LOGICAL_ID", requires = "template")]
    pub(crate) function_name: Option<String>,
}

/// The arguments with what the template adds to them. What it cannot tell on a desk is warned of.
pub(crate) fn complete(args: &super::Args) -> Result<super::Args, Fault> {
    let mut args = args.clone();
    if let Some(path) = args.template.template.clone() {
        let text = read(&path)?;
        let remarks = apply(&mut args, &text, &path.display().to_string())?;
        remarks.iter().for_each(|remark| warn(remark));
    }
    Ok(args)
}

fn read(path: &Path) -> Result<String, Fault> {
    let fault = |why: String| {
        Fault::new(format!("cannot read {}", path.display()))
            .at(why)
            .help("give --template a file such as template.yaml")
    };
    let size = fs::metadata(path)
        .map_err(|error| fault(error.to_string()))?
        .len();
    if size > TEMPLATE_MAX_BYTES {
        return Err(fault(format!(
            "it has {size} bytes; CloudFormation takes {TEMPLATE_MAX_BYTES}"
        )));
    }
    fs::read_to_string(path).map_err(|error| fault(error.to_string()))
}

/// Adds what the template says and no flag does; what is left out comes back, a line each.
fn apply(args: &mut super::Args, text: &str, file: &str) -> Result<Vec<String>, Fault> {
    let chosen = args.template.clone();
    let root = node::parse(text, file)?;
    let resolver = Resolver::new(&root, file, &chosen.parameters)?;
    let mappings = mapping::all(&resolver)?;
    let mapping = mapping::choose(
        mappings,
        file,
        chosen.function_name.as_deref(),
        &args.topics,
    )?;
    let mut properties = Properties {
        resolver: &resolver,
        path: mapping.path.clone(),
        remarks: Vec::new(),
    };
    take_topic(args, &mapping, &resolver)?;
    take_group(args, &mut properties, &mapping)?;
    take_source(&mut args.settings, &mut properties, &mapping)?;
    take_batches(&mut args.settings, &mut properties, mapping.properties)?;
    take_failures(&mut args.settings, &mut properties, mapping.properties)?;
    name_the_rest(&mut properties, mapping.properties);
    if let Some(function) = mapping.function {
        take_function(args, &mut properties, function)?;
    }
    Ok(properties.remarks)
}

fn take_topic(
    args: &mut super::Args,
    mapping: &Mapping<'_>,
    resolver: &Resolver<'_>,
) -> Result<(), Fault> {
    if !args.topics.is_empty() {
        return Ok(());
    }
    let fault = |why: String| {
        Fault::new(format!("the topic of {} is not known here", mapping.name)).at(format!(
            "{}: {}.Topics {why}",
            resolver.place(mapping.properties),
            mapping.path
        ))
    };
    match &mapping.topic {
        Ok(Some(topic)) => args.topics.push(topic.clone()),
        Ok(None) => return Err(fault("is missing".to_owned()).help("give --topic TOPIC")),
        Err(needs) => {
            let or = needs.parameter.as_ref();
            let or = or.map_or_else(String::new, |name| format!(", or --parameter {name}=…"));
            return Err(
                fault(format!("needs {}", needs.what)).help(format!("give --topic TOPIC{or}"))
            );
        }
    }
    Ok(())
}

/// Its place in a function's event and, by the kind of cluster, in a resource.
fn take_group<'a>(
    args: &mut super::Args,
    properties: &mut Properties<'_, 'a>,
    mapping: &Mapping<'a>,
) -> Result<(), Fault> {
    for keys in [
        &["ConsumerGroupId"][..],
        &["AmazonManagedKafkaEventSourceConfig", "ConsumerGroupId"],
        &["SelfManagedKafkaEventSourceConfig", "ConsumerGroupId"],
    ] {
        if args.group.is_none() {
            let some = |text: &str| Some(text.to_owned());
            args.group = properties.text(mapping.properties, keys, "--group", "a text", some)?;
        }
    }
    Ok(())
}

/// Only what the event says of the cluster: a desk reaches it as `--bootstrap` says, or not at all.
fn take_source<'a>(
    settings: &mut Settings,
    properties: &mut Properties<'_, 'a>,
    mapping: &Mapping<'a>,
) -> Result<(), Fault> {
    if settings.self_managed || settings.event_source_arn.is_some() {
        return Ok(());
    }
    if mapping.self_managed {
        settings.self_managed = true;
        return Ok(());
    }
    let some = |text: &str| Some(text.to_owned());
    for key in ["Stream", "EventSourceArn"] {
        let flag = "--event-source-arn";
        if let Some(arn) = properties.text(mapping.properties, &[key], flag, "an ARN", some)? {
            settings.event_source_arn = Some(arn);
        }
    }
    Ok(())
}

fn take_batches<'a>(
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
        settings.filter_criteria = criteria.map(|criteria| criteria.to_string());
    }
    if settings.pollers.is_none() && !settings.on_demand {
        let provisioned = properties.node(below, &["ProvisionedPollerConfig"], "--pollers")?;
        settings.on_demand =
            provisioned.is_none() && !mentions(properties, "ProvisionedPollerConfig");
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

/// Whether the last remark is about this property: then it is there, only not to be told.
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

fn take_failures<'a>(
    settings: &mut Settings,
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
) -> Result<(), Fault> {
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
    if !settings.bisect_batch_on_function_error {
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
    if settings.on_failure.is_none() {
        let flag = "--on-failure";
        let keys = ["DestinationConfig", "OnFailure", "Destination"];
        let some = |text: &str| Some(text.to_owned());
        match properties.text(below, &keys, flag, "a destination", some)? {
            Some(topic) if topic.starts_with("kafka://") => settings.on_failure = Some(topic),
            Some(_) => properties.leave(
                "DestinationConfig",
                "a destination in AWS",
                "give --on-failure file:PATH to see what would go there",
            ),
            None => {}
        }
    }
    Ok(())
}

fn response_types(
    properties: &Properties<'_, '_>,
    below: &Node,
    types: &Value,
) -> Result<Option<ResponseType>, Fault> {
    match types.as_array().map(Vec::as_slice) {
        Some([]) => Ok(None),
        Some([Value::String(only)]) if only == "ReportBatchItemFailures" => {
            Ok(Some(ResponseType::ReportBatchItemFailures))
        }
        _ => {
            let node = below.get("FunctionResponseTypes").unwrap_or(below);
            let place = properties.resolver.place(node);
            Err(Fault::new(format!("FunctionResponseTypes is {types}"))
                .at(format!(
                    "{place}: {}.FunctionResponseTypes",
                    properties.path
                ))
                .help("it takes [ReportBatchItemFailures], or is left out"))
        }
    }
}

/// What a mapping may have besides, and that no flag gives.
fn name_the_rest(properties: &mut Properties<'_, '_>, below: &Node) {
    for (name, why, flag) in [
        (
            &["SourceAccessConfigurations"][..],
            "secrets and subnets of the account",
            "give --set for a cluster that asks for them",
        ),
        (
            &["SchemaRegistryConfig"],
            "cargo msk dev asks no schema registry",
            "records come as they are in the topic",
        ),
        (
            &[
                "AmazonManagedKafkaEventSourceConfig",
                "SchemaRegistryConfig",
            ],
            "cargo msk dev asks no schema registry",
            "records come as they are in the topic",
        ),
        (
            &["SelfManagedKafkaEventSourceConfig", "SchemaRegistryConfig"],
            "cargo msk dev asks no schema registry",
            "records come as they are in the topic",
        ),
    ] {
        if below.at(name).is_some() {
            properties.leave(&name.join("."), why, flag);
        }
    }
    let mode = ["SelfManagedKafkaEventSourceConfig", "ConsumptionMode"];
    if below
        .at(&mode)
        .is_some_and(|mode| mode.text() != Some("Stream"))
    {
        let why = "cargo msk dev reads with a consumer group";
        properties.leave(&mode.join("."), why, "`cargo msk simulate` has Queue mode");
    }
}

/// Its time-out, its environment and the binary that is shipped as it.
fn take_function<'a>(
    args: &mut super::Args,
    properties: &mut Properties<'_, 'a>,
    function: Function<'a>,
) -> Result<(), Fault> {
    let serverless =
        function.resource.get("Type").and_then(Node::text) == Some("AWS::Serverless::Function");
    let globals = properties.resolver.root().at(&["Globals", "Function"]);
    let globals = globals
        .filter(|_| serverless)
        .map(|node| ("Globals.Function".to_owned(), node));
    let own = function.resource.get("Properties");
    let own = own.map(|node| (format!("Resources.{}.Properties", function.id), node));
    let mut variables = Vec::new();
    let mut timeout = None;
    let mut left_out = false;
    for (path, node) in globals.into_iter().chain(own) {
        properties.path = path;
        if args.timeout.is_none() && node.get("Timeout").is_some() {
            let remarks = properties.remarks.len();
            let form = "1 to 900 seconds";
            timeout = properties.text(node, &["Timeout"], "--timeout", form, seconds)?;
            left_out = properties.remarks.len() > remarks;
        }
        take_variables(properties, node, &args.env, &mut variables)?;
    }
    if args.timeout.is_none() && !left_out {
        args.timeout = timeout.or(Some(TIMEOUT_DEFAULT));
    }
    // Ahead of the flags': the last of a name counts.
    variables.append(&mut args.env);
    args.env = variables;
    let binary = function
        .resource
        .at(&["Metadata", "BuildProperties", "Binary"]);
    if args.bin.is_none() && args.function.is_none() {
        args.bin = binary.and_then(Node::text).map(str::to_owned);
    }
    Ok(())
}

/// As Lambda bounds a time-out.
fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.parse().ok()?;
    TIMEOUT_SECONDS
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

fn take_variables<'a>(
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
    given: &[(String, String)],
    variables: &mut Vec<(String, String)>,
) -> Result<(), Fault> {
    let Some(node) = properties.node(below, &["Environment", "Variables"], "--env")? else {
        return Ok(());
    };
    properties.path += ".Environment.Variables";
    for (name, _) in node.entries() {
        if given.iter().any(|(given, _)| given == name) {
            continue;
        }
        // Of the two places the function's own counts, even if it is left out.
        variables.retain(|(known, _)| known != name);
        let flag = format!("--env {name}=…");
        match properties.value(node, &[name], &flag)? {
            Some(Value::String(text)) => variables.push((name.clone(), text)),
            Some(_) => {
                let line = node.get(name).unwrap_or(node);
                // Not shown: it may be a secret.
                return Err(Fault::new(format!("the variable {name} is no text"))
                    .at(format!(
                        "{}: {}.{name}",
                        properties.resolver.place(line),
                        properties.path
                    ))
                    .help(format!("correct it there, or give {flag}")));
            }
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
