//! A function on the desk: one process for each name that letters give it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use msk_mapping::{Crash, Ending, Environment, Function, Invocation, Phase};

use super::answer::{Delivered, read};
use super::args::{Args, CLUSTER, variable_of};
use super::item::Item;
use crate::dlq::letter::{Letter, Shape};
use crate::fault::{Fault, cut};

const NAMESPACE: &str = "LAMBDA_MSK_NAMESPACE";
const REPORTING: &str = "LAMBDA_MSK_FAILURE_REPORTING";

pub(crate) struct Local {
    function: Function,
    env: Vec<(String, String)>,
    /// Whether the namespace is set by hand.
    is_named: bool,
    /// By the name that the function has, and its namespace.
    running: BTreeMap<(Option<String>, Option<String>), Environment>,
    timeout: Duration,
}

impl Local {
    pub(crate) fn new(function: Function, args: &Args, timeout: Duration) -> Self {
        let mut function = function.env(REPORTING, "partial");
        if args.cluster_arn.is_some() && args.env.iter().all(|(name, _)| name != CLUSTER) {
            // The flag wins over what the shell has.
            function = function.env(CLUSTER, "");
        }
        Self {
            function,
            env: args.env.clone(),
            is_named: variable_of(args, NAMESPACE).is_some(),
            running: BTreeMap::new(),
            timeout,
        }
    }

    pub(crate) async fn deliver(
        &mut self,
        item: &Item,
        letter: &Letter,
    ) -> Result<Delivered, Fault> {
        let (function, env) = (&self.function, &self.env);
        let names = if self.is_named {
            (None, None)
        } else {
            names(letter)
        };
        let environment = self.running.entry(names).or_insert_with_key(|names| {
            let mut function = function.clone();
            if let Some(name) = &names.0 {
                function = function.name(name.clone());
            }
            if let Some(namespace) = &names.1 {
                function = function.env(NAMESPACE, namespace);
            }
            let set =
                |function: Function, (name, value): &(String, String)| function.env(name, value);
            Environment::new(env.iter().fold(function, set))
        });
        let invocation = Invocation::new(Bytes::from(item.event.clone()), self.timeout);
        let report = environment.invoke(&invocation).await.map_err(|error| {
            Fault::from_error(&error).help("check the binary and its permissions")
        })?;
        Ok(match report.ending {
            Ending::Response(body) => read(&item.event, &body),
            Ending::FunctionError(error) => {
                Delivered::Failed(cut(&format!("{}: {}", error.error_type, error.message)))
            }
            Ending::InitError(error) => {
                return Err(Fault::new("the function cannot start")
                    .at(error.message)
                    .help("set its variables with --env NAME=VALUE"));
            }
            Ending::Crashed(
                crash @ Crash {
                    during: Phase::Init,
                    ..
                },
            ) => {
                return Err(Fault::new(crash.to_string()).help(
                    "see its own output above, and set its variables with --env NAME=VALUE",
                ));
            }
            Ending::Crashed(crash) => Delivered::Failed(crash.to_string()),
            Ending::TimedOut { after, .. } => Delivered::Failed(format!(
                "no answer in {} s: raise --timeout if the function needs longer",
                after.as_secs()
            )),
            _ => Delivered::Failed("the function did not answer".to_owned()),
        })
    }

    pub(crate) async fn close(self) {
        for environment in self.running.into_values() {
            environment.stop().await;
        }
    }
}

/// The name and the namespace of the function that a letter is of.
fn names(letter: &Letter) -> (Option<String>, Option<String>) {
    if letter.shape == Shape::Headers {
        return (None, letter.group.clone());
    }
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:ALIAS]
    let arn = letter.function_arn.as_deref().unwrap_or_default();
    let name = arn.split(':').nth(6).filter(|name| !name.is_empty());
    (name.map(str::to_owned), None)
}
