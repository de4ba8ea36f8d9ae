//! What a template says of the function itself: time-out, environment, binary.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::super::Args;
use super::mapping::Function;
use super::node::Node;
use super::property::Properties;
use crate::fault::Fault;

/// Lambda's bounds of a function's time-out.
const TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=900;
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
