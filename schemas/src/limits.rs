//! Every bound of this crate, unit last, with its reason.

/// Most message indexes of a Protobuf payload: a message that lies deeper in others is not written by hand.
pub const MESSAGE_INDEXES_MAX: usize = 32;

/// Largest payload behind a frame's compression: larger than the largest event, and than a record is on almost all topics. Some kilobytes of an attacker's zeros do not take the memory.
pub const INFLATED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Maximum number of schemas that a process keeps; beyond it the least recently used go. A function reads a handful of topics, each with some versions.
pub const SCHEMAS_KEPT_MAX: usize = 1_000;

/// Maximum number of ids that are remembered as not found. Beyond it the oldest go and are asked for again.
pub const NOT_FOUND_KEPT_MAX: usize = 10_000;

/// Time for which "not found" is believed: a schema may be registered late, and an unknown id must not cost a request a record.
pub const NOT_FOUND_SECS: u64 = 30;

/// Maximum time of one fetch with its references, whether somebody waits for it or not. Callers that have more time start another.
pub const FETCH_MS_MAX: u64 = 5_000;

/// Shortest time between two readings of a secret whose credentials the registry refuses: an operator who changes them waits this long at most, and a refusal for good costs no request a schema.
pub const SECRET_AGAIN_SECS: u64 = 30;

/// Maximum number of requests under way at once, those included that nobody waits for any more: a registry that does not answer is not asked for ever more.
pub const FETCHES_UNDER_WAY_MAX: usize = 64;

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

/// Maximum number of references that a registry's client keeps for other schemas; beyond it all go and are fetched again. As many as schemas.
pub const REFERENCES_KEPT_MAX: usize = SCHEMAS_KEPT_MAX;

/// Maximum number of messages in one Protobuf file, nested ones and map entries included.
pub const PROTOBUF_MESSAGES_MAX: usize = 100_000;

// Avro: values.

/// Records, arrays and maps inside each other in a value. A recursive type nests as deep as its payload says, and each level costs stack.
pub const AVRO_VALUE_DEPTH_MAX: usize = 64;
/// Array elements without any bytes (nulls, empty records) in a payload. Six bytes can announce 10^8 of them.
pub const AVRO_ZERO_SIZE_ELEMENTS_MAX: usize = 10_000;
/// Bytes of a decimal's unscaled value: 308 digits, as many as a double has. The time for its text grows with the square.
pub const AVRO_DECIMAL_BYTES_MAX: usize = 128;
/// Digits of a decimal behind its point: as many as those bytes hold.
pub const AVRO_DECIMAL_DIGITS_MAX: u32 = 308;

// Avro: schemas.

/// Bytes of a schema's text. The largest that Confluent's registry takes with its defaults is of this size, too.
pub const AVRO_SCHEMA_BYTES_MAX: usize = 1 << 20;
/// Types inside each other in a schema's text.
pub const AVRO_SCHEMA_DEPTH_MAX: usize = 64;
/// Types of a schema with those that it refers to: a text of the largest size with one type in every 16 bytes.
pub const AVRO_SCHEMA_TYPES_MAX: usize = 1 << 16;
/// Branches of a union. A union of the writer is compared with each branch of the reader's.
pub const AVRO_UNION_BRANCHES_MAX: usize = 1_024;
/// Schemas that refer to each other in a row.
pub const AVRO_REFERENCES_DEPTH_MAX: usize = 32;
/// Values that all defaults of a schema hold together. Defaults that stand in for each other can double at each step.
pub const AVRO_DEFAULT_VALUES_MAX: usize = 1 << 16;
/// Types inside each other, by name too, while two schemas are compared. Values end at half of it.
pub const AVRO_RESOLUTION_DEPTH_MAX: usize = 128;
/// Nodes of a plan: pairs of a writer's type and a reader's.
pub const AVRO_PLAN_NODES_MAX: usize = 1 << 17;

// Texts of errors.

/// Bytes of a text that a Rust type says of itself ("a day of the week").
pub const EXPECTED_TEXT_BYTES_MAX: usize = 128;
/// Names that a text lists.
pub const NAMES_LISTED_MAX: usize = 20;

/// Maximum number of characters of a library's own words about a schema: they may repeat the whole schema.
pub const SCHEMA_ERROR_CHARS_MAX: usize = 300;

/// Maximum size of a Protobuf message that is converted from or to JSON: a record of Kafka's default size eight times over.
pub const PROTOBUF_JSON_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Maximum depth of messages in `google.protobuf.Any`: each level is decoded for itself.
pub const PROTOBUF_ANY_DEPTH_MAX: usize = 16;

/// Parts of a made-up value: nobody reads a larger example.
pub const MADE_UP_VALUES_MAX: usize = 1 << 16;

/// Bytes of a made-up fixed: as many as a record of Kafka's default size.
pub const MADE_UP_BYTES_MAX: usize = 1 << 20;

/// Depth up to which a made-up Protobuf message has what it must have: as deep as decoders go.
pub const MADE_UP_PROTOBUF_DEPTH_MAX: usize = 100;

/// Depth at which a made-up value stops to go on: optional parts are left out, lists are empty.
pub const MADE_UP_DEPTH_MAX: usize = 4;
