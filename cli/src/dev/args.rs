//! The command line of `cargo msk dev`.

use std::path::PathBuf;
use std::time::Duration;

use super::cluster::connect::{self, Setting};
use super::cluster::produce::Format;
use super::flags::chosen::Chosen;
use super::flags::iam::Iam;
use super::flags::names;
use super::flags::settings::Settings;
use crate::flags::output::Output;
use crate::flags::timeout;
use crate::flags::variable;

/// The consumer group, unless a flag or a template names one.
pub(super) const GROUP: &str = "cargo-msk-dev";
/// The function's time-out, unless a flag or a template has one.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// More than any local run needs.
pub(super) const PARTITIONS_MAX: i32 = 1_000;
/// Read topics as Lambda would: poll, invoke, commit, retry, give up, with a local function.
///
/// The function is built with cargo, or is any command that speaks the Runtime API. It runs in one process for each
/// concurrent invocation. Without --bootstrap, a Kafka broker runs in this process, and --produce fills it.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = format!("\
The mapping's setting and the function's must agree: --function-response-types
ReportBatchItemFailures goes with --env LAMBDA_MSK_FAILURE_REPORTING=partial.

Each --topic makes a mapping, all with the same settings: on Lambda, a mapping has one topic.

--produce takes files of three kinds: lines of JSON, each the value of one record; Kafka events as
Lambda sends them, whose records keep key, value, headers, time and partition; and dead letters, one
a line, whose records are written as they were. --produce-format text, hex or base64 takes lines of
other values.

--template reads one mapping of template.yaml, and its function's time-out, environment and binary.
Values that only a stack knows (ARNs, queues, buckets) are left out, each with a line that names the
flag for it. The cluster is never the template's: without --bootstrap it is in this process.

--json writes one object a line; `event` names its kind. `metrics`, in `status` and `end`, is what
the function measured. The last line is always `end`: `verdict` and `exitCode`; `mappings`, with the
counts of each; `records`, those not done; `nothingRead`, why a mapping read nothing; and `error`,
why the run could not continue. A command line that is refused writes none.

--schema-registry-uri, with --event-record-format and --schema-validation, checks records as the
mapping's SchemaRegistryConfig does. A record that does not fit its schema goes to --on-failure, and
without one it is dropped.

A failed batch is retried without limit unless --maximum-retry-attempts or --on-failure is given.
This is Lambda's default too; --once then does not end.

Examples:
  cargo msk dev --topic orders --produce events/orders.json --once
  cargo msk dev --bootstrap 127.0.0.1:9092 --topic orders --group local --bin handler
  cargo msk dev --topic orders --produce events/poison.json --maximum-retry-attempts 2 \\
      --on-failure file:given-up.ndjson --once
  cargo msk dev --template template.yaml --parameter Topic=orders --produce events/orders.json \\
      --once
  cargo msk dev --bootstrap b-1.example:9096 --topic orders --set security.protocol=SASL_SSL \\
      --set sasl.mechanism=SCRAM-SHA-512 --set sasl.username=alice --set sasl.password=@env:PASSWORD

{}", crate::verdict::DEV_HELP))]
pub(crate) struct Args {
    /// Topic to read; repeatable, with a mapping for each.
    #[arg(long = "topic", value_name = "TOPIC")]
    pub(super) topics: Vec<String>,
    /// Brokers, HOST:PORT separated by commas. [default: one in this process]
    #[arg(long, value_name = "HOST:PORT", value_parser = names::bootstrap)]
    pub(super) bootstrap: Option<String>,
    /// Consumer group. [default: cargo-msk-dev]
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// Set a librdkafka property. Secrets: KEY=@env:NAME or KEY=@file:PATH.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = connect::setting)]
    pub(super) set: Vec<Setting>,
    #[command(flatten)]
    pub(super) iam: Iam,
    /// Write these records first: FILE.ndjson, events as in events/*.json, or dead letters (`-`: standard input).
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) produce: Vec<PathBuf>,
    /// Format of the files of --produce. [default: a Kafka event or dead letters if the file has them, else json]
    #[arg(long, value_enum, value_name = "FORMAT", requires = "produce")]
    pub(super) produce_format: Option<Format>,
    /// Partitions of each topic of the broker in this process. [default: 3]
    #[arg(long, value_name = "N", conflicts_with = "bootstrap", value_parser = clap::value_parser!(i32).range(1..=i64::from(PARTITIONS_MAX)))]
    pub(super) partitions: Option<i32>,
    /// The binary to build and run. Default: the only one of this package, or of the workspace's default members.
    #[arg(long, value_name = "NAME", conflicts_with = "function")]
    pub(super) bin: Option<String>,
    /// Run this command instead; words are split as in a shell.
    #[arg(long, value_name = "COMMAND")]
    pub(super) function: Option<String>,
    /// Build with the release profile, as for a deployment.
    #[arg(long, conflicts_with = "function")]
    pub(super) release: bool,
    /// The function's time-out: 30s, 500ms, 2m. [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = timeout::parse)]
    pub(super) timeout: Option<Duration>,
    /// Set a variable of the function's environment.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable::parse)]
    pub(super) env: Vec<(String, String)>,
    /// Rebuild the function when one of its files changes, and use it for the next invocations.
    #[arg(long, conflicts_with = "function")]
    pub(super) watch: bool,
    /// End once all records of the topics are settled.
    #[arg(long)]
    pub(super) once: bool,
    #[command(flatten)]
    pub(super) output: Output,
    /// Write one JSON object a line to standard output.
    #[arg(long)]
    pub(super) json: bool,
    /// Write plain lines even to a terminal, without the live view.
    #[arg(long, conflicts_with = "json")]
    pub(super) lines: bool,
    #[command(flatten)]
    pub(super) template: Chosen,
    #[command(flatten)]
    pub(super) settings: Settings,
}

impl Args {
    pub(super) fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(GROUP)
    }
}
