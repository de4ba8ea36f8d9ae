//! Destinations for failed records: addresses, and one sender for each service.
//!
//! - [`address`] reads the text of a destination (a file, a queue, a topic, a bucket), and checks topic names against Kafka's rules.
//! - [`send`] has a sender for each service, with the service's own verb: a file appends lines, SQS sends a batch of messages, SNS publishes, S3 puts an object,
//!   Kafka sends records. Each reports whether the receiver has confirmed; SQS reports it for each message.
//!
//! A sender does not create its payload. The framework makes dead letters of rejected records (`DeadLetter::envelope`), and `msk-mapping` makes Lambda's own
//! documents about records that it gives up; both are called letters here. The caller chooses the sender for an address: `destination` in the framework,
//! `cargo msk dev` for a mapping. The file sender needs no feature; each service has a feature, which brings its client.

// The text of a destination.
pub mod address;

// To a file, a queue, a topic, a bucket.
pub mod send;

// Every bound, to look up.
pub mod limits;
