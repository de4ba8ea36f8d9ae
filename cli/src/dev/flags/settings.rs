//! The mapping's settings as flags, named as `aws lambda create-event-source-mapping` names them.

use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use msk_mapping::event::Source;
use msk_mapping::filter;
use msk_mapping::machine::{
    self, Configuration, ConsumptionMode, ProvisionedPollers, StartingPosition,
};

use super::names;
use super::reading::{self, Reading};
use super::schemas::Schemas;
use super::start::{self, Start};
use crate::dev::on_failure;
use crate::fault::Fault;
use crate::flags::response_types::ResponseTypes;

/// The ARN in the event if no cluster's ARN is given. The account is that of the function's own ARN here.
const LOCAL_ARN: &str =
    "arn:aws:kafka:us-east-1:123456789012:cluster/desk/00000000-0000-0000-0000-000000000000-1";

/// The settings of a mapping.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Mapping")]
pub(crate) struct Settings {
    /// Maximum number of records in a batch, 1 to 10000. [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<i64>,
    /// Batching window, 0 to 300. [default: half a second]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) maximum_batching_window_in_seconds: Option<i64>,
    /// Maximum retries of a failed batch, 0 to 10000, or -1 for no limit. [default: -1, with --on-failure 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) maximum_retry_attempts: Option<i64>,
    /// Maximum age of a record; older ones are given up, 60 to 604800, or -1. [default: -1, no limit]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) maximum_record_age_in_seconds: Option<i64>,
    /// Halve a batch after a function error.
    #[arg(long)]
    pub(crate) bisect_batch_on_function_error: bool,
    /// Redeliver the batch whole, even if the template says otherwise.
    #[arg(long, conflicts_with = "bisect_batch_on_function_error")]
    pub(crate) no_bisect_batch_on_function_error: bool,
    /// Read partial batch responses; the function needs --env LAMBDA_MSK_FAILURE_REPORTING=partial. []: ignore them, even if the template says otherwise.
    #[arg(long, value_enum, value_name = "TYPE")]
    pub(crate) function_response_types: Option<ResponseTypes>,
    /// Stream (a consumer group), or Queue (a share group: no order; the broker redelivers failed records, up to its limit). Queue needs --bootstrap with Kafka 4.2 or later, --self-managed and a build with the feature share. [default: Stream]
    #[arg(long, value_enum, value_name = "MODE")]
    pub(crate) consumption_mode: Option<Mode>,
    /// Starting position of a group without offsets. [default: TRIM_HORIZON]
    #[arg(long, value_name = "POSITION")]
    pub(crate) starting_position: Option<Start>,
    /// Time for AT_TIMESTAMP: 2026-01-31T12:00:00Z, or seconds since 1970.
    #[arg(long, value_name = "TIME")]
    pub(crate) starting_position_timestamp: Option<String>,
    /// Filter pattern: '{"value":{"kind":["order"]}}'. Repeatable; a record passes if any pattern matches.
    #[arg(long = "filter", value_name = "PATTERN")]
    pub(crate) filters: Vec<String>,
    /// All filters, as AWS takes them: '{"Filters":[{"Pattern":"…"}]}'.
    #[arg(long, value_name = "JSON", conflicts_with = "filters")]
    pub(crate) filter_criteria: Option<String>,
    /// Whether the filters are the template's.
    #[arg(skip)]
    pub(crate) filter_of_template: bool,
    #[command(flatten)]
    pub(crate) schemas: Schemas,
    /// Destination for records that are given up: file:PATH, kafka://TOPIC of the same cluster, and in a build with the feature aws a queue's URL or ARN, a topic's ARN, or s3://BUCKET/PREFIX. none: no destination, even if the template has one.
    #[arg(long, value_name = "DESTINATION")]
    pub(crate) on_failure: Option<String>,
    /// ARN of the cluster in the event.
    #[arg(long, value_name = "ARN", value_parser = names::arn, conflicts_with = "self_managed")]
    pub(crate) event_source_arn: Option<String>,
    /// Write the event of a self-managed cluster, without an ARN.
    #[arg(long)]
    pub(crate) self_managed: bool,
    /// Emulate on-demand mode: one poller, and none of the settings that need provisioned mode.
    #[arg(long, conflicts_with = "pollers")]
    pub(crate) on_demand: bool,
    /// Whether it is the template that has no provisioned pollers.
    #[arg(skip)]
    pub(crate) on_demand_by_template: bool,
    /// Number of pollers: members of the group, each with at most five concurrent invocations. [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) pollers: Option<u32>,
    /// Where the template says what no flag says: by AWS's name of the setting, with the place.
    #[arg(skip)]
    pub(crate) by_template: Vec<(&'static str, String)>,
    /// Choose how to emulate behaviour that AWS does not document: NAME=VALUE; `--help` lists all.
    #[arg(long = "reading", value_name = "READING", value_parser = reading::read, long_help = reading::long_help())]
    pub(crate) readings: Vec<Reading>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    #[value(name = "Stream")]
    Stream,
    #[value(name = "Queue")]
    Queue,
}

impl Settings {
    /// The mapping of one topic, with a function that has no name yet.
    pub(crate) fn configuration(
        &self,
        topic: &str,
        group: &str,
        bootstrap: &str,
    ) -> Result<Configuration, Fault> {
        let source = self.source(bootstrap);
        let mut settings = Configuration::new(source, topic, self.start()?);
        settings.consumer_group_id = Some(group.to_owned());
        settings.batch_size = self.batch_size;
        settings.maximum_batching_window_in_seconds = self.maximum_batching_window_in_seconds;
        settings.maximum_retry_attempts = self.maximum_retry_attempts;
        settings.maximum_record_age_in_seconds = self.maximum_record_age_in_seconds;
        settings.bisect_batch_on_function_error = self.bisect_batch_on_function_error;
        let types = self.function_response_types.unwrap_or(ResponseTypes::None);
        settings.function_response_types = types.into();
        settings.consumption_mode = self.mode()?;
        settings.on_failure = self
            .on_failure
            .as_deref()
            .filter(|text| *text != on_failure::NONE)
            .map(on_failure::read)
            .transpose()?;
        settings.filter_criteria = self.filter()?;
        settings.schema_registry_config = self.schemas.config()?;
        settings.provisioned_poller_config = (!self.on_demand).then(|| {
            let pollers = Some(i64::from(self.pollers()));
            ProvisionedPollers {
                minimum: pollers,
                maximum: pollers,
                group: None,
            }
        });
        for reading in &self.readings {
            reading.apply(&mut settings.readings);
        }
        match settings.check() {
            Ok(()) => Ok(settings),
            Err(faults) => Err(self.refused(&faults)),
        }
    }

    /// The starting position of a group without offsets.
    pub(crate) fn start(&self) -> Result<StartingPosition, Fault> {
        let time = self.starting_position_timestamp.as_deref();
        start::position(self.starting_position, time, Timestamp::now())
    }

    /// Each setting that Lambda may refuse, by AWS's name: its flag, and whether that was given.
    pub(crate) const fn flags(&self) -> [(&'static str, &'static str, bool); 13] {
        let [registry, uri, format, validated] = self.schemas.flags();
        [
            registry,
            uri,
            format,
            validated,
            ("BatchSize", "--batch-size", self.batch_size.is_some()),
            (
                "MaximumBatchingWindowInSeconds",
                "--maximum-batching-window-in-seconds",
                self.maximum_batching_window_in_seconds.is_some(),
            ),
            (
                "MaximumRetryAttempts",
                "--maximum-retry-attempts",
                self.maximum_retry_attempts.is_some(),
            ),
            (
                "MaximumRecordAgeInSeconds",
                "--maximum-record-age-in-seconds",
                self.maximum_record_age_in_seconds.is_some(),
            ),
            (
                "BisectBatchOnFunctionError",
                "--bisect-batch-on-function-error",
                self.bisect_batch_on_function_error,
            ),
            (
                "FunctionResponseTypes",
                "--function-response-types",
                self.function_response_types.is_some(),
            ),
            (
                "ConsumptionMode",
                "--consumption-mode",
                self.consumption_mode.is_some(),
            ),
            (
                "DestinationConfig.OnFailure",
                "--on-failure",
                self.on_failure.is_some(),
            ),
            (
                "ProvisionedPollerConfig.MinimumPollers",
                "--pollers",
                self.pollers.is_some(),
            ),
        ]
    }

    /// A fault behind what was typed: the flag, or the template's line.
    fn typed(&self, fault: &machine::SettingFault) -> String {
        let place = self
            .by_template
            .iter()
            .find(|(setting, _)| *setting == fault.setting());
        let flags = self.flags();
        let flag = flags
            .iter()
            .find(|(setting, ..)| *setting == fault.setting());
        match (place, flag) {
            (Some((_, place)), _) => format!("{place}: {fault}"),
            (None, Some((_, flag, _))) => format!("{flag}: {fault}"),
            (None, None) => fault.to_string(),
        }
    }

    /// What Lambda would refuse, with the flags of this command as the cure.
    fn refused(&self, faults: &machine::Faults) -> Fault {
        let provisioned = ": set ProvisionedPollerConfig";
        let (pollers, others): (Vec<String>, Vec<String>) = faults
            .iter()
            .map(|fault| self.typed(fault))
            .partition(|each| each.ends_with(provisioned));
        let fault = Fault::new("Lambda would refuse these settings");
        let fault = others.iter().fold(fault, Fault::at);
        let fault = pollers.iter().fold(fault, |fault, each| {
            fault.at(each.trim_end_matches(provisioned))
        });
        let mut help = Vec::new();
        if !others.is_empty() {
            help.push("correct these settings; a flag overrides the template, and `cargo msk dev --help` lists all flags");
        }
        if !pollers.is_empty() && self.on_demand_by_template {
            help.push("give --pollers N, or add ProvisionedPollerConfig to the template's mapping");
        } else if !pollers.is_empty() {
            help.push("leave out --on-demand: a mapping is provisioned without it");
        }
        fault.help(help.join("\n"))
    }

    /// What of the filters Lambda may read otherwise, a line each.
    pub(crate) fn filter_remarks(&self) -> Result<Vec<String>, Fault> {
        let filter = self.read_filter()?;
        let from = if self.filter_of_template {
            " (from the template: --filter overrides it)"
        } else {
            ""
        };
        let line =
            |remark: &filter::FilterFault| format!("{} {}{from}", remark.place, remark.reason);
        Ok(filter
            .iter()
            .flat_map(|filter| filter.remarks().map(line))
            .collect())
    }

    /// None: every record passes.
    fn filter(&self) -> Result<Option<machine::Filter>, Fault> {
        let read = self.read_filter()?;
        Ok(read.map(|filter| -> machine::Filter { Arc::new(move |value| filter.matches(value)) }))
    }

    fn read_filter(&self) -> Result<Option<filter::Filter>, Fault> {
        let read = match &self.filter_criteria {
            Some(criteria) => filter::Filter::from_criteria(criteria),
            None if self.filters.is_empty() => Ok(None),
            None => filter::Filter::parse(&self.filters).map(Some),
        };
        read.map_err(|error| {
            let fault = Fault::new("Lambda would refuse this filter");
            let at = |fault: Fault, each: &filter::FilterFault| {
                fault.at(format!("{}: {}", each.place, each.reason))
            };
            error
                .faults()
                .iter()
                .fold(fault, at)
                .help(if self.filter_of_template {
                    "a pattern is JSON, such as '{\"value\":{\"kind\":[\"order\"]}}'; --filter overrides the template's"
                } else {
                    "a pattern is JSON, such as '{\"value\":{\"kind\":[\"order\"]}}'"
                })
        })
    }

    /// Queue where this program can read a share group.
    fn mode(&self) -> Result<ConsumptionMode, Fault> {
        match self.consumption_mode {
            None | Some(Mode::Stream) => Ok(ConsumptionMode::Stream),
            Some(Mode::Queue) if cfg!(feature = "share") => Ok(ConsumptionMode::Queue),
            Some(Mode::Queue) => Err(Fault::new(
                "--consumption-mode Queue needs the feature share, which this build of cargo msk lacks",
            )
            .help("cargo install cargo-msk --features share (in this repository: --path cli), with Rust 1.95 or later")),
        }
    }

    pub(crate) fn pollers(&self) -> u32 {
        self.pollers.unwrap_or(1)
    }

    fn source(&self, bootstrap: &str) -> Source {
        let bootstrap_servers = Some(bootstrap.to_owned());
        if self.self_managed {
            return Source::SelfManaged { bootstrap_servers };
        }
        Source::Msk {
            arn: self
                .event_source_arn
                .clone()
                .unwrap_or_else(|| LOCAL_ARN.to_owned()),
            bootstrap_servers,
        }
    }
}

#[cfg(test)]
mod tests {
    use msk_mapping::machine::ConsumptionMode;

    use super::{Mode, Settings};

    #[test]
    fn queue_mode_is_taken_where_it_is_built_and_of_ones_own_cluster() {
        let of = |self_managed| {
            let settings = Settings {
                consumption_mode: Some(Mode::Queue),
                self_managed,
                ..Settings::default()
            };
            let read = settings.configuration("orders", "desk", "b:9092");
            read.map(|read| read.consumption_mode)
                .map_err(|fault| fault.text())
        };

        if cfg!(feature = "share") {
            assert_eq!(of(true), Ok(ConsumptionMode::Queue));
            let refused = of(false).unwrap_err();
            assert!(refused.contains("ConsumptionMode is Queue"), "{refused}");
        } else {
            let refused = of(true).unwrap_err();
            assert!(refused.contains("--features share"), "{refused}");
        }
    }

    #[test]
    fn every_setting_that_lambda_refuses_is_named() {
        let settings = Settings {
            batch_size: Some(0),
            maximum_retry_attempts: Some(3),
            on_demand: true,
            ..Settings::default()
        };

        let fault = settings
            .configuration("orders", "desk", "b:9092")
            .unwrap_err()
            .text();

        assert!(fault.contains("--batch-size: BatchSize is 0"), "{fault}");
        assert!(
            fault.contains(
                "--maximum-retry-attempts: MaximumRetryAttempts needs provisioned mode\n"
            ),
            "{fault}"
        );
        assert!(fault.contains("leave out --on-demand"), "{fault}");
    }

    #[test]
    fn a_destination_of_a_template_is_taken_away_by_none() {
        let settings = Settings {
            on_failure: Some("none".to_owned()),
            ..Settings::default()
        };

        let read = settings.configuration("orders", "desk", "b:9092");

        assert_eq!(read.map_err(|fault| fault.text()).unwrap().on_failure, None);
    }

    #[test]
    fn both_forms_of_a_filter_let_the_same_records_pass() {
        let pattern = r#"{"value":{"kind":["order"]}}"#;
        let given = [
            Settings {
                filters: vec![pattern.to_owned()],
                ..Settings::default()
            },
            Settings {
                filter_criteria: Some(
                    serde_json::json!({"Filters": [{"Pattern": pattern}]}).to_string(),
                ),
                ..Settings::default()
            },
        ];

        for settings in given {
            let filter = settings.filter().ok().flatten().unwrap();
            assert!(filter(Some(br#"{"kind":"order"}"#)));
            assert!(!filter(Some(br#"{"kind":"click"}"#)));
        }
    }

    #[test]
    fn a_filter_that_lambda_refuses_is_refused_with_its_place() {
        let settings = Settings {
            filters: vec![r#"{"keys":["a"]}"#.to_owned()],
            ..Settings::default()
        };

        let fault = settings.filter().err().unwrap().text();

        assert!(fault.contains("Filters[0].Pattern"), "{fault}");
    }

    #[test]
    fn a_templates_filter_that_lambda_may_read_otherwise_is_said_with_its_flag() {
        let of = |pattern: &str, filter_of_template| Settings {
            filter_criteria: Some(
                serde_json::json!({"Filters": [{"Pattern": pattern}]}).to_string(),
            ),
            filter_of_template,
            ..Settings::default()
        };
        let remarks = |settings: Settings| settings.filter_remarks().map_err(|fault| fault.text());

        let said = remarks(of(r#"{"topic":["orders"]}"#, true)).unwrap();
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("Filters[0].Pattern: topic is ignored here"),
            "{said:?}"
        );
        assert!(
            said[0].ends_with("(from the template: --filter overrides it)"),
            "{said:?}"
        );
        let flag = remarks(of(r#"{"value":[{"wildcard":"a*"}]}"#, false)).unwrap();
        assert!(flag[0].ends_with("Lambda may refuse it"), "{flag:?}");
        let refused = remarks(of(r#"{"kind":["order"]}"#, true)).unwrap_err();
        assert!(
            refused.contains("--filter overrides the template's"),
            "{refused}"
        );
    }
}
