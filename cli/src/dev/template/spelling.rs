//! The names of a mapping's properties: those that nothing reads are said, with the name that was meant. Called by `template`.

use super::node::{Kind, Node};
use super::property::Properties;
use crate::fault::Fault;

/// What has a mapping's properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MappingKind {
    MskEvent,
    SelfManagedEvent,
    Resource,
}

/// Properties of SAM's events and of the resource alike, as of November 2026.
const OF_ALL: &[&str] = &[
    "AmazonManagedKafkaEventSourceConfig",
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ProvisionedPollerConfig",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Topics",
];

/// Properties that a mapping may have, and that Lambda does nothing with for Kafka.
const OF_OTHER_SOURCES: &[&str] = &[
    "DocumentDBEventSourceConfig",
    "ParallelizationFactor",
    "Queues",
    "ScalingConfig",
    "TumblingWindowInSeconds",
];

impl MappingKind {
    fn name(self) -> &'static str {
        match self {
            Self::MskEvent => "an event of the type MSK",
            Self::SelfManagedEvent => "an event of the type SelfManagedKafka",
            Self::Resource => "AWS::Lambda::EventSourceMapping",
        }
    }

    fn own(self) -> &'static [&'static str] {
        match self {
            Self::MskEvent => &["ConsumerGroupId", "SchemaRegistryConfig", "Stream"],
            Self::SelfManagedEvent => &[
                "ConsumerGroupId",
                "KafkaBootstrapServers",
                "SchemaRegistryConfig",
            ],
            Self::Resource => &[
                "EventSourceArn",
                "FunctionName",
                "SelfManagedEventSource",
                "Tags",
            ],
        }
    }
}

const OF_A_REGISTRY: &[&str] = &[
    "AccessConfigs",
    "EventRecordFormat",
    "SchemaRegistryURI",
    "SchemaValidationConfigs",
];

/// The properties of what a mapping's own properties hold.
const BELOW: &[(&[&str], &[&str])] = &[
    (
        &["ProvisionedPollerConfig"],
        &["MaximumPollers", "MinimumPollers", "PollerGroupName"],
    ),
    (&["DestinationConfig"], &["OnFailure", "OnSuccess"]),
    // SAM's may have a type too.
    (
        &["DestinationConfig", "OnFailure"],
        &["Destination", "Type"],
    ),
    (
        &["AmazonManagedKafkaEventSourceConfig"],
        &["ConsumerGroupId", "SchemaRegistryConfig"],
    ),
    (
        &["SelfManagedKafkaEventSourceConfig"],
        &["ConsumerGroupId", "ConsumptionMode", "SchemaRegistryConfig"],
    ),
    (&["SchemaRegistryConfig"], OF_A_REGISTRY),
    (
        &[
            "AmazonManagedKafkaEventSourceConfig",
            "SchemaRegistryConfig",
        ],
        OF_A_REGISTRY,
    ),
    (
        &["SelfManagedKafkaEventSourceConfig", "SchemaRegistryConfig"],
        OF_A_REGISTRY,
    ),
];

/// The properties of a function that are read here. Of its many others only what is nearly one of these is said.
const OF_A_FUNCTION: &[&str] = &["Environment", "Timeout"];

/// Names what of a mapping nothing reads, and `Enabled: false`.
pub(crate) fn check_mapping<'a>(
    properties: &mut Properties<'_, 'a>,
    below: &'a Node,
    kind: MappingKind,
) -> Result<(), Fault> {
    let known: Vec<&str> = [OF_ALL, kind.own()].concat();
    for (name, node) in below.entries() {
        if OF_OTHER_SOURCES.contains(&&**name) {
            say(
                properties,
                node,
                &format!(
                    "{name} has no effect: Lambda reads this property for other sources than Kafka"
                ),
            );
        } else if !known.contains(&&**name) {
            unknown(properties, node, name, kind.name(), &known);
        }
    }
    for (path, known) in BELOW {
        for (name, node) in below.at(path).map(Node::entries).unwrap_or(&[]) {
            if !known.contains(&&**name) {
                unknown(properties, node, name, &path.join("."), known);
            }
        }
    }
    let truth = |text: &str| text.to_ascii_lowercase().parse().ok();
    // No flag gives it: what is not known here is taken for true.
    let remarks = properties.remarks.len();
    let enabled = properties.text(below, &["Enabled"], "", "true or false", truth)?;
    properties.remarks.truncate(remarks);
    if enabled == Some(false) {
        let node = below.get("Enabled").unwrap_or(below);
        say(
            properties,
            node,
            "Enabled is false: on Lambda this mapping reads nothing; cargo msk dev reads the topic anyway",
        );
    }
    Ok(())
}

/// Names what a function's time-out or environment was to be.
pub(crate) fn check_function<'a>(properties: &mut Properties<'_, 'a>, below: &'a Node) {
    for (name, node) in below.entries() {
        if !OF_A_FUNCTION.contains(&&**name) && nearest(name, OF_A_FUNCTION).is_some() {
            unknown(properties, node, name, "a function", OF_A_FUNCTION);
        }
    }
    for (name, node) in below.get("Environment").map(Node::entries).unwrap_or(&[]) {
        if name != "Variables" {
            unknown(properties, node, name, "Environment", &["Variables"]);
        }
    }
}

fn unknown(properties: &mut Properties<'_, '_>, node: &Node, name: &str, of: &str, known: &[&str]) {
    // Said by `extensions`.
    if name.starts_with("Fn::ForEach::") {
        return;
    }
    let meant = nearest(name, known)
        .or_else(|| alike(name, known))
        .map_or_else(String::new, |known| format!("; did you mean {known}?"));
    say(
        properties,
        node,
        &format!("{name} is not a property of {of}, and has no effect on AWS{meant}"),
    );
}

fn say(properties: &mut Properties<'_, '_>, node: &Node, text: &str) {
    let place = properties.resolver.place(node);
    properties.remarks.push(format!("{text} ({place})"));
}

/// The name that differs in the size of letters, or in a letter or two.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    const EDITS_MAX: usize = 2;
    let lower = name.to_ascii_lowercase();
    let edits = |known: &&&str| edits(&lower, &known.to_ascii_lowercase());
    let best = known.iter().min_by_key(edits)?;
    (edits(&best) <= EDITS_MAX).then_some(*best)
}

/// The name that begins alike, for more than half of what was written.
fn alike<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let common = |known: &&&str| {
        let same = name
            .bytes()
            .zip(known.bytes())
            .take_while(|(one, other)| one.eq_ignore_ascii_case(other));
        same.count()
    };
    let best = known.iter().max_by_key(common)?;
    (2 * common(&best) > name.len()).then_some(*best)
}

/// Letters that are put in, taken out or exchanged on the way from one word to the other.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.chars().enumerate() {
        let mut diagonal = above[0];
        above[0] = row + 1;
        for (column, wanted) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != *wanted);
            diagonal = above[column + 1];
            above[column + 1] = exchanged.min(diagonal + 1).min(above[column] + 1);
        }
    }
    above[other.len()]
}

/// Each use of `Fn::ForEach`, with its line. They are found as a map's key, or as a call if it is the only one.
pub(crate) fn loops(root: &Node) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut left = vec![root];
    while let Some(node) = left.pop() {
        match &node.kind {
            Kind::Null | Kind::Text(_) => {}
            Kind::List(items) => left.extend(items),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    if key.starts_with("Fn::ForEach::") {
                        found.push((value.line, key.clone()));
                    }
                    left.push(value);
                }
            }
            Kind::Call(name, argument) => {
                if name.starts_with("ForEach::") {
                    found.push((node.line, format!("Fn::{name}")));
                }
                left.push(argument);
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::{OF_ALL, alike, edits, nearest};

    #[test]
    fn a_name_that_is_nearly_another_is_taken_for_it() {
        assert_eq!(nearest("Batchsize", OF_ALL), Some("BatchSize"));
        assert_eq!(
            nearest("FunctionResponseType", OF_ALL),
            Some("FunctionResponseTypes")
        );
        assert_eq!(nearest("MaximumRetries", OF_ALL), None);
        assert_eq!(
            alike("MaximumRetries", OF_ALL),
            Some("MaximumRetryAttempts")
        );
        assert_eq!(alike("DestinationArn", OF_ALL), Some("DestinationConfig"));
        assert_eq!(alike("Colour", OF_ALL), None);
    }

    #[test]
    fn edits_are_counted_by_letters() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("same", "same"), 0);
    }
}
