//! The variants of an event: the source's name, and how Lambda writes a missing key or value.

/// The source of the records, as the event names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Amazon MSK.
    Msk {
        /// The cluster's ARN.
        arn: String,
        /// The brokers, `HOST:PORT`, joined by commas. None: the event does not name them.
        bootstrap_servers: Option<String>,
    },
    /// Any other cluster.
    SelfManaged {
        /// The brokers, `HOST:PORT`, joined by commas. None: the event does not name them.
        bootstrap_servers: Option<String>,
    },
}

impl Source {
    /// The event's `eventSource`.
    pub const fn event_source(&self) -> &'static str {
        match self {
            Self::Msk { .. } => "aws:kafka",
            Self::SelfManaged { .. } => "SelfManagedKafka",
        }
    }

    /// The cluster's ARN. None: a self-managed cluster has none.
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Msk { arn, .. } => Some(arn),
            Self::SelfManaged { .. } => None,
        }
    }

    /// The brokers, joined by commas.
    pub fn bootstrap_servers(&self) -> Option<&str> {
        match self {
            Self::Msk {
                bootstrap_servers, ..
            }
            | Self::SelfManaged { bootstrap_servers } => bootstrap_servers.as_deref(),
        }
    }
}

/// How the event shows a missing key or value. Lambda was seen to write both; its documentation has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Nulls {
    /// The field is missing.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
}
