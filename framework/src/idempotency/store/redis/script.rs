//! One swap as one script on one key, and its answer. Called by `redis`.

use std::str;

use bytes::Bytes;
use redis::Value;

use crate::idempotency::store::{Change, Expect, Item, Status, Swap, Version};
use crate::limits::{REDIS_EXPIRY_S_MAX, REDIS_EXPIRY_SLACK_S};

/// Begins each key.
const PREFIX: &str = "lambda-msk:";

/// The fields of a key, in the order in which they are read. The names are those of the DynamoDB store.
pub(super) const FIELDS: [&str; 7] = [
    "owner",
    "seq",
    "status",
    "in_progress_expiration",
    "expiration",
    "data",
    "validation",
];

/// Reads, compares and writes one key; a key that is written gets an expiry. As `Expect::holds` and `Change::applied`.
///
/// A sequence is compared as text and raised as a whole number of 64 bits; times are below 2^53, where Lua's numbers are exact.
pub(super) const SWAP: &str = "\
local function read()
  return redis.call('HMGET', KEYS[1], 'owner', 'seq', 'status', 'in_progress_expiration', 'expiration', 'data', 'validation')
end
local at = read()
local exists = at[3] ~= false
local holds = not exists
if ARGV[1] == 'version' then
  holds = exists and at[1] == ARGV[2] and at[2] == ARGV[3]
elseif ARGV[1] == 'free' and exists then
  holds = (tonumber(at[5]) or math.huge) < tonumber(ARGV[3])
    or (at[3] == 'INPROGRESS' and (tonumber(at[4]) or math.huge) < tonumber(ARGV[2]))
end
if not holds then
  return {0, at}
end
if ARGV[4] == 'delete' then
  redis.call('DEL', KEYS[1])
  return {1}
end
if ARGV[4] == 'put' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HINCRBY', KEYS[1], 'seq', ARGV[6])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('EXPIREAT', KEYS[1], ARGV[5])
if ARGV[4] == 'put' then
  return {1}
end
return {1, read()}
";

/// A reply that cannot be read, and why. Never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its field `{field}` {why}")]
pub(super) struct Unreadable {
    field: &'static str,
    why: &'static str,
}

/// What a script said.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// *None: a put or a delete, whose outcome is known here.*
    Applied(Option<Item>),
    /// *None: there is no item.*
    Refused(Option<Item>),
}

/// The one key of an item.
pub(super) fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// The arguments of [`SWAP`].
pub(super) fn arguments(swap: &Swap) -> Vec<Bytes> {
    let mut arguments = Vec::with_capacity(20);
    match &swap.expect {
        Expect::Absent => arguments.extend([text("absent"), Bytes::new(), Bytes::new()]),
        Expect::Version(Version { owner, seq }) => {
            arguments.extend([text("version"), text(owner), number(*seq)]);
        }
        Expect::Free { at_ms } => {
            arguments.extend([text("free"), number(*at_ms), number(at_ms / 1000)]);
        }
    }
    match &swap.change {
        Change::Put(item) => {
            arguments.extend([text("put"), expiry(item.expires_s), Bytes::new()]);
            put(&mut arguments, item);
        }
        Change::Hold {
            owner,
            raise,
            held_until_ms,
            expires_s,
        } => {
            arguments.extend([text("hold"), expiry(*expires_s), number(*raise)]);
            field(&mut arguments, "owner", text(owner));
            field(&mut arguments, "status", text(Status::InProgress.as_str()));
            times(&mut arguments, *held_until_ms, *expires_s);
        }
        Change::Delete => arguments.push(text("delete")),
    }
    arguments
}

fn put(arguments: &mut Vec<Bytes>, item: &Item) {
    field(arguments, "status", text(item.status.as_str()));
    times(arguments, item.held_until_ms, item.expires_s);
    if let Some(version) = &item.version {
        field(arguments, "owner", text(&version.owner));
        field(arguments, "seq", number(version.seq));
    }
    if !item.data.is_empty() {
        field(arguments, "data", item.data.clone());
    }
    if let Some(validation) = &item.validation {
        field(arguments, "validation", text(validation));
    }
}

fn times(arguments: &mut Vec<Bytes>, held_until_ms: u64, expires_s: u64) {
    field(arguments, "in_progress_expiration", number(held_until_ms));
    field(arguments, "expiration", number(expires_s));
}

fn field(arguments: &mut Vec<Bytes>, name: &'static str, value: Bytes) {
    arguments.extend([Bytes::from_static(name.as_bytes()), value]);
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn number(number: u64) -> Bytes {
    number.to_string().into()
}

/// When Redis may delete the key.
fn expiry(expires_s: u64) -> Bytes {
    number(expires_s.min(REDIS_EXPIRY_S_MAX) + REDIS_EXPIRY_SLACK_S)
}

/// The answer of [`SWAP`].
pub(super) fn said(reply: Value) -> Result<Said, Unreadable> {
    let strange = Unreadable {
        field: "status",
        why: "is in an answer of another form",
    };
    let Value::Array(parts) = reply else {
        return Err(strange);
    };
    let mut parts = parts.into_iter();
    let (applied, fields) = (parts.next(), parts.next());
    let item = fields.map(item).transpose()?.flatten();
    match applied {
        Some(Value::Int(1)) => Ok(Said::Applied(item)),
        Some(Value::Int(0)) => Ok(Said::Refused(item)),
        _ => Err(strange),
    }
}

/// The item that these [`FIELDS`] make. *None: there is no such key.*
pub(super) fn item(fields: Value) -> Result<Option<Item>, Unreadable> {
    let mut fields = FieldReader::new(fields);
    let owner = fields.text("owner")?;
    let seq = fields.number("seq")?;
    let Some(status) = fields.text("status")? else {
        return Ok(None);
    };
    let status = match &*status {
        "INPROGRESS" => Status::InProgress,
        "COMPLETED" => Status::Completed,
        _ => {
            return Err(Unreadable {
                field: "status",
                why: "is neither INPROGRESS nor COMPLETED",
            });
        }
    };
    let version = match (owner, seq) {
        (Some(owner), Some(seq)) => Some(Version {
            owner: owner.into(),
            seq,
        }),
        _ => None,
    };
    let missing = |field| Unreadable {
        field,
        why: "is missing",
    };
    let held_until = fields.number("in_progress_expiration")?;
    let expires = fields.number("expiration")?;
    Ok(Some(Item {
        version,
        status,
        held_until_ms: held_until.ok_or(missing("in_progress_expiration"))?,
        expires_s: expires.ok_or(missing("expiration"))?,
        data: fields.bytes("data")?.unwrap_or_default(),
        validation: fields.text("validation")?.map(Into::into),
    }))
}

/// Takes the fields in their order.
struct FieldReader(std::vec::IntoIter<Value>);

impl FieldReader {
    fn new(fields: Value) -> Self {
        let fields = match fields {
            Value::Array(fields) => fields,
            _ => Vec::new(),
        };
        Self(fields.into_iter())
    }

    fn bytes(&mut self, field: &'static str) -> Result<Option<Bytes>, Unreadable> {
        match self.0.next() {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::BulkString(bytes)) => Ok(Some(bytes.into())),
            Some(Value::SimpleString(text)) => Ok(Some(text.into())),
            Some(_) => Err(Unreadable {
                field,
                why: "is not a string",
            }),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<Option<String>, Unreadable> {
        let Some(bytes) = self.bytes(field)? else {
            return Ok(None);
        };
        let why = "is not UTF-8";
        let text = str::from_utf8(&bytes).map_err(|_| Unreadable { field, why })?;
        Ok(Some(text.to_owned()))
    }

    fn number(&mut self, field: &'static str) -> Result<Option<u64>, Unreadable> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let why = "is not a 64-bit whole number";
        text.parse()
            .map(Some)
            .map_err(|_| Unreadable { field, why })
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::{FIELDS, SWAP, Said, arguments, item, key, said};
    use crate::idempotency::store::{Change, Expect, Item, Swap};

    fn texts(swap: &Swap) -> Vec<String> {
        let arguments = arguments(swap).into_iter();
        arguments
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    #[test]
    fn every_key_that_is_written_gets_an_expiry_that_redis_can_count() {
        for (expires_s, expiry) in [(1_000, "1060"), (u64::MAX, "253402300859")] {
            let hold = Change::Hold {
                owner: "a".into(),
                raise: 7,
                held_until_ms: 1,
                expires_s,
            };
            for change in [Change::Put(Item::new(None, expires_s)), hold] {
                let swap = Swap::new("a".into(), Expect::Absent, change);
                assert_eq!(texts(&swap)[4], expiry);
            }
        }
    }

    #[test]
    fn the_script_reads_the_fields_in_their_order_and_one_key() {
        let quoted: Vec<String> = FIELDS.iter().map(|field| format!("'{field}'")).collect();

        assert!(SWAP.contains(&quoted.join(", ")));
        assert!(!SWAP.contains("KEYS[2]"));
        assert_eq!(key("shop/c/orders/1"), "lambda-msk:shop/c/orders/1");
    }

    #[test]
    fn an_answer_of_another_form_is_an_error_and_no_panic() {
        let text = |text: &str| Value::BulkString(text.into());
        for reply in [
            Value::Nil,
            Value::Okay,
            Value::Array(vec![]),
            Value::Array(vec![Value::Int(2)]),
            Value::Array(vec![text("secret")]),
            Value::Array(vec![Value::Int(0), Value::Array(vec![Value::Int(1)])]),
        ] {
            let error = said(reply).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let fields = |status: &str, held: &str| {
            let nil = || Value::Nil;
            Value::Array(vec![
                nil(),
                nil(),
                text(status),
                text(held),
                text("1"),
                nil(),
                nil(),
            ])
        };
        assert!(item(fields("secret", "1")).is_err());
        assert!(item(fields("INPROGRESS", "secret")).is_err());
        assert!(item(fields("INPROGRESS", "1")).unwrap().is_some());
        let none = Value::Array(vec![Value::Int(0), Value::Array(vec![Value::Nil; 7])]);
        assert_eq!(said(none).unwrap(), Said::Refused(None));
    }
}
