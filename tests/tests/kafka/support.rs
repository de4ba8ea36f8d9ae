//! What these tests have in common: a broker, topics, functions, the service that the sample function calls.

use std::net::{Ipv4Addr, TcpListener};
use std::panic::Location;
use std::time::Duration;

use tokio::time::timeout;

pub(crate) mod aws;
pub(crate) mod broker;
#[path = "../services/support/bucket.rs"]
#[allow(dead_code, reason = "it can do more than these tests ask for")]
pub(crate) mod bucket;
pub(crate) mod build;
pub(crate) mod echo;
#[path = "../../../mapping/tests/support/function.rs"]
#[allow(dead_code, reason = "it can do more than these tests ask for")]
pub(crate) mod function;
pub(crate) mod group;
pub(crate) mod http;
pub(crate) mod posts;
pub(crate) mod proxy;
pub(crate) mod redrive;
pub(crate) mod registry;
pub(crate) mod seen;
pub(crate) mod server;
pub(crate) mod service;
#[path = "../services/support/table.rs"]
#[allow(dead_code, reason = "it can do more than these tests ask for")]
pub(crate) mod table;
pub(crate) mod unread;

/// Far longer than anything here takes.
const ENDS: Duration = Duration::from_secs(120);

/// A port that nobody listens at, below those that connections take: a server that was killed finds it free when it comes back, whatever runs beside its test.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..20_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// What a run comes to, or a failure where it hangs.
#[track_caller]
pub(crate) fn ends<T>(run: impl Future<Output = T>) -> impl Future<Output = T> {
    let waiting = Location::caller();
    // A whole run is large, and would lie on the stack of every test.
    let run = timeout(ENDS, Box::pin(run));
    async move {
        let ended = run.await;
        ended.unwrap_or_else(|_| panic!("what {waiting} waits for does not end"))
    }
}
