//! Idempotency keys taken from the records themselves. Set in `builder`; read by `delivery` and `claims`.

// JSON as it is hashed.
mod canonical;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};

use crate::caught::caught;
use crate::failure::Rejection;
use crate::idempotency::item_id::record_id;
use crate::idempotency::per_record::canonical::{Node, NotCanonical, write_text};
use crate::limits::{KEY_EXPIRES_AFTER_MS_MAX, KEY_PREFIX_BYTES_MAX};
use crate::record::Record;

/// Idempotency by a key that the record itself holds, instead of its offset: for producers that send the same order twice, as two records.
///
/// Of the records of one topic that have the same key, in any partition, one runs; the others are skipped while the key is kept
/// ([`expires_after`](Self::expires_after)). While one runs, the others wait until it has ended. This costs two writes per record; the ledger
/// by offset costs two per partition and batch.
///
/// A record without the key is rejected with the code `reject.idempotency_key`, since it would otherwise run unprotected without notice.
///
/// The items are those of Powertools for AWS Lambda: with [`key_prefix`](Self::key_prefix), a record that Powertools for Python has completed is skipped here, and
/// vice versa.
///
/// # Example
///
/// ```
/// use lambda_msk::idempotency::PerRecord;
/// use lambda_msk::{Consumer, Failure, Json};
/// use std::time::Duration;
///
/// async fn ship(Json(_order): Json<u64>) -> Result<(), Failure> {
///     Ok(())
/// }
///
/// let by_order = PerRecord::by_json(["/order_id"]).validate_payload().expires_after(Duration::from_secs(3600));
/// let consumer = Consumer::builder().topic("orders", ship).per_record(by_order).build()?;
/// # Ok::<(), lambda_msk::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PerRecord {
    key: KeyFrom,
    validation: Option<Validation>,
    /// *None: as long as the store's default.*
    expires_after: Option<Duration>,
    prefix: Option<Arc<str>>,
    /// *None: values are JSON as they stand.*
    unframe: Option<Unframe>,
}

/// Takes the frame of a schema registry off a value.
#[derive(Clone)]
pub(crate) struct Unframe(Arc<UnframeFn>);

type UnframeFn =
    dyn for<'a> Fn(&'a Record, &'a [u8]) -> Result<Cow<'a, [u8]>, Rejection> + Send + Sync;

impl Unframe {
    pub(crate) fn new(
        unframe: impl for<'a> Fn(&'a Record, &'a [u8]) -> Result<Cow<'a, [u8]>, Rejection>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(unframe))
    }
}

impl fmt::Debug for Unframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unframe")
    }
}

#[derive(Clone)]
enum KeyFrom {
    RecordKey,
    Header(String),
    /// Pointers.
    Json(Vec<String>),
    Closure(Arc<KeyClosure>),
}

type KeyClosure = dyn Fn(&Record) -> Option<String> + Send + Sync;

/// What two records of one key must have in common.
#[derive(Clone, Debug)]
enum Validation {
    Value,
    /// Pointers.
    Fields(Vec<String>),
}

impl PerRecord {
    fn new(key: KeyFrom) -> Self {
        Self {
            key,
            validation: None,
            expires_after: None,
            prefix: None,
            unframe: None,
        }
    }

    /// Uses the record's own key. If it is absent or empty, the record is rejected.
    pub fn by_key() -> Self {
        Self::new(KeyFrom::RecordKey)
    }

    /// Uses a header; if the name repeats, the last header, as in Kafka. If it is absent, null or empty, the record is rejected.
    pub fn by_header(name: impl Into<String>) -> Self {
        Self::new(KeyFrom::Header(name.into()))
    }

    /// Uses a part of the value, which is a JSON document: one [pointer](https://datatracker.ietf.org/doc/html/rfc6901) (`["/order_id"]`) selects one value, several select
    /// a list of values, and `[""]` selects the whole document. The number 7 and the text "7" are two keys, and so are any two different numbers: a number that Python's 64 bits
    /// would round (`1e400`, or more than 17 digits with a fraction) is used with all its digits, so Powertools has another key for it.
    ///
    /// A schema registry's frame before the document (Confluent's, Glue's) is taken off. A handler that takes the value as Avro or Protobuf has no such document: `build` says so.
    ///
    /// Null, an empty text, list or object, or a list or object of nulls only is not a key: the record is rejected.
    pub fn by_json<P: Into<String>>(pointers: impl IntoIterator<Item = P>) -> Self {
        Self::new(KeyFrom::Json(
            pointers.into_iter().map(Into::into).collect(),
        ))
    }

    /// Uses the text that a closure returns for the record. *None, an empty text, or a panic: the record is rejected.*
    pub fn by(key: impl Fn(&Record) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::new(KeyFrom::Closure(Arc::new(key)))
    }

    /// Compares the whole value: a record whose key was delivered before with another value is rejected with the code `reject.payload_mismatch`.
    ///
    /// JSON is compared by its content, without spaces and the order of fields; any other value by its bytes. Items that were written without
    /// this setting compare as equal.
    #[must_use]
    pub fn validate_payload(mut self) -> Self {
        self.validation = Some(Validation::Value);
        self
    }

    /// Compares only these parts of the JSON value: see [`validate_payload`](Self::validate_payload). A part that does not exist counts as null.
    #[must_use]
    pub fn validate_fields<P: Into<String>>(
        mut self,
        pointers: impl IntoIterator<Item = P>,
    ) -> Self {
        let pointers = pointers.into_iter().map(Into::into).collect();
        self.validation = Some(Validation::Fields(pointers));
        self
    }

    /// Sets the time that a key is kept after its record has ended, up to a year. Default: [a day](crate::limits::LEDGER_AGE_MS_MAX) in a durable store,
    /// [15 minutes](crate::limits::MEMORY_LEDGER_AGE_MS) in memory, or [ten](crate::limits::LEDGER_AGE_BEYOND_MS) beyond the function's time-out if that is
    /// longer. A duplicate that is delivered later runs.
    #[must_use]
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.expires_after = Some(time);
        self
    }

    /// Sets the prefix of ids, as Powertools' `key_prefix`: `prefix#hash`. Default: namespace, cluster and topic, so that two topics never share a key; with a prefix
    /// of your own they do.
    ///
    /// To continue with the items of a function that used Powertools for Python, set the prefix of its items: `orders-fn.app.record_handler`.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    pub(crate) fn expiry(&self) -> Option<Duration> {
        self.expires_after
    }

    /// Values may stand behind a frame.
    pub(crate) fn unframed_by(mut self, unframe: Unframe) -> Self {
        self.unframe = Some(unframe);
        self
    }

    /// The method that reads values as JSON, whatever they are. *None: none does.*
    pub(crate) fn reads_json(&self) -> Option<&'static str> {
        match (&self.key, &self.validation) {
            (KeyFrom::Json(_), _) => Some("by_json"),
            (_, Some(Validation::Fields(_))) => Some("validate_fields"),
            _ => None,
        }
    }

    /// The value without its frame. *None: a tombstone.*
    fn value<'a>(&self, record: &'a Record) -> Result<Option<Cow<'a, [u8]>>, Rejection> {
        let Some(value) = record.value() else {
            return Ok(None);
        };
        match &self.unframe {
            Some(Unframe(unframe)) => unframe(record, value).map(Some),
            None => Ok(Some(Cow::Borrowed(value))),
        }
    }

    /// What is wrong with it, for the builder.
    pub(crate) fn check(&self) -> Result<(), String> {
        let pointers = match &self.key {
            KeyFrom::Header(name) if name.is_empty() => {
                return Err("expected a header's name, found an empty one".to_owned());
            }
            KeyFrom::Json(pointers) if pointers.is_empty() => {
                return Err(
                    "expected a pointer in `by_json`, such as `/order_id`, found none".to_owned(),
                );
            }
            KeyFrom::Json(pointers) => pointers.as_slice(),
            KeyFrom::RecordKey | KeyFrom::Header(_) | KeyFrom::Closure(_) => &[],
        };
        let fields = match &self.validation {
            Some(Validation::Fields(pointers)) if pointers.is_empty() => {
                return Err("expected a pointer in `validate_fields`, found none: use `validate_payload()` to compare the whole value".to_owned());
            }
            Some(Validation::Fields(pointers)) => pointers.as_slice(),
            Some(Validation::Value) | None => &[],
        };
        let wrong = |pointer: &&String| !pointer.is_empty() && !pointer.starts_with('/');
        if let Some(pointer) = pointers.iter().chain(fields).find(wrong) {
            return Err(format!(
                "expected a JSON pointer, found `{pointer}`: write `/{pointer}`"
            ));
        }
        let longest = Duration::from_millis(KEY_EXPIRES_AFTER_MS_MAX);
        let second = Duration::from_secs(1);
        if let Some(time) = self.expires_after
            && !(second..=longest).contains(&time)
        {
            return Err(format!(
                "expected {second:?} to {longest:?}, found {time:?}"
            ));
        }
        let graphic = |prefix: &Arc<str>| prefix.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = |prefix: &Arc<str>| (1..=KEY_PREFIX_BYTES_MAX).contains(&prefix.len());
        match &self.prefix {
            Some(prefix) if !fits(prefix) || !graphic(prefix) => Err(format!(
                "expected a prefix of 1 to {KEY_PREFIX_BYTES_MAX} visible ASCII characters"
            )),
            _ => Ok(()),
        }
    }

    fn key_hash(&self, record: &Record) -> Result<String, Rejection> {
        let none = |why: String| Rejection::new(Rejection::IDEMPOTENCY_KEY, why);
        match &self.key {
            KeyFrom::RecordKey => {
                let key = record.key().filter(|key| !key.is_empty());
                key.map(hash_of_bytes).ok_or_else(|| {
                    none("the record has no key, which should be its idempotency key".to_owned())
                })
            }
            KeyFrom::Header(name) => {
                let value = record.header(name).filter(|value| !value.is_empty());
                value.map(hash_of_bytes).ok_or_else(|| {
                    none(format!(
                        "the record has no header `{name}`, which should be its idempotency key"
                    ))
                })
            }
            KeyFrom::Closure(key) => {
                let found = caught(|| key(record));
                let key = found.ok().flatten().filter(|key| !key.is_empty());
                key.map(|key| hash_of_bytes(key.as_bytes())).ok_or_else(|| {
                    none("the closure of `PerRecord::by` returned no idempotency key".to_owned())
                })
            }
            KeyFrom::Json(pointers) => {
                let of = |why: &str| {
                    let at = pointers.join("`, `");
                    none(format!("{why}: no idempotency key at `{at}`"))
                };
                let value = self
                    .value(record)?
                    .ok_or_else(|| of("the record is a tombstone"))?;
                let root = Node::parse(&value).map_err(|_| of("the value is not JSON"))?;
                let found = Found::of(root, pointers);
                if found.is_missing() {
                    return Err(of("the value has nothing there"));
                }
                found.hash().map_err(|why| match why {
                    NotCanonical::NotJson => of("the value is not JSON"),
                    NotCanonical::TooDeep => of("the value is nested too deeply"),
                })
            }
        }
    }

    /// Of the payload that the record's claim is for. *None: payloads are not compared.*
    pub(crate) fn validation(&self, record: &Record) -> Option<Arc<str>> {
        let validation = self.validation.as_ref()?;
        // What cannot be read without its frame is compared with it.
        let value = self.value(record).ok().flatten();
        let value = value.as_deref().or(record.value()).unwrap_or(b"null");
        let by_bytes = || hash_of_bytes(value);
        let hash = match validation {
            Validation::Value => {
                let canonical = Node::parse(value).and_then(|root| Found::One(Some(root)).hash());
                canonical.unwrap_or_else(|_| by_bytes())
            }
            Validation::Fields(pointers) => {
                let canonical =
                    Node::parse(value).and_then(|root| Found::of(root, pointers).hash());
                canonical.unwrap_or_else(|_| by_bytes())
            }
        };
        Some(hash.into())
    }

    /// The id of the record's item.
    ///
    /// # Errors
    ///
    /// The record holds no key: it is rejected.
    pub(crate) fn key(
        &self,
        namespace: &str,
        cluster: &str,
        record: &Record,
    ) -> Result<Arc<str>, Rejection> {
        let hash = self.key_hash(record)?;
        Ok(match &self.prefix {
            Some(prefix) => format!("{prefix}#{hash}").into(),
            None => record_id(namespace, cluster, record.topic(), &hash),
        })
    }
}

/// What pointers lead to: one to a value, several to the list of them. *None: to nothing, which is null.*
enum Found<'a> {
    One(Option<Node<'a>>),
    Several(Vec<Option<Node<'a>>>),
}

impl<'a> Found<'a> {
    fn of(root: Node<'a>, pointers: &[String]) -> Self {
        match pointers {
            [pointer] => Self::One(at(root, pointer)),
            pointers => Self::Several(pointers.iter().map(|pointer| at(root, pointer)).collect()),
        }
    }

    fn is_missing(&self) -> bool {
        match self {
            Self::One(node) => node.is_none_or(Node::is_missing),
            Self::Several(nodes) => nodes.iter().flatten().all(|node| node.is_null()),
        }
    }

    fn hash(&self) -> Result<String, NotCanonical> {
        let mut text = String::new();
        let write = |node: &Option<Node<'_>>, text: &mut String| match node {
            Some(node) => node.write(text),
            None => {
                text.push_str("null");
                Ok(())
            }
        };
        match self {
            Self::One(node) => write(node, &mut text)?,
            Self::Several(nodes) => {
                text.push('[');
                for (index, node) in nodes.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { ", " });
                    write(node, &mut text)?;
                }
                text.push(']');
            }
        }
        Ok(md5(text.as_bytes()))
    }
}

/// RFC 6901: `~1` is a slash, `~0` a tilde.
fn at<'a>(root: Node<'a>, pointer: &str) -> Option<Node<'a>> {
    pointer.split('/').skip(1).try_fold(root, |node, step| {
        node.child(&step.replace("~1", "/").replace("~0", "~"))
    })
}

/// Text is hashed as Powertools does it, in JSON's quotes. What is no text begins with a byte that no JSON begins with.
fn hash_of_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let mut json = String::with_capacity(text.len() + 2);
            write_text(text, &mut json);
            md5(json.as_bytes())
        }
        Err(_) => md5(&[&[0], bytes].concat()),
    }
}

/// Powertools' own hash: it tells keys apart, and keeps nothing secret.
fn md5(bytes: &[u8]) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(bytes).into()))
}

impl fmt::Debug for KeyFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for KeyFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordKey => f.write_str("the record's key"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Json(pointers) => write!(f, "JSON {}", pointers.join(" + ")),
            Self::Closure(_) => f.write_str("a closure"),
        }
    }
}

impl fmt::Display for PerRecord {
    /// For the start line: `by JSON /order_id`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}", self.key)
    }
}

#[cfg(test)]
mod tests;
