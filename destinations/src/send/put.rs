//! One object that replaces none, with retries. Called by `s3`.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use tokio::time::{Instant, sleep};

use super::chance::back_off;
use super::error::{Failed, ServiceError};
use super::patience::Progress;

/// The entry of an object's metadata that tells what it holds: `x-amz-meta-lambda-msk-fingerprint`.
pub const FINGERPRINT: &str = "lambda-msk-fingerprint";

/// An object of JSON that replaces none.
#[derive(Clone, Copy)]
pub struct NewObject<'o> {
    /// The name behind the prefix, without `.json`.
    pub name: &'o str,
    /// What tells this object from any other of that name: letters and digits.
    pub fingerprint: &'o str,
    /// The JSON.
    pub body: &'o str,
}

/// Sizes alone.
impl std::fmt::Debug for NewObject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewObject")
            .field("name", &self.name)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What came of putting an object.
pub(super) enum Put {
    /// It stands there.
    Stands,
    /// Another object has the name.
    Another,
}

pub(super) struct Putting<'p> {
    pub(super) client: &'p Client,
    pub(super) bucket: &'p str,
    pub(super) object: NewObject<'p>,
    pub(super) progress: &'p Progress,
}

impl Putting<'_> {
    /// Puts the object under that key, and tries again what may pass.
    pub(super) async fn put(&self, key: &str) -> Result<Put, ServiceError> {
        let place = format!("s3://{}/{key}", self.bucket);
        let mut said = None;
        for tried in 0.. {
            if self.progress.is_over() {
                break;
            }
            // On the heap: the SDK's future takes kilobytes.
            let once = Box::pin(self.once(key, &place));
            match self.progress.in_time(once).await {
                Some(Ok(put)) => {
                    self.progress.went_on();
                    return Ok(put);
                }
                Some(Err(failed)) if !failed.passes => return Err(failed.error),
                Some(Err(failed)) => said = Some(failed.error),
                // A reason from an earlier try says more.
                None => return Err(said.unwrap_or_else(|| ServiceError::no_answer(&place))),
            }
            let wait = back_off(tried);
            if Instant::now() + wait >= self.progress.until() {
                break;
            }
            sleep(wait).await;
        }
        Err(said.unwrap_or_else(|| ServiceError::not_sent(&place)))
    }

    async fn once(&self, key: &str, place: &str) -> Result<Put, Failed> {
        let request = self.client.put_object().bucket(self.bucket).key(key);
        let request = request
            .if_none_match("*")
            .content_type("application/json")
            .metadata(FINGERPRINT, self.object.fingerprint)
            .body(ByteStream::from(self.object.body.as_bytes().to_vec()));
        let Err(error) = request.send().await else {
            return Ok(Put::Stands);
        };
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        match status {
            Some(412) => self.stands(key, place).await,
            _ => {
                let failed = Failed::of(place, error, put_advice);
                Err(also_passes(failed, status, &[409]))
            }
        }
    }

    /// Whether the object that has the name is this one.
    async fn stands(&self, key: &str, place: &str) -> Result<Put, Failed> {
        let request = self.client.head_object().bucket(self.bucket).key(key);
        let head = match request.send().await {
            Ok(head) => head,
            Err(error) => {
                let status = error.raw_response().map(|answer| answer.status().as_u16());
                let failed = Failed::of(place, error, head_advice);
                return Err(also_passes(failed, status, &[404]));
            }
        };
        let known = head.metadata().and_then(|all| all.get(FINGERPRINT));
        Ok(
            match known.map(String::as_str) == Some(self.object.fingerprint) {
                true => Put::Stands,
                false => Put::Another,
            },
        )
    }
}

/// A request that collides with another one for the same key passes, and so does an object that went away between two requests.
fn also_passes(failed: Failed, status: Option<u16>, passing: &[u16]) -> Failed {
    let slow = ["SlowDown", "RequestTimeout"].contains(&&*failed.code);
    let passes = failed.passes || slow || status.is_some_and(|it| passing.contains(&it));
    Failed { passes, ..failed }
}

fn put_advice(status: u16, code: &str) -> Option<&'static str> {
    match (status, code) {
        (_, code) if code.contains("NoSuchBucket") => Some("; check the bucket's name"),
        (301, _) | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
            Some("; the bucket is in another region: use one in the function's region")
        }
        (_, code) if code.to_ascii_lowercase().contains("kms") => Some(
            "; the function's role needs `kms:GenerateDataKey` and `kms:Decrypt` on the bucket's key",
        ),
        (_, "AccessDenied") => Some("; the function's role needs `s3:PutObject` on its objects"),
        _ => None,
    }
}

/// An answer to HEAD has no body, so often no code.
fn head_advice(status: u16, _: &str) -> Option<&'static str> {
    (status == 403).then_some(
        "; an object of that name exists, and to compare it the function's role needs `s3:GetObject` on the bucket's objects",
    )
}
