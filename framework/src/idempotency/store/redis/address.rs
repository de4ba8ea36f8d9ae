//! The address of a Redis server. Its text may hold a password, and is never shown. Called by `redis`.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

/// A server, and how it is reached.
pub(super) struct RedisAddress {
    pub(super) info: ConnectionInfo,
    host: String,
    port: u16,
}

/// The text is not the address of a Redis server. It is not shown, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the address of a Redis server, `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or with TLS `rediss://…`; write characters of the password that are no letters or digits as %XX"
)]
pub struct RedisAddressError(());

impl RedisAddress {
    pub(super) fn parse(text: &str) -> Result<Self, RedisAddressError> {
        let error = RedisAddressError(());
        // A password with a `/`, `?` or `#` that is not written as %XX ends the host before its `@`: a part of it would be taken for host and port, which are shown.
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        if rest[end..].contains('@') {
            return Err(error);
        }
        let info = text.into_connection_info().map_err(|_| error)?;
        let (host, port) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (host.clone(), *port),
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                ..
            } => (host.clone(), *port),
            // A socket is on this machine, and a certificate that is not checked protects nothing.
            _ => return Err(error),
        };
        Ok(Self { info, host, port })
    }

    pub(super) fn has_tls(&self) -> bool {
        matches!(self.info.addr(), ConnectionAddr::TcpTls { .. })
    }

    /// MemoryDB keeps what it has confirmed in a log of its own, whatever INFO says about files.
    pub(super) fn is_memorydb(&self) -> bool {
        self.host.contains(".memorydb.") && self.host.ends_with(".amazonaws.com")
    }

    /// For logs: `redis:cache.example:6379/0`.
    pub(super) fn describe(&self) -> String {
        let Self { info, host, port } = self;
        format!("redis:{host}:{port}/{}", info.redis_settings().db())
    }
}

#[cfg(test)]
mod tests {
    use super::RedisAddress;

    fn described(text: &str) -> (String, bool) {
        let address = RedisAddress::parse(text).unwrap_or_else(|_| panic!("{text}"));
        (address.describe(), address.has_tls())
    }

    #[test]
    fn an_address_is_described_without_user_and_password() {
        for (text, name, tls) in [
            ("redis://cache", "redis:cache:6379/0", false),
            ("redis://cache:6390/3", "redis:cache:6390/3", false),
            ("redis://user:hunter2@cache/", "redis:cache:6379/0", false),
            ("rediss://:hunter2@cache:6380", "redis:cache:6380/0", true),
            ("valkey://cache", "redis:cache:6379/0", false),
            ("valkeys://cache", "redis:cache:6379/0", true),
            ("redis://[::1]:7000", "redis:::1:7000/0", false),
        ] {
            assert_eq!(described(text), (name.to_owned(), tls));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_shown() {
        for text in [
            "redis://",
            "redis:///0",
            "redis://hunter2@cache/first",
            "redis://hunter2@0.0.0.0",
            "redis://cache:hunter2",
            "rediss://hunter2@cache/#insecure",
            "redis+unix:///hunter2",
            "http://hunter2@cache",
            "redis://hunter2?x@cache",
            "redis://hunter2:123?4@cache",
            "redis://hunter2:12/3?4@cache",
        ] {
            let error = RedisAddress::parse(text)
                .err()
                .map(|error| error.to_string());
            let error = error.unwrap_or_else(|| panic!("{text} is refused"));
            assert!(
                error.starts_with("expected the address of a Redis server"),
                "{error}"
            );
            assert!(!error.contains("hunter2"));
        }
    }
}
