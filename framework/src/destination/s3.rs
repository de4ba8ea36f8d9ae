//! A destination that puts letters into an S3 bucket: how a letter becomes an object.

use std::fmt;

use futures_util::StreamExt;
use futures_util::stream;
use md5::{Digest, Md5};
use msk_destinations::address::Address;
use msk_destinations::send::aws_sdk_s3::Client;
use msk_destinations::send::{NewObject, Progress, S3, ServiceError};

use crate::destination::{DeadLetter, Destination, SendError, patience};
use crate::limits::S3_PUTS_AT_ONCE_MAX;

/// A destination that puts letters into an S3 bucket, one object per letter. `LAMBDA_MSK_ON_FAILURE=s3://BUCKET/PREFIX` or the bucket's ARN; needs the feature `s3`.
///
/// An object is the envelope, named `PREFIX/TOPIC/PARTITION/OFFSET-TIMESTAMP.json`: the timestamp is the record's own, in milliseconds since 1970, or -1. It replaces no other
/// (`If-None-Match`). If an object of that name holds this record, rejected after as many redrives, the letter is confirmed; an object of another record (the topic was made
/// anew, or another cluster or function shares the prefix) stays, and the letter gets the name `OFFSET-TIMESTAMP-FINGERPRINT.json`. So a letter that is sent twice makes one object.
///
/// The function's role needs `s3:PutObject` on the objects, `s3:GetObject` to compare one that exists, and `kms:GenerateDataKey` and `kms:Decrypt` where the bucket is
/// encrypted with a key of its own. An address names no region: the bucket must be in the function's.
///
/// There is no limit of size: any record of an event fits. Retries are as for [`SqsDestination`](crate::destination::SqsDestination).
pub struct S3Destination {
    bucket: S3,
}

impl S3Destination {
    /// Creates a destination for `s3://BUCKET/PREFIX` or a bucket's ARN, with a client of its own.
    ///
    /// # Errors
    ///
    /// The text names no bucket. A bucket that does not exist is only noticed with the first letter.
    pub fn new(bucket: &str) -> Result<Self, S3BucketError> {
        let (name, prefix) = read(bucket)?;
        Ok(Self::at(name, prefix))
    }

    /// Creates a destination for `s3://BUCKET/PREFIX` or a bucket's ARN, with the given client: its region, endpoint, credentials, time-outs and retries.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_client(client: Client, bucket: &str) -> Result<Self, S3BucketError> {
        let (name, prefix) = read(bucket)?;
        let bucket = S3::with_client(client, name, prefix);
        Ok(Self { bucket })
    }

    pub(crate) fn at(name: String, prefix: String) -> Self {
        let bucket = S3::new(name, prefix);
        Self { bucket }
    }

    /// Puts one letter. Returns its object's URL.
    pub(super) async fn put(
        &self,
        letter: &DeadLetter,
        progress: &Progress,
    ) -> Result<String, ServiceError> {
        let record = letter.record();
        let coordinates = (record.topic(), record.partition(), record.offset());
        let (topic, partition, offset) = coordinates;
        let timestamp = record.timestamp_millis();
        let object = NewObject {
            name: &format!("{topic}/{partition}/{offset}-{timestamp}"),
            fingerprint: &fingerprint(letter),
            body: &letter.envelope(),
        };
        self.bucket.put_new(object, progress).await
    }
}

/// The text names no S3 bucket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an S3 bucket, `s3://BUCKET/PREFIX` or `arn:aws:s3:::BUCKET`")]
#[non_exhaustive]
pub struct S3BucketError;

fn read(text: &str) -> Result<(String, String), S3BucketError> {
    match Address::parse(text) {
        Ok(Address::Bucket { name, prefix }) => Ok((name, prefix)),
        Ok(_) | Err(_) => Err(S3BucketError),
    }
}

/// What tells a letter's object from another of the same coordinates and time: the record as it was delivered, its cluster and namespace, and the redrives. The last, because
/// a redriver takes the former letter away once the record is rejected anew.
fn fingerprint(letter: &DeadLetter) -> String {
    let mut hash = Md5::new();
    let named = letter.named();
    for part in [&*named.cluster, &*named.namespace] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(letter.redrives().to_be_bytes());
    hash.update(letter.record().raw_json());
    format!("{:032x}", u128::from_be_bytes(hash.finalize().into()))
}

impl Destination for S3Destination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let Some(patience) = patience(letters) else {
            return Vec::new();
        };
        let progress = Progress::begin(patience);
        let mut puts = Vec::with_capacity(letters.len());
        for letter in letters {
            puts.push(async {
                let put = self.put(letter, &progress).await;
                put.map(drop).map_err(SendError::new)
            });
        }
        let puts = stream::iter(puts).buffered(S3_PUTS_AT_ONCE_MAX);
        puts.collect().await
    }

    fn describe(&self) -> String {
        self.bucket.to_string()
    }
}

impl fmt::Debug for S3Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Destination")
            .field("bucket", &self.bucket.to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod killed_real;
#[cfg(test)]
mod real;
#[cfg(test)]
pub(in crate::destination) mod tests;
