//! A registry's credentials from a secret of AWS Secrets Manager. Called by `confluent` before its first request, and after one that was refused.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::aws::{Service, refusal};
use crate::http::Answer;
use crate::limits::SECRET_AGAIN_SECS;

const TARGET: &str = "secretsmanager.GetSecretValue";

/// A secret with credentials. Needs the permission `secretsmanager:GetSecretValue`.
///
/// The secret's text is JSON with `username` and `password`, as event source mappings of Lambda expect it, or `USER:PASSWORD`, or a bearer token.
pub struct Secret {
    arn: String,
    service: Service,
    /// None: not read yet.
    known: Mutex<Option<Known>>,
}

struct Known {
    given: Given,
    /// When it was read once more, since the registry had refused it. None: it was not.
    again: Option<Instant>,
}

/// Credentials.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Basic { user: String, password: String },
    Bearer(String),
}

/// A text is no ARN of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretArnError {
    /// The text is another ARN, or none.
    #[error("expected arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, found {0:?}")]
    NoSecret(String),
    /// An ARN of an AWS partition whose domain is unknown.
    #[error(
        "expected a secret in the AWS partition aws, aws-cn or aws-us-gov, found {0:?}; for another set AWS_ENDPOINT_URL_SECRETS_MANAGER"
    )]
    Partition(String),
}

impl Secret {
    /// Creates the reader of the secret `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`. Nothing is read before the first fetch of a schema.
    ///
    /// # Errors
    ///
    /// The text is no such ARN.
    pub fn new(arn: &str) -> Result<Self, SecretArnError> {
        let parts: Vec<&str> = arn.splitn(7, ':').collect();
        let [
            "arn",
            partition,
            "secretsmanager",
            region,
            account,
            "secret",
            name,
        ] = parts[..]
        else {
            return Err(SecretArnError::NoSecret(arn.to_owned()));
        };
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if region.is_empty()
            || !region.bytes().all(is_word)
            || account.is_empty()
            || !account.bytes().all(|byte| byte.is_ascii_digit())
            || name.is_empty()
            || !name.bytes().all(visible)
        {
            return Err(SecretArnError::NoSecret(arn.to_owned()));
        }
        let service = Service::of("secretsmanager", partition, region, "SECRETS_MANAGER");
        Ok(Self {
            arn: arn.to_owned(),
            service: service.map_err(|_| SecretArnError::Partition(partition.to_owned()))?,
            known: Mutex::new(None),
        })
    }

    /// The credentials, read once.
    ///
    /// # Errors
    ///
    /// The secret cannot be read, in words that follow the registry's name.
    pub(crate) async fn given(&self) -> Result<Given, String> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            return Ok(known.given.clone());
        }
        let given = self.read().await?;
        *known = Some(Known {
            given: given.clone(),
            again: None,
        });
        Ok(given)
    }

    /// Other credentials in place of those that the registry has refused: the secret may hold others since. Read once more at most every [`SECRET_AGAIN_SECS`]. None: there are no others.
    ///
    /// # Errors
    ///
    /// The secret cannot be read, in words that follow the registry's name.
    pub(crate) async fn instead_of(&self, refused: &Given) -> Result<Option<Given>, String> {
        let mut known = self.known.lock().await;
        let pause = Duration::from_secs(SECRET_AGAIN_SECS);
        match &*known {
            // Read again for another request.
            Some(known) if known.given != *refused => return Ok(Some(known.given.clone())),
            Some(Known {
                again: Some(again), ..
            }) if again.elapsed() < pause => return Ok(None),
            _ => {}
        }
        let given = self.read().await?;
        let is_other = given != *refused;
        *known = Some(Known {
            given: given.clone(),
            again: Some(Instant::now()),
        });
        Ok(is_other.then_some(given))
    }

    async fn read(&self) -> Result<Given, String> {
        let body = format!(r#"{{"SecretId":"{}"}}"#, self.arn);
        let answer = self.service.call(TARGET, &body).await;
        let answer = answer.map_err(|said| self.cannot(&said))?;
        if !answer.status.is_success() {
            return Err(self.cannot(&refused(&answer)));
        }
        let Ok(Value { secret_string }) = serde_json::from_slice(&answer.body) else {
            return Err(self.cannot(
                &"has no text: expected a SecretString, found a binary secret or another answer",
            ));
        };
        given(&secret_string).map_err(|said| self.cannot(&said))
    }

    fn cannot(&self, said: &dyn fmt::Display) -> String {
        format!("cannot be asked: the secret {} {said}", self.arn)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("arn", &self.arn)
            .finish_non_exhaustive()
    }
}

fn refused(answer: &Answer) -> String {
    let status = answer.status;
    let Some(kind) = refusal(answer) else {
        return format!("cannot be read: the answer {status} is no error of Secrets Manager's");
    };
    let cure = match kind.as_str() {
        "ResourceNotFoundException" => ": create it, or correct the ARN",
        "AccessDeniedException" => {
            ": allow the function's role secretsmanager:GetSecretValue on it, and kms:Decrypt if it has a key of its own"
        }
        _ => "",
    };
    format!("cannot be read: {status}, {kind}{cure}")
}

fn given(text: &str) -> Result<Given, &'static str> {
    if text.trim_start().starts_with('{') {
        return match serde_json::from_str(text) {
            Ok(Basic { username, password }) => Ok(Given::Basic {
                user: username,
                password,
            }),
            // What is wrong is never shown: it is a secret.
            Err(_) => Err(
                "has no credentials: expected JSON with the keys `username` and `password`, both texts, found other JSON; or write `USER:PASSWORD`, or a bearer token",
            ),
        };
    }
    Ok(match text.split_once(':') {
        Some((user, password)) => Given::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        },
        None => Given::Bearer(text.to_owned()),
    })
}

#[derive(Deserialize)]
struct Basic {
    username: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    secret_string: String,
}

#[cfg(test)]
mod tests {
    use super::{Given, Secret, given};

    fn basic(user: &str, password: &str) -> Given {
        Given::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn a_secrets_text_is_jsons_user_and_password_or_both_around_a_colon_or_a_token() {
        let json = r#"{"username": "shop", "password": "a:b"}"#;

        assert!(given(json) == Ok(basic("shop", "a:b")));
        assert!(given("shop:a:b") == Ok(basic("shop", "a:b")));
        assert!(given("token") == Ok(Given::Bearer("token".to_owned())));
    }

    #[test]
    fn json_without_username_and_password_says_which_keys_are_expected() {
        for json in [
            r#"{"user": "shop", "pass": "hunter2"}"#,
            r#"{"username": "shop"}"#,
            r#" {"username": 1, "password": "hunter2"}"#,
            "{",
        ] {
            let Err(said) = given(json) else {
                panic!("{json}");
            };
            assert!(said.contains("`username` and `password`"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn only_the_arn_of_a_secret_is_taken() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/registry-AbCdEf";
        assert!(Secret::new(arn).is_ok());
        for arn in [
            "shop",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
            "arn:aws:secretsmanager::123456789012:secret:shop",
            "arn:aws:secretsmanager:eu-central-1:1:secret:a\"b",
            "arn:aws:sqs:eu-central-1:123456789012:shop",
        ] {
            assert!(Secret::new(arn).is_err(), "{arn}");
        }
    }
}
