//! A source that is only looked at. Called by `list` and `show`.

use super::flags;
use super::source::{Read, Source, Use};
use crate::fault::Fault;

/// All that lies in a source that is only looked at.
pub(crate) async fn look(from: &flags::From) -> Result<(Source, Read), Fault> {
    let mut source = Source::open(&from.from, &from.reach()).await?;
    let read = source.read(Use::Look).await?;
    Ok((source, read))
}
