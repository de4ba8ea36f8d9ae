//! IAM authentication of Amazon RDS: in place of a password a token, which AWS's credentials sign, and which holds for a quarter of an hour. Called by `database`.

use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::OnceCell;

use crate::failure::BoxError;
use crate::limits::POSTGRES_TOKEN_S;

/// Whom a token is for: it holds for one host, port and user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
}

/// The credentials' chain, and the region, as the environment has them. Made at the first connection: a snapshot holds none.
#[derive(Debug, Default)]
pub(super) struct Iam {
    chain: OnceCell<Option<(String, SharedCredentialsProvider)>>,
}

impl Iam {
    /// A new token.
    pub(super) async fn token(&self, endpoint: &Endpoint) -> Result<String, BoxError> {
        let chain = self.chain.get_or_init(|| async {
            let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
            let region = config.region().map(ToString::to_string);
            region.zip(config.credentials_provider())
        });
        let none = "no region or no AWS credentials were found in the environment";
        let (region, provider) = chain.await.as_ref().ok_or(none)?;
        let credentials = provider.provide_credentials().await?;
        signed(endpoint, region, &credentials, now())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature holds for AWS's time, whichever clock an invocation has"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn signed(
    endpoint: &Endpoint,
    region: &str,
    credentials: &Credentials,
    at: SystemTime,
) -> Result<String, BoxError> {
    let Endpoint { host, port, user } = endpoint;
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(POSTGRES_TOKEN_S));
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("rds-db")
        .time(at)
        .settings(settings)
        .build()?
        .into();
    let url = format!(
        "https://{host}:{port}/?Action=connect&DBUser={}",
        encoded(user)
    );
    let request = SignableRequest::new("GET", &*url, std::iter::empty(), SignableBody::Bytes(b""))?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let mut added: Vec<_> = instructions.params().iter().collect();
    // In the order of AWS's signers. A signature holds for each order, and the same token can be compared.
    added.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
    let token = added.into_iter().fold(url, |url, (name, value)| {
        format!("{url}&{name}={}", encoded(value))
    });
    Ok(token.trim_start_matches("https://").to_owned())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
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
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_credential_types::Credentials;

    use super::{Endpoint, signed};

    /// What `generate_db_auth_token` of botocore 1.44.8 makes for these keys at this time.
    const BY_AWS: [(Option<&str>, &str); 2] = [
        (
            None,
            "db.abc.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=ord%20ers&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20261127%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20261127T090807Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=165853388b0837d23dd8b352c2ec6be1097149ca9e43330cabee0c73d2e3b258",
        ),
        (
            Some("IQoJb3JpZ2luX2VjE//a+b=="),
            "db.abc.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=ord%20ers&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20261127%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20261127T090807Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2F%2Fa%2Bb%3D%3D\
             &X-Amz-Signature=c6f480af3aa71b4e4fbb50045fd234451b6d14d5a667b6cb962d715229be7cc5",
        ),
    ];

    #[test]
    fn a_token_is_byte_for_byte_that_of_the_sdk_of_aws() {
        let endpoint = Endpoint {
            host: "db.abc.eu-central-1.rds.amazonaws.com".to_owned(),
            port: 5432,
            user: "ord ers".to_owned(),
        };
        let at = UNIX_EPOCH + Duration::from_secs(1_795_770_487);
        for (session, token) in BY_AWS {
            let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
            let session = session.map(str::to_owned);
            let credentials = Credentials::new("AKIDEXAMPLE", secret, session, None, "test");

            assert_eq!(
                signed(&endpoint, "eu-central-1", &credentials, at).unwrap(),
                token
            );
        }
    }
}
