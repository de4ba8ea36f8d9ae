//! What Lambda would refuse, in the words of its API.

use std::ops::RangeInclusive;

use super::faults::{Faults, SettingFault};
use super::{Configuration, ConsumptionMode, OnFailure};
use crate::event::Source;
use crate::limits::{
    BATCH_SIZE_MAX, BATCHING_WINDOW_MAX_S, MAXIMUM_POLLERS_MAX, MINIMUM_POLLERS_MAX,
    RECORD_AGE_MAX_S, RECORD_AGE_MIN_S, RETRY_ATTEMPTS_MAX,
};
use crate::response::FailureReporting;

impl Configuration {
    /// What is wrong with these settings, every fault of it.
    ///
    /// # Errors
    ///
    /// [`Faults`] if a value is out of range, if on-demand mode has a setting that needs provisioned mode, or if two
    /// settings exclude each other.
    pub fn check(&self) -> Result<(), Faults> {
        let mut faults = Vec::new();
        ranges(self, &mut faults);
        provisioned_mode(self, &mut faults);
        queue_mode(self, &mut faults);
        names(self, &mut faults);
        if let Some(registry) = &self.schema_registry_config {
            registry.check(&mut faults);
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Faults(faults))
        }
    }
}

fn ranges(settings: &Configuration, faults: &mut Vec<SettingFault>) {
    let mut check = |setting, value: Option<i64>, range: RangeInclusive<i64>, infinite: bool| {
        let Some(value) = value else { return };
        if range.contains(&value) || infinite && value == -1 {
            return;
        }
        let infinite = if infinite { "-1 (infinite), " } else { "" };
        let (least, most) = (range.start(), range.end());
        faults.push(SettingFault {
            setting,
            message: format!("is {value}: Lambda allows {infinite}{least} to {most}"),
        });
    };
    check("BatchSize", settings.batch_size, 1..=BATCH_SIZE_MAX, false);
    let window = settings.maximum_batching_window_in_seconds;
    check(
        "MaximumBatchingWindowInSeconds",
        window,
        0..=BATCHING_WINDOW_MAX_S,
        false,
    );
    let attempts = settings.maximum_retry_attempts;
    check(
        "MaximumRetryAttempts",
        attempts,
        0..=RETRY_ATTEMPTS_MAX,
        true,
    );
    let age = settings.maximum_record_age_in_seconds;
    check(
        "MaximumRecordAgeInSeconds",
        age,
        RECORD_AGE_MIN_S..=RECORD_AGE_MAX_S,
        true,
    );
    if let Some(pollers) = &settings.provisioned_poller_config {
        let minimum = "ProvisionedPollerConfig.MinimumPollers";
        check(minimum, pollers.minimum, 1..=MINIMUM_POLLERS_MAX, false);
        let maximum = "ProvisionedPollerConfig.MaximumPollers";
        check(maximum, pollers.maximum, 1..=MAXIMUM_POLLERS_MAX, false);
        if let (Some(least), Some(most)) = (pollers.minimum, pollers.maximum)
            && least > most
        {
            faults.push(SettingFault {
                setting: minimum,
                message: format!("is {least}, above MaximumPollers {most}"),
            });
        }
    }
}

fn provisioned_mode(settings: &Configuration, faults: &mut Vec<SettingFault>) {
    if settings.provisioned_poller_config.is_some() {
        return;
    }
    let needs = [
        (
            "MaximumRetryAttempts",
            settings.maximum_retry_attempts.is_some(),
        ),
        (
            "MaximumRecordAgeInSeconds",
            settings.maximum_record_age_in_seconds.is_some(),
        ),
        (
            "BisectBatchOnFunctionError",
            settings.bisect_batch_on_function_error,
        ),
        (
            "FunctionResponseTypes",
            settings.function_response_types == FailureReporting::Partial,
        ),
        (
            "DestinationConfig.OnFailure",
            matches!(settings.on_failure, Some(OnFailure::Kafka(_))),
        ),
        (
            "SchemaRegistryConfig",
            settings.schema_registry_config.is_some(),
        ),
    ];
    for (setting, set) in needs {
        if set {
            let what = if setting == "DestinationConfig.OnFailure" {
                "with a Kafka topic "
            } else {
                ""
            };
            faults.push(SettingFault {
                setting,
                message: format!("{what}needs provisioned mode: set ProvisionedPollerConfig"),
            });
        }
    }
}

fn queue_mode(settings: &Configuration, faults: &mut Vec<SettingFault>) {
    if settings.consumption_mode != ConsumptionMode::Queue {
        return;
    }
    if matches!(settings.source, Source::Msk { .. }) {
        faults.push(SettingFault {
            setting: "ConsumptionMode",
            message: "is Queue: Lambda has it for self-managed clusters only".to_owned(),
        });
    }
    if settings.maximum_batching_window_in_seconds.is_some() {
        faults.push(SettingFault {
            setting: "MaximumBatchingWindowInSeconds",
            message: "does not apply when ConsumptionMode is Queue: leave it out".to_owned(),
        });
    }
}

fn names(settings: &Configuration, faults: &mut Vec<SettingFault>) {
    if settings.topic.is_empty() {
        faults.push(SettingFault {
            setting: "Topics",
            message: "is empty: name one topic".to_owned(),
        });
    }
    if settings.consumer_group_id.as_deref() == Some("") {
        faults.push(SettingFault {
            setting: "ConsumerGroupId",
            message: "is empty: name a group, or leave it out".to_owned(),
        });
    }
    let Some(OnFailure::Kafka(topic)) = &settings.on_failure else {
        return;
    };
    if *topic == settings.topic {
        faults.push(SettingFault {
            setting: "DestinationConfig.OnFailure",
            message: format!("is kafka://{topic}, the topic that is read: name another"),
        });
    }
}
