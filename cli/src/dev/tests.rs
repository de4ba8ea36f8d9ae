//! What can be told without a broker.
