//! The flags of `redrive`.

use std::time::Duration;

use super::to::{self, To};
use crate::dlq::flags;
use crate::fault::Fault;
use crate::flags::{timeout, variable};

/// Redrives of one letter unless the flag says otherwise: what has failed three times fails again.
const REDRIVES_MAX: u32 = 3;

/// Feed letters back to their function, or write their records to a topic.
///
/// Letters go in order by partition and offset. A partition stops at its first failure. A letter is taken out of its source only once
/// the function's answer says that its records are settled; all others stay where they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The function skips records that are done, so a second run goes on where the first one ended. A rejected record runs again;
if it is rejected again, the function sends a new letter, which counts its redrives.

A binary is told the function's name of the letter, since idempotency keys begin with that name; LAMBDA_MSK_NAMESPACE
says otherwise. Ctrl-C ends the run after the letter at hand.

Examples:
  cargo msk dlq redrive --from file:dead-letters.ndjson --to bin:orders --dry-run
  cargo msk dlq redrive --from https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dlq \\
      --to function:orders --where code=reject.json --max 10
  cargo msk dlq redrive --from kafka://orders-dlt?bootstrap=localhost:9092 --to topic --yes

Exit codes: 0 all settled; 1 some left; 2 wrong arguments, or the source or the target failed.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) from: flags::From,
    /// function:NAME on Lambda, bin:NAME built here, command:COMMAND, or topic (topic:NAME for another one) for a copy that every group reads.
    #[arg(long, value_name = "TARGET", value_parser = to::to)]
    pub(crate) to: To,
    /// Redrive only letters with this code, topic, partition, shape or id. Repeatable; all must hold.
    #[arg(long = "where", value_name = "FIELD=VALUE", value_parser = flags::condition)]
    pub(crate) conditions: Vec<flags::Condition>,
    /// Redrive at most N letters.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max: Option<u32>,
    /// At most so many events in a time: 20/s, 90/m.
    #[arg(long, value_name = "RATE", value_parser = flags::rate)]
    pub(crate) rate: Option<Duration>,
    /// Leave letters whose records were redriven N times.
    #[arg(long, value_name = "N", default_value_t = REDRIVES_MAX)]
    pub(crate) max_redrives: u32,
    /// The cluster of letters that name none: it is part of idempotency keys.
    #[arg(long, value_name = "ARN")]
    pub(crate) cluster_arn: Option<String>,
    /// Set a variable of the binary's environment.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable::parse)]
    pub(crate) env: Vec<(String, String)>,
    /// The binary's time-out (default 30s), or the longest wait for an answer of Lambda (default 15m).
    #[arg(long, value_name = "TIME", value_parser = timeout::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Build the binary with the release profile.
    #[arg(long)]
    pub(crate) release: bool,
    /// Also redrive what only a part can be had of, and records of a topic that was made anew.
    #[arg(long)]
    pub(crate) force: bool,
    /// Show what would happen, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask before records are written to a topic.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// A variable of the function, as it will see it.
pub(crate) fn variable_of(args: &Args, name: &str) -> Option<String> {
    crate::function::dead_letters::variable(&args.env, name)
}

/// The name of the cluster in keys, as the function on the desk is told it. What runs elsewhere has variables of its own.
pub(crate) fn cluster_of(args: &Args) -> Option<String> {
    args.to.is_local().then(|| variable_of(args, CLUSTER))?
}

/// The variable that names the cluster in keys.
pub(crate) const CLUSTER: &str = "LAMBDA_MSK_CLUSTER";

/// # Errors
///
/// A flag is about another target.
pub(crate) fn check(args: &Args) -> Result<(), Fault> {
    let local = args.to.is_local();
    for (flag, given, of) in [
        (
            "--env",
            !local && !args.env.is_empty(),
            "bin:NAME or command:COMMAND",
        ),
        ("--release", !local && args.release, "bin:NAME"),
        (
            "--timeout",
            args.to.is_topic() && args.timeout.is_some(),
            "a function",
        ),
    ] {
        if given {
            return Err(Fault::new(format!(
                "expected {of} in --to for {flag}, found {}",
                args.to.text()
            ))
            .help(format!("leave {flag} out")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Args, check, cluster_of};

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn args(to: &str, flags: &[&str]) -> Args {
        let line = ["redrive", "--from", "-", "--to", to];
        Command::parse_from([&line, flags].concat()).args
    }

    #[test]
    fn flags_of_another_target_are_refused_by_name() {
        for (to, flags) in [
            ("function:f", &["--env", "A=1"][..]),
            ("topic", &["--env", "A=1"]),
            ("function:f", &["--release"]),
            ("topic:t", &["--release"]),
            ("topic", &["--timeout", "3s"]),
        ] {
            let fault = check(&args(to, flags)).unwrap_err().text();

            assert!(fault.contains(flags[0]), "{to}: {fault}");
        }
        for (to, flags) in [
            (
                "bin:b",
                &["--release", "--env", "A=1", "--timeout", "3s"][..],
            ),
            ("command:c", &["--env", "A=1"]),
            ("function:f", &["--timeout", "3s"]),
        ] {
            assert!(check(&args(to, flags)).is_ok(), "{to}");
        }
    }

    #[test]
    fn the_variable_names_the_cluster_only_for_a_function_on_the_desk() {
        let named = ["--env", "LAMBDA_MSK_CLUSTER=orders"];

        assert_eq!(
            cluster_of(&args("bin:b", &named)).as_deref(),
            Some("orders")
        );
        assert_eq!(cluster_of(&args("function:f", &named)), None);
        assert_eq!(cluster_of(&args("topic", &named)), None);
    }
}
