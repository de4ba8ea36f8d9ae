//! What AWS's services answer, as faults with a cure. Called by the sources in AWS.

use std::error::Error;

use msk_destinations::send::SdkSaid;

use crate::fault::Fault;

/// A service's refusal. The cure follows from its words.
pub(crate) fn fault(what: &str, action: &str, error: impl Error + Send + Sync + 'static) -> Fault {
    let said = SdkSaid::of(error).to_string();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let help = if has(&[
        "NonExistentQueue",
        "QueueDoesNotExist",
        "NoSuchBucket",
        "NoSuchKey",
    ]) {
        "it does not exist: check the name, the region (AWS_REGION) and the account in --from"
            .to_owned()
    } else if has(&["AccessDenied", "not authorized"]) {
        format!(
            "these credentials lack a permission: allow {action}, and check which ones are used: aws sts get-caller-identity"
        )
    } else if has(&[
        "redentials",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "UnrecognizedClient",
        "InvalidAccessKeyId",
    ]) {
        "no valid credentials were found: set AWS_PROFILE, or log in with: aws sso login".to_owned()
    } else if has(&[
        "PermanentRedirect",
        "AuthorizationHeaderMalformed",
        "MissingRegion",
        "region must be set",
    ]) {
        "the region is wrong or missing: set AWS_REGION".to_owned()
    } else {
        "check the network, AWS_REGION and AWS_ENDPOINT_URL; nothing was taken out".to_owned()
    };
    Fault::new(what).at(said).help(help)
}
