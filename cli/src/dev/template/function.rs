//! What a template says of the function itself: time-out, environment, binary.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::node::Node;
use super::property::Properties;
use super::spelling;
use super::target::Function;
use crate::dev::args::Args;
use crate::fault::Fault;

/// Lambda's bounds of a function's time-out, by its API of November 2026.
const TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=1_800;
/// The same on Lambda Managed Instances.
const TIMEOUT_SECONDS_MANAGED: RangeInclusive<u64> = 1..=5_400;
/// Lambda's time-out of a function whose template has none.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

/// Its time-out, its environment and the binary that is shipped as it.
pub(crate) fn take<'a>(
    args: &mut Args,
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
            let (bounds, form) = if is_managed(function) {
                (
                    TIMEOUT_SECONDS_MANAGED,
                    "1 to 5400 seconds, as on Lambda Managed Instances",
                )
            } else {
                (
                    TIMEOUT_SECONDS,
                    "1 to 1800 seconds, as on Lambda without Managed Instances",
                )
            };
            let seconds = |text: &str| seconds(text, &bounds);
            timeout = properties.text(node, &["Timeout"], "--timeout", form, seconds)?;
            left_out = properties.remarks.len() > remarks;
        }
        spelling::check_function(properties, node);
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

/// Whether a function runs on Lambda Managed Instances.
fn is_managed(function: Function<'_>) -> bool {
    let own = function.resource.get("Properties");
    own.is_some_and(|own| own.get("CapacityProviderConfig").is_some())
}

/// As Lambda bounds a time-out.
fn seconds(text: &str, bounds: &RangeInclusive<u64>) -> Option<Duration> {
    let seconds = text.parse().ok()?;
    bounds
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

/// The remark on a function that is not in the template: what was not read, and the flags that give it.
pub(crate) fn remark_of_none(args: &Args, unread: &str) -> String {
    let timeout = args.timeout.is_none().then_some(("time-out", "--timeout"));
    let binary = (args.bin.is_none() && args.function.is_none()).then_some(("binary", "--bin"));
    let missing: Vec<(&str, &str)> = timeout
        .into_iter()
        .chain([("environment", "--env")])
        .chain(binary)
        .collect();
    let (names, flags): (Vec<&str>, Vec<&str>) = missing.into_iter().unzip();
    format!(
        "left out: the function's {} (FunctionName is {unread}, which is not a function of this template): give {}",
        names.join(", "),
        flags.join(", ")
    )
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
        // Said with the other loops.
        if name.starts_with("Fn::ForEach::") {
            continue;
        }
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
                return Err(Fault::new(format!(
                    "expected a string in the variable {name}, found another value"
                ))
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
