//! Every bound of this crate, unit last, with its reason.

/// Maximum number of schemas that a process keeps; beyond it the least recently used go. A function reads a handful of topics, each with some versions.
pub const SCHEMAS_KEPT_MAX: usize = 1_000;

/// Maximum number of ids that are remembered as not found. Beyond it the oldest go and are asked for again.
pub const NOT_FOUND_KEPT_MAX: usize = 10_000;

/// Time for which "not found" is believed: a schema may be registered late, and an unknown id must not cost a request a record.
pub const NOT_FOUND_SECS: u64 = 30;

/// Maximum time of one fetch with its references, however many wait for it. Callers that have more time start another.
pub const FETCH_MS_MAX: u64 = 5_000;

/// Maximum size of one answer of a registry. Confluent's own limit for a schema is 1 MB by default; in JSON its quotes are escaped.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Maximum size of a schema's text with the texts of all its references.
pub const SCHEMA_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Maximum number of distinct schemas that one schema refers to, directly or not.
pub const REFERENCES_MAX: usize = 500;

/// Maximum number of references with each counted as often as others refer to it: each has its place in [`Source`](crate::id::Source).
pub const REFERENCES_REPEATED_MAX: usize = 10_000;

/// Maximum depth of references.
pub const REFERENCES_DEPTH_MAX: usize = 32;

/// Maximum number of references that are fetched concurrently.
pub const REFERENCES_CONCURRENCY: usize = 8;

/// Maximum number of messages in one Protobuf file, nested ones and map entries included.
pub const PROTOBUF_MESSAGES_MAX: usize = 100_000;

/// Maximum number of characters of a library's own words about a schema: they may repeat the whole schema.
pub const SCHEMA_ERROR_CHARS_MAX: usize = 300;

/// Maximum size of a Protobuf message that is converted from or to JSON: a record of Kafka's default size eight times over.
pub const PROTOBUF_JSON_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Maximum depth of messages in `google.protobuf.Any`: each level is decoded for itself.
pub const PROTOBUF_ANY_DEPTH_MAX: usize = 16;
