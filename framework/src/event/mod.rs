//! The event, from wire to batch, in one pass.
use crate::record::Batch;
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct EventError;
impl EventError {
    pub fn code(&self) -> &'static str {
        "x"
    }
}
pub(crate) fn decode(_: bytes::Bytes) -> Result<Batch, EventError> {
    Err(EventError)
}
