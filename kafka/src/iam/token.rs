//! The token: a signed request for `kafka-cluster:Connect` that nobody sends, in base64, as AWS's own signers make it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign as signed,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::IamError;
use crate::limits::IAM_TOKEN_S;

/// What the broker notes as the signer. It is no part of what is signed.
const USER_AGENT: &str = concat!("cargo-msk/", env!("CARGO_PKG_VERSION"));

/// A token, with the time at which it expires.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    access_key_id: String,
    expires_at_ms: u64,
}

impl Token {
    /// The token, which is a secret until it expires.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id of the access key that has signed, which is no secret.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The time at which brokers no longer take it, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> u64 {
        self.expires_at_ms
    }

    pub(super) fn has_expired(&self, now: SystemTime) -> bool {
        let expires = UNIX_EPOCH + Duration::from_millis(self.expires_at_ms);
        now >= expires
    }
}

/// Without the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

pub(super) fn sign(
    region: &str,
    credentials: &Credentials,
    at: SystemTime,
) -> Result<Token, IamError> {
    let url = signed_url(region, credentials, at)?;
    let url = format!("{url}&User-Agent={}", USER_AGENT.replace('/', "%2F"));
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Token {
        text: URL_SAFE_NO_PAD.encode(url),
        access_key_id: credentials.access_key_id().to_owned(),
        // The signature has whole seconds.
        expires_at_ms: (since.as_secs() + IAM_TOKEN_S) * 1_000,
    })
}

fn signed_url(region: &str, credentials: &Credentials, at: SystemTime) -> Result<String, IamError> {
    let not_signed = |error: &dyn fmt::Display| IamError::NotSigned {
        reason: error.to_string(),
    };
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(IAM_TOKEN_S));
    // A token of a session signs its own: as AWS's signers have it.
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("kafka-cluster")
        .time(at)
        .settings(settings)
        .build()
        .map_err(|error| not_signed(&error))?
        .into();
    let url = format!("https://kafka.{region}.amazonaws.com/?Action=kafka-cluster%3AConnect");
    let request = SignableRequest::new("GET", &*url, std::iter::empty(), SignableBody::Bytes(b""));
    let request = request.map_err(|error| not_signed(&error))?;
    let (instructions, _) = signed(request, &params)
        .map_err(|error| not_signed(&error))?
        .into_parts();
    let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string();
    let mut added: Vec<_> = instructions.params().iter().collect();
    // In the order of AWS's signers. A signature holds for each order, and the same token can be compared.
    added.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
    Ok(added.into_iter().fold(url, |url, (name, value)| {
        format!("{url}&{name}={}", encoded(value))
    }))
}

const ORDER: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
];

/// All but what a query holds as it is, by the rules of AWS's signature.
const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens of AWS's `aws-msk-iam-sasl-signer-python` 1.0.2 for these keys at this time, decoded, up to the signer's name.
    const BY_AWS: [(Option<&str>, &str); 2] = [
        (
            None,
            "https://kafka.eu-central-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20261127%2Feu-central-1%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20261127T090807Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=8770e77cae958c0654b269ad9bcd8c956d3e1f054b7ab40f9b9d3ec664fb0900",
        ),
        (
            Some("IQoJb3JpZ2luX2VjE//a+b=="),
            "https://kafka.eu-central-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20261127%2Feu-central-1%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20261127T090807Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2F%2Fa%2Bb%3D%3D\
             &X-Amz-Signature=3ff7b6101762dfba229ab58d78f3aa379cb64d4e76554239f0cdc8f71b49472c",
        ),
    ];

    #[test]
    fn a_token_is_byte_for_byte_that_of_the_signer_of_aws_but_for_its_name() {
        let at = UNIX_EPOCH + Duration::from_secs(1_795_770_487);
        for (session, url) in BY_AWS {
            let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
            let credentials = Credentials::new(
                "AKIDEXAMPLE",
                secret,
                session.map(str::to_owned),
                None,
                "test",
            );

            let token = sign("eu-central-1", &credentials, at).unwrap();

            let decoded = URL_SAFE_NO_PAD.decode(token.as_str()).unwrap();
            let ours = format!("{url}&User-Agent=cargo-msk%2F{}", env!("CARGO_PKG_VERSION"));
            assert_eq!(String::from_utf8(decoded).unwrap(), ours);
            assert_eq!(token.expires_at_ms(), 1_795_771_387_000);
        }
    }
}
