//! What a registry is asked, and what its answers mean. Implemented by `confluent` and `glue`, and in memory for tests; called by `cache`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::id::{SchemaId, Source};

/// An answer that is on its way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Source, FetchError>> + Send + 'a>>;

/// A schema registry.
pub trait Registry: fmt::Debug + Send + Sync + 'static {
    /// Fetches a schema with everything that it refers to. The caller bounds the time.
    fn fetch(&self, id: SchemaId) -> Fetching<'_>;

    /// Whether the registry's schemas have GUIDs, as those of Confluent's API: then a UUID in an event's metadata is one, and no id of AWS Glue's.
    fn has_guids(&self) -> bool {
        false
    }

    /// The registry's place, for messages: its URL without credentials, or its ARN.
    fn place(&self) -> &str;
}

/// Why a schema was not had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The registry says that it has no schema of that id.
    #[error("the registry has no schema {0}")]
    NotFound(SchemaId),
    /// The id is one of another kind of registry, and was not asked for. The text names the registry. In a process that has had a schema from it, this is as good as not found; until then the
    /// registry may be the wrong one, and this is an outage.
    #[error("{0}")]
    Foreign(String),
    /// The registry cannot be reached, is slow, refuses, or its answer is not a registry's: it may be asked again. The text names the registry and the cure.
    #[error("{0}")]
    Unavailable(String),
    /// The schema refers to one that the registry does not have. It may be registered later: it is asked for again after 30 seconds. The text names the reference.
    #[error("{0}")]
    ReferenceNotFound(String),
    /// The registry's schema cannot be used: its references go in a circle, or it is larger than is read.
    #[error("{0}")]
    Unusable(String),
}
