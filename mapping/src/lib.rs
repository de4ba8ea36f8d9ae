//! The event source mapping outside AWS: the Lambda Runtime API, served on loopback.
