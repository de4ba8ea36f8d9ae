//! Shared code of the AWS services: the SDK's configuration, and its error texts.

#![cfg_attr(
    not(all(feature = "sqs", feature = "sns", feature = "s3")),
    allow(dead_code, reason = "each service uses some of it")
)]

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;

use crate::limits::TRY_MS_MAX;
use crate::send::unreadable_endpoint;

/// An emulator takes any region, so nobody has to set one for it.
const ANY_REGION: &str = "us-east-1";

/// An AWS service's error, in its own words.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SdkSaid(String);

impl SdkSaid {
    /// What may be told of an error of the SDK, with what the service says: the SDK's own text is "service error".
    pub fn of(error: impl StdError + Send + Sync + 'static) -> Self {
        match unreadable_endpoint(&error) {
            Some(told) => Self(told.to_owned()),
            None => Self(DisplayErrorContext(error).to_string()),
        }
    }
}

/// Credentials, endpoints and region as the environment and the profile have them.
pub(super) fn config() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(TRY_MS_MAX))
        .build();
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts)
}

pub(super) fn region(name: &str) -> Region {
    Region::new(name.to_owned())
}

/// The region of an endpoint that is not AWS's own. The instance's metadata is not asked.
pub(super) fn any_region() -> RegionProviderChain {
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(region(ANY_REGION))
}

pub(super) fn said(error: impl StdError + Send + Sync + 'static) -> SdkSaid {
    SdkSaid::of(error)
}

/// The SDK's error, as it may be told.
pub(super) fn cause(
    error: impl StdError + Send + Sync + 'static,
) -> Arc<dyn StdError + Send + Sync> {
    match unreadable_endpoint(&error) {
        Some(told) => Arc::new(SdkSaid(told.to_owned())),
        None => Arc::new(error),
    }
}

/// What a question before anything is sent comes to. What is not there is refused, and what no question reaches: nothing that is sent would get there
/// either. Any other answer of the service is none: who may send may lack the right to ask.
pub(super) fn there<T, E, R>(
    answer: Result<T, SdkError<E, R>>,
    is_missing: fn(&E) -> bool,
) -> Result<(), SdkSaid>
where
    E: StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match answer {
        Err(error) if error.as_service_error().is_none_or(is_missing) => Err(said(error)),
        _ => Ok(()),
    }
}
