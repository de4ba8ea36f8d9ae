//! The mappings of Kafka topics that a template has, and the one that is meant.

use serde_json::Value;

use super::node::Node;
use super::resolve::{Needs, Resolver, Stop};
use super::spelling::MappingKind;
use super::target::{Function, Target};
use crate::fault::Fault;

/// An event source mapping, as a function's event or as a resource.
#[derive(Debug)]
pub(crate) struct Mapping<'a> {
    /// `Function.Records`, or a resource's logical ID.
    pub(crate) name: String,
    /// Where its properties stand: `Resources.Function.Properties.Events.Records.Properties`.
    pub(crate) path: String,
    pub(crate) properties: &'a Node,
    /// Whether the cluster is one of your own.
    pub(crate) self_managed: bool,
    /// None: no function of this template, or none that could be found.
    pub(crate) function: Option<Function<'a>>,
    /// The `FunctionName` that leads to no function of this template. None: it was followed.
    pub(crate) unread: Option<String>,
    /// The kind of thing that has these properties.
    pub(crate) kind: MappingKind,
    pub(crate) topic: Result<Option<String>, Needs>,
}

/// Every mapping of a topic whose resource is there.
pub(crate) fn all<'a>(resolver: &Resolver<'a>) -> Result<Vec<Mapping<'a>>, Fault> {
    let resources = resolver
        .root()
        .get("Resources")
        .map(Node::entries)
        .unwrap_or(&[]);
    let mut found = Vec::new();
    for (id, resource) in resources {
        let kind = resource.get("Type").and_then(Node::text);
        let Some(properties) = resource.get("Properties") else {
            continue;
        };
        match resolver.exists(resource) {
            // What cannot be told may be there.
            Ok(true) | Err(Stop::Needs(_)) => {}
            Ok(false) => continue,
            Err(Stop::Wrong(fault)) => return Err(fault.at(format!("Resources.{id}.Condition"))),
        }
        match kind {
            Some("AWS::Serverless::Function") => {
                let function = Function { id, resource };
                found.extend(events(resolver, function, properties)?);
            }
            Some("AWS::Lambda::EventSourceMapping") if reads_a_topic(properties) => {
                let path = format!("Resources.{id}.Properties");
                let name = properties.get("FunctionName");
                let target = name.map_or_else(Target::default, |name| Target::of(resolver, name));
                found.push(Mapping {
                    name: id.clone(),
                    topic: topic(resolver, properties, &path)?,
                    path,
                    properties,
                    self_managed: properties.get("SelfManagedEventSource").is_some(),
                    function: target.function,
                    unread: target.unread,
                    kind: MappingKind::Resource,
                });
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Other mappings read queues and streams.
fn reads_a_topic(properties: &Node) -> bool {
    [
        "Topics",
        "SelfManagedEventSource",
        "AmazonManagedKafkaEventSourceConfig",
    ]
    .iter()
    .any(|key| properties.get(key).is_some())
}

fn events<'a>(
    resolver: &Resolver<'a>,
    function: Function<'a>,
    properties: &'a Node,
) -> Result<Vec<Mapping<'a>>, Fault> {
    let mut found = Vec::new();
    for (event, node) in properties.get("Events").map(Node::entries).unwrap_or(&[]) {
        let self_managed = match node.get("Type").and_then(Node::text) {
            Some("MSK") => false,
            Some("SelfManagedKafka") => true,
            _ => continue,
        };
        let path = format!(
            "Resources.{}.Properties.Events.{event}.Properties",
            function.id
        );
        let Some(properties) = node.get("Properties") else {
            return Err(Fault::new(format!(
                "expected properties of the event {event}, found none"
            ))
            .at(format!("{}: {path}", resolver.place(node)))
            .help("add Topics at least"));
        };
        found.push(Mapping {
            name: format!("{}.{event}", function.id),
            topic: topic(resolver, properties, &path)?,
            path,
            properties,
            self_managed,
            function: Some(function),
            unread: None,
            kind: if self_managed {
                MappingKind::SelfManagedEvent
            } else {
                MappingKind::MskEvent
            },
        });
    }
    Ok(found)
}

fn topic<'a>(
    resolver: &Resolver<'a>,
    properties: &'a Node,
    path: &str,
) -> Result<Result<Option<String>, Needs>, Fault> {
    let Some(node) = properties.get("Topics") else {
        return Ok(Ok(None));
    };
    let wrong = || {
        Fault::new("expected a list of one topic in Topics, found another value")
            .at(format!("{}: {path}.Topics", resolver.place(node)))
            .help("write a list of one topic: Topics: [orders]")
    };
    match resolver.value(node) {
        Ok(Value::Array(topics)) => match &topics[..] {
            [Value::String(topic)] => Ok(Ok(Some(topic.clone()))),
            _ => Err(wrong()),
        },
        Ok(Value::Null) => Ok(Ok(None)),
        Ok(_) => Err(wrong()),
        Err(Stop::Needs(needs)) => Ok(Err(needs)),
        Err(Stop::Wrong(fault)) => Err(fault.at(format!("{path}.Topics"))),
    }
}

/// The mapping that the flags mean.
///
/// # Errors
///
/// If there is none, or more than one: with the list of what there is.
pub(crate) fn choose<'a>(
    mappings: Vec<Mapping<'a>>,
    file: &str,
    function: Option<&str>,
    topics: &[String],
) -> Result<Mapping<'a>, Fault> {
    let list = |fault: Fault, mappings: &[Mapping<'_>]| {
        mappings
            .iter()
            .fold(fault, |fault, mapping| fault.at(mapping.line()))
    };
    let (mut left, others): (Vec<_>, Vec<_>) = mappings.into_iter().partition(|mapping| {
        function.is_none_or(|id| mapping.function.is_some_and(|function| function.id == id))
    });
    if let (true, Some(id)) = (left.is_empty() && !others.is_empty(), function) {
        let fault = Fault::new(format!(
            "expected a function {id} that reads a topic in {file}, found none"
        ));
        return Err(
            list(fault, &others).help("give --function-name the logical ID of one of these")
        );
    }
    // A flag's topic chooses; with nothing to choose it wins.
    if left.len() > 1 && !topics.is_empty() {
        let reads = |mapping: &Mapping<'_>| matches!(&mapping.topic, Ok(Some(topic)) if topics.contains(topic));
        let (matching, others): (Vec<_>, Vec<_>) = left.into_iter().partition(reads);
        if matching.is_empty() {
            let fault = Fault::new(format!(
                "expected a mapping in {file} that reads {}, found none",
                topics.join(" or ")
            ));
            return Err(list(fault, &others)
                .help("give --topic one of these topics, or choose with --function-name"));
        }
        left = matching;
    }
    match (left.pop(), left.is_empty()) {
        (Some(mapping), true) => Ok(mapping),
        (Some(mapping), false) => {
            left.push(mapping);
            let fault = Fault::new(format!("expected one mapping of a topic in {file}, found several"));
            Err(list(fault, &left).help("choose one with --topic TOPIC or --function-name LOGICAL_ID"))
        }
        (None, _) => Err(Fault::new(format!("expected a mapping of a topic in {file}, found none")).help(
            "add a function's event of the type MSK or SelfManagedKafka, or an AWS::Lambda::EventSourceMapping with Topics",
        )),
    }
}

impl Mapping<'_> {
    fn line(&self) -> String {
        let topic = match &self.topic {
            Ok(Some(topic)) => topic,
            Ok(None) => "no topic",
            Err(needs) => &needs.what,
        };
        match self.function {
            Some(function) if !self.name.starts_with(&format!("{}.", function.id)) => {
                format!("{} of {} reads {topic}", self.name, function.id)
            }
            _ => format!("{} reads {topic}", self.name),
        }
    }
}
