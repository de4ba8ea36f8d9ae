//! Where what failed is sent: addresses, and one sender for each service.
//!
//! - [`address`] reads the text of a destination (a file, a queue, a topic, a bucket), and holds a topic's name to Kafka's rule.
//! - [`send`] has a client for each service, with the verb of that service: a file appends lines, SQS sends a batch of messages, SNS publishes, S3 puts an object,
//!   Kafka sends records. Each says whether the other side has it; SQS says so for each message.
//!
//! A sender does not make what it carries. The framework makes dead letters of rejected records (`DeadLetter::envelope`), and `msk-mapping` makes Lambda's own
//! documents of what it gives up; both call the payload a letter here. Which sender an address gets is the caller's choice: `destination` in the framework,
//! `cargo msk dev` for a mapping. A file takes no feature; each service has a feature, which brings its client.

// The text of a destination.
pub mod address;

// To a file, a queue, a topic, a bucket.
pub mod send;

// Every bound, to look up.
pub mod limits;
