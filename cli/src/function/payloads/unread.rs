//! Why typed keys and values cannot be read by a schema.

/// Why typed payloads cannot be read. How they are shown instead says who shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Nothing names a registry.
    #[cfg_attr(
        not(feature = "schemas"),
        expect(dead_code, reason = "this build asks none")
    )]
    NoRegistry,
    Because(String),
}

impl Unread {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::NoRegistry => {
                "LAMBDA_MSK_SCHEMA_REGISTRY and --schema-registry-uri name no registry"
            }
            Self::Because(reason) => reason,
        }
    }
}
