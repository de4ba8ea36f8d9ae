//! A build without the feature `schemas`: no payload is read by a schema.

use bytes::Bytes;
use lambda_msk::Record;

use super::part::Part;
use super::unread::Unread;
use crate::flags::registry::Named;

/// Reads nothing.
#[derive(Debug, Default)]
pub(crate) struct Reader;

impl Reader {
    #[expect(clippy::unused_async, reason = "the other build asks a registry")]
    pub(super) async fn read(
        &self,
        _: &[&Record],
        _: Part,
    ) -> (Vec<Option<Result<Bytes, String>>>, Option<Unread>) {
        let reason = "this build of cargo msk lacks the feature schemas";
        (Vec::new(), Some(Unread::Because(reason.to_owned())))
    }

    /// The reader of a function with these variables, behind a mapping with that registry.
    pub(crate) fn of(_: &[(String, String)], _: Option<Named>) -> Self {
        Self
    }
}
