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

/// An emulator takes any region, so nobody has to set one for it.
const ANY_REGION: &str = "us-east-1";

/// Stands for the SDK's own words, which show the endpoint.
const NO_ENDPOINT: &str = "the endpoint is no address such as `http://HOST:PORT`: check AWS_ENDPOINT_URL, and the variable of the service";

/// An AWS service's error, in its own words.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SdkSaid(String);

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

/// With what the service says: the SDK's own text is "service error".
pub(super) fn said(error: impl StdError + Send + Sync + 'static) -> SdkSaid {
    match shows_endpoint(&error) {
        true => SdkSaid(NO_ENDPOINT.to_owned()),
        false => SdkSaid(DisplayErrorContext(error).to_string()),
    }
}

/// The SDK's error, as it may be told.
pub(super) fn cause(
    error: impl StdError + Send + Sync + 'static,
) -> Arc<dyn StdError + Send + Sync> {
    match shows_endpoint(&error) {
        true => Arc::new(SdkSaid(NO_ENDPOINT.to_owned())),
        false => Arc::new(error),
    }
}

/// Whether it shows the text of an endpoint that cannot be read, in which a password may stand; beside it, the SDK shows the body of the request.
fn shows_endpoint(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&link| link.source())
        .any(|link| link.to_string().contains("ndpoint `"))
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
