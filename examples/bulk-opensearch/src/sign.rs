//! AWS's signature on a request, version 4.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use lambda_msk::Failure;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::requests::NDJSON;

/// Who signs, for which service.
pub(crate) struct Signer {
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    /// `es` or `aoss`.
    pub(crate) service: &'static str,
}

impl Signer {
    /// The headers that let a request in, for some minutes from now.
    pub(crate) fn sign(&self, url: &Url, body: &[u8]) -> Result<HeaderMap, Failure> {
        // The server compares it with its own clock.
        #[allow(
            clippy::disallowed_methods,
            reason = "a signature holds by the wall clock"
        )]
        let now = SystemTime::now();
        self.sign_at(now, url, body)
    }

    fn sign_at(&self, at: SystemTime, url: &Url, body: &[u8]) -> Result<HeaderMap, Failure> {
        let mut settings = SigningSettings::default();
        // The header `x-amz-content-sha256`, without which `aoss` lets no request in.
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(at)
            .settings(settings)
            .build()?
            .into();
        let signed = std::iter::once((CONTENT_TYPE.as_str(), NDJSON));
        let body = SignableBody::Bytes(body);
        let request = SignableRequest::new("POST", url.as_str(), signed, body)?;
        let (instructions, _) = sign(request, &params)?.into_parts();
        let mut headers = HeaderMap::new();
        for (name, value) in instructions.headers() {
            let mut value = HeaderValue::from_str(value)?;
            value.set_sensitive(true);
            headers.insert(HeaderName::try_from(name)?, value);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_credential_types::Credentials;
    use reqwest::Url;

    use super::Signer;

    /// The signatures of the same request by AWS's botocore 1.43 (`SigV4Auth`, with the header `X-Amz-Content-SHA256`).
    #[test]
    fn a_signature_is_the_one_that_awss_own_signer_makes() {
        let body = b"{\"create\":{\"_id\":\"a\"}}\n{\"order_id\":1}\n";
        let hash = "4c0bdb9ac1f70e3f527514ef27c0f29b355c91f5fa666ca18687cac0d0890bdd";
        let at = UNIX_EPOCH + Duration::from_secs(1_767_258_000);
        let url = Url::parse("https://search.example.com/orders/_bulk").expect("a URL");
        for (service, token, signature) in [
            (
                "es",
                Some("session-token"),
                "a53d5fcabc29a62591973f7e0bb32f5f7571331786a0d9a3dbb92139f95919a8",
            ),
            (
                "aoss",
                Some("session-token"),
                "b77b9c43488561bec1d49bd591ca5e91a9244896dd14fe277ef76f6c0f346403",
            ),
            (
                "es",
                None,
                "d6c8b47c3fe6de240b227fa885105e3c2d6b0f5f912b3380c894a781ac88bc07",
            ),
        ] {
            let token = token.map(str::to_owned);
            let signer = Signer {
                credentials: Credentials::new("AKIDEXAMPLE", "secret-example", token, None, "test"),
                region: "eu-central-1".to_owned(),
                service,
            };

            let headers = signer.sign_at(at, &url, body).expect("headers");

            let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            let authorization = of("authorization").expect("the signature");
            assert!(authorization.ends_with(signature), "{authorization}");
            assert_eq!(of("x-amz-date"), Some("20260101T090000Z"));
            assert_eq!(of("x-amz-content-sha256"), Some(hash));
            let session = signer.credentials.session_token();
            assert_eq!(of("x-amz-security-token"), session);
        }
    }
}
