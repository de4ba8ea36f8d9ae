//! The mapping's settings from a SAM or CloudFormation template, for `cargo msk dev --template`: flags win over them.

mod batches;
mod function;
mod mapping;
mod node;
mod property;
mod resolve;
mod schemas;
mod spelling;
mod target;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use self::mapping::Mapping;
use self::property::Properties;
use self::resolve::Resolver;
use super::args::Args;
use super::flags::names;
use super::flags::settings::Settings;
use crate::fault::{Fault, warn};
use crate::flags::timeout;

/// CloudFormation's own limit.
const TEMPLATE_MAX_BYTES: u64 = 1_000_000;

/// The arguments with what the template adds to them. A warning names each value that only a stack has.
pub(crate) fn complete(args: &Args) -> Result<Args, Fault> {
    let mut args = args.clone();
    if let Some(path) = args.template.template.clone() {
        let text = read(&path)?;
        let remarks = apply(&mut args, &text, &path.display().to_string())?;
        remarks.iter().for_each(|remark| warn(remark));
    }
    if let Some(remark) = args.timeout.and_then(timeout::remark) {
        warn(&remark);
    }
    Ok(args)
}

fn read(path: &Path) -> Result<String, Fault> {
    let fault = |why: String| {
        Fault::new(format!("cannot read {}", path.display()))
            .at(why)
            .help("give --template a file such as template.yaml")
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(TEMPLATE_MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| fault(error.to_string()))?;
    if text.len() as u64 > TEMPLATE_MAX_BYTES {
        return Err(fault(format!(
            "expected at most {TEMPLATE_MAX_BYTES} bytes, CloudFormation's limit, found more"
        )));
    }
    Ok(text)
}

/// Adds what the template says and no flag does; what is left out comes back, a line each.
fn apply(args: &mut Args, text: &str, file: &str) -> Result<Vec<String>, Fault> {
    let chosen = args.template.clone();
    let root = node::parse(text, file)?;
    let resolver = Resolver::new(&root, file, &chosen.parameters)?;
    let mappings = mapping::all(&resolver)?;
    let loops = loops(&root, file);
    let mapping = mapping::choose(
        mappings,
        file,
        chosen.function_name.as_deref(),
        &args.topics,
    )
    .map_err(|fault| loops.iter().fold(fault, Fault::at))?;
    let mut properties = Properties {
        resolver: &resolver,
        path: mapping.path.clone(),
        remarks: loops,
    };
    spelling::check_mapping(&mut properties, mapping.properties, mapping.kind)?;
    args.settings.by_template = places(&args.settings, &mapping, &resolver);
    take_topic(args, &mapping, &resolver)?;
    take_group(args, &mut properties, &mapping)?;
    take_source(&mut args.settings, &mut properties, &mapping)?;
    batches::take_batches(&mut args.settings, &mut properties, mapping.properties)?;
    batches::take_failures(&mut args.settings, &mut properties, mapping.properties)?;
    schemas::take(
        &mut args.settings.schemas,
        &mut properties,
        mapping.properties,
    )?;
    batches::name_the_rest(&mut properties, mapping.properties);
    if let Some(function) = mapping.function {
        function::take(args, &mut properties, function)?;
    } else {
        let unread = mapping.unread.as_deref().unwrap_or("missing");
        let remark = function::remark_of_none(args, unread);
        properties.remarks.push(remark);
    }
    Ok(properties.remarks)
}

/// A line for each `Fn::ForEach`: what it would make is not there.
fn loops(root: &node::Node, file: &str) -> Vec<String> {
    let line = |(line, name): (usize, String)| {
        format!(
            "not expanded: {name} ({file}, line {line}): cargo msk dev does not expand AWS::LanguageExtensions; \
             give the processed template: aws cloudformation get-template --template-stage Processed"
        )
    };
    spelling::loops(root).into_iter().map(line).collect()
}

/// Where the template has the settings that no flag gives: what Lambda would refuse is named by its line.
fn places(
    settings: &Settings,
    mapping: &Mapping<'_>,
    resolver: &Resolver<'_>,
) -> Vec<(&'static str, String)> {
    let mode = ["SelfManagedKafkaEventSourceConfig", "ConsumptionMode"];
    let registry = schemas::path(mapping.properties);
    let of_template = settings.flags().into_iter().filter(|(.., given)| !given);
    let place = |(setting, ..): (&'static str, &str, bool)| {
        let keys: Vec<&str> = match setting {
            "ConsumptionMode" => mode.to_vec(),
            setting if setting.starts_with(schemas::CONFIG) => {
                let below = setting.split('.').skip(1);
                registry
                    .iter()
                    .flat_map(|path| path.iter().copied())
                    .chain(below)
                    .collect()
            }
            setting => setting.split('.').collect(),
        };
        let node = mapping.properties.at(&keys)?;
        Some((setting, resolver.place(node)))
    };
    of_template.filter_map(place).collect()
}

fn take_topic(
    args: &mut Args,
    mapping: &Mapping<'_>,
    resolver: &Resolver<'_>,
) -> Result<(), Fault> {
    if !args.topics.is_empty() {
        return Ok(());
    }
    let fault = |why: String| {
        Fault::new(format!("cannot tell the topic of {}", mapping.name)).at(format!(
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
    args: &mut Args,
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

/// Only what the event says of the cluster: a local run reaches it by `--bootstrap`, or not at all.
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
    let (flag, form) = ("--event-source-arn", "the ARN of an MSK cluster");
    let read = |text: &str| names::arn(text).ok();
    for key in ["Stream", "EventSourceArn"] {
        if let Some(arn) = properties.text(mapping.properties, &[key], flag, form, read)? {
            settings.event_source_arn = Some(arn);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
