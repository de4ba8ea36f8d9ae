//! Where what failed is sent: addresses, and one sender for each service.
//!
//! - [`address`] reads the text of a destination (a file, a queue, a topic, a bucket), and holds a topic's name to Kafka's rule.
//! - [`send`] sends bytes with their attributes to an address, and says for each whether the other side has it.
//!
//! A sender knows nothing of what it carries: the framework makes dead letters of rejected records, the mapping Lambda's own
//! documents of what it gives up. A file takes no feature; each service has one, which brings its client.

// The text of a destination.
pub mod address;

// To a file, a queue, a topic, a bucket.
pub mod send;

// Every bound, to look up.
pub mod limits;
