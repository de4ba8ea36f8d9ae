//! What these tests have in common: a broker, topics, functions, the service that the sample function calls.

pub(crate) mod broker;
pub(crate) mod build;
pub(crate) mod echo;
#[path = "../../../../mapping/tests/support/function.rs"]
#[allow(dead_code, reason = "it can do more than these tests ask for")]
pub(crate) mod function;
pub(crate) mod group;
pub(crate) mod service;

/// Far longer than anything here takes.
const ENDS: std::time::Duration = std::time::Duration::from_secs(120);

/// What a run comes to, or a failure where it hangs.
pub(crate) async fn ends<T>(run: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(ENDS, run).await;
    ended.expect("it does not end")
}
