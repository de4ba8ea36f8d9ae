//! What the destinations in AWS share: the SDK as it is set up here, and what it says when something fails.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use msk_mapping::driver::Undelivered;

/// Longest try of one request: a desk's network may be slow, and the driver asks again.
const TRY_MAX: Duration = Duration::from_secs(5);
/// An emulator takes any region, so nobody has to set one for it.
const ANY_REGION: &str = "us-east-1";

/// Credentials, endpoints and region as the environment and the profile have them.
pub(super) fn config() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(TRY_MAX)
        .build();
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts)
}

pub(super) fn region(name: &str) -> Region {
    Region::new(name.to_owned())
}

/// The region of an endpoint that is not AWS's own.
pub(super) fn any_region() -> RegionProviderChain {
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(region(ANY_REGION))
}

/// With what the service says: the SDK's own text is "service error".
pub(super) fn undelivered(error: impl std::error::Error + Send + Sync + 'static) -> Undelivered {
    Undelivered(DisplayErrorContext(error).to_string().into())
}

/// What a question before the run comes to. Only what is not there is refused: who may send may lack the right to ask.
pub(super) fn there<T, E>(
    answer: Result<T, SdkError<E>>,
    is_missing: fn(&E) -> bool,
) -> Result<(), Undelivered>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match answer {
        Err(error) if error.as_service_error().is_some_and(is_missing) => Err(undelivered(error)),
        _ => Ok(()),
    }
}
