//! Letters in an S3 bucket: an object each.

use msk_destinations::send::S3;
use msk_destinations::send::aws_sdk_s3::Client;

use super::found::{self as words, Found, LETTERS_MAX, More, Read, Receipt};
use super::sdk;
use crate::dlq::document::{self, Foreign};
use crate::fault::Fault;

/// A letter of Lambda holds an event of 6 MB as text, with each quote escaped.
const OBJECT_BYTES_MAX: i64 = 16 * 1024 * 1024;

pub(crate) struct Bucket {
    s3: S3,
    name: String,
    prefix: String,
}

/// The bucket and the key of an address of S3.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    let rest = match text.strip_prefix("s3://") {
        Some(rest) => rest,
        None => text.strip_prefix("arn:")?.splitn(5, ':').last()?,
    };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty() && !bucket.contains(':')).then_some((bucket, key))
}

impl Bucket {
    pub(crate) fn open(text: &str) -> Result<Self, Fault> {
        let (name, prefix) = split(text).ok_or_else(|| words::unknown(text))?;
        let mut prefix = prefix.to_owned();
        // `orders` must not find what lies in `orders-v2/`.
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Ok(Self {
            s3: S3::new(name, ""),
            name: name.to_owned(),
            prefix,
        })
    }

    pub(crate) async fn read(&self) -> Result<Read, Fault> {
        let client = self.s3.client().await;
        let mut all = Vec::new();
        let (mut from, mut unread, mut more) = (None, None, More::Nothing);
        loop {
            let asked = client.list_objects_v2().bucket(&self.name);
            let asked = asked.prefix(&self.prefix).set_continuation_token(from);
            let page = Box::pin(asked.send()).await.map_err(|error| {
                let what = format!("cannot read dead letters from s3://{}", self.name);
                sdk::fault(&what, "s3:ListBucket", error)
            })?;
            for object in page.contents() {
                let Some(key) = object.key() else { continue };
                if key.ends_with('/') {
                    continue;
                }
                if all.len() == LETTERS_MAX {
                    more = More::Rest;
                    break;
                }
                let letter = if object.size().unwrap_or_default() > OBJECT_BYTES_MAX {
                    Err(Foreign::OtherSystem)
                } else {
                    match get(client, &self.name, key).await {
                        Ok(body) => document::read(&body, None),
                        Err(fault) => {
                            unread.get_or_insert(fault);
                            Err(Foreign::Unread)
                        }
                    }
                };
                all.push(Found {
                    at: format!("object {key}"),
                    letter,
                    receipt: Receipt::Object {
                        key: key.to_owned(),
                    },
                });
            }
            from = page.next_continuation_token().map(str::to_owned);
            if from.is_none() || more == More::Rest {
                break;
            }
        }
        // The first one says why; each is counted and named with the others that are no letters.
        if let Some(fault) = unread {
            fault.warn();
        }
        Ok(Read {
            found: all,
            more,
            until: None,
        })
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), Fault> {
        let asked = self.s3.client().await.delete_object();
        let asked = asked.bucket(&self.name).key(key).send();
        Box::pin(asked).await.map(drop).map_err(|error| {
            let what = format!("cannot take a settled letter out of s3://{}", self.name);
            sdk::fault(&what, "s3:DeleteObject", error)
        })
    }
}

async fn get(client: &Client, bucket: &str, key: &str) -> Result<Vec<u8>, Fault> {
    let what = || format!("cannot read a dead letter from s3://{bucket}");
    let asked = client.get_object().bucket(bucket).key(key).send();
    let object = Box::pin(asked)
        .await
        .map_err(|error| sdk::fault(&what(), "s3:GetObject", error))?;
    let body = object.body.collect().await;
    let body = body.map_err(|error| sdk::fault(&what(), "s3:GetObject", error))?;
    Ok(body.to_vec())
}

/// The object that a pointer names.
pub(crate) async fn overflow(url: &str) -> Result<Vec<u8>, Fault> {
    let (bucket, key) = split(url).ok_or_else(|| {
        Fault::new(
            "expected an address s3://BUCKET/KEY in a letter's `overflow`, found another text",
        )
        .help("the letter stays where it is")
    })?;
    let s3 = S3::new(bucket, "");
    get(s3.client().await, bucket, key).await
}

#[cfg(test)]
mod tests {
    use super::Bucket;

    #[test]
    fn a_prefix_is_a_folder() {
        for (text, prefix) in [
            ("s3://b/orders", "orders/"),
            ("s3://b/orders/", "orders/"),
            ("arn:aws:s3:::b/a/b", "a/b/"),
            ("s3://b/", ""),
            ("s3://b", ""),
        ] {
            let bucket = Bucket::open(text).map_err(|fault| fault.text()).unwrap();

            assert_eq!(bucket.prefix, prefix, "{text}");
        }
    }
}
