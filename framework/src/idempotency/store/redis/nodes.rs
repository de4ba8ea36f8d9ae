//! The nodes of a cluster, as one of them tells. Called by `link`.

use redis::{ConnectionAddr, ConnectionInfo, Value};

use crate::limits::REDIS_NODES_MAX;

/// The nodes in the answer to CLUSTER SLOTS, primaries and replicas, each reached as the address is. Those without a host of their own are left out: that is the one that was asked.
pub(super) fn told(slots: &Value, address: &ConnectionInfo) -> Vec<ConnectionInfo> {
    let mut told: Vec<(&str, u16)> = Vec::new();
    let ranges = array(slots).iter();
    for node in ranges.flat_map(|range| array(range).iter().skip(2)) {
        let [Value::BulkString(host), Value::Int(port), ..] = array(node) else {
            continue;
        };
        let (Ok(host), Ok(port)) = (std::str::from_utf8(host), u16::try_from(*port)) else {
            continue;
        };
        let is_new = !told.contains(&(host, port)) && told.len() < REDIS_NODES_MAX;
        if is_new && !["", "?", "0.0.0.0", "::"].contains(&host) {
            told.push((host, port));
        }
    }
    let reached = |(host, port): (&str, u16)| {
        let addr = match address.addr().clone() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host: host.to_owned(),
                port,
                insecure,
                tls_params,
            },
            _ => ConnectionAddr::Tcp(host.to_owned(), port),
        };
        address.clone().set_addr(addr)
    };
    told.into_iter().map(reached).collect()
}

fn array(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use redis::{ConnectionAddr, IntoConnectionInfo, Value};

    use super::told;

    fn node(host: Value, port: i64) -> Value {
        let id = Value::BulkString(b"id".to_vec());
        Value::Array(vec![host, Value::Int(port), id])
    }

    fn host(name: &str) -> Value {
        Value::BulkString(name.as_bytes().to_vec())
    }

    #[test]
    fn each_node_is_told_once_and_is_reached_as_the_address_is() {
        let range = |nodes: &[Value]| {
            let mut range = vec![Value::Int(0), Value::Int(99)];
            range.extend_from_slice(nodes);
            Value::Array(range)
        };
        let slots = Value::Array(vec![
            range(&[node(host("a"), 7000), node(host("b"), 7001)]),
            range(&[node(host("b"), 7001), node(host(""), 1), node(host("?"), 1)]),
            range(&[node(Value::Nil, 1), node(host("c"), 70_000), Value::Nil]),
            Value::Nil,
        ]);
        let info = |address: &str| address.into_connection_info().unwrap();

        let plain = told(&slots, &info("redis://user:pw@seed:6379"));
        let tls = told(&slots, &info("rediss://seed"));

        let addresses: Vec<_> = plain.iter().map(|info| info.addr().clone()).collect();
        let tcp = |host: &str, port| ConnectionAddr::Tcp(host.to_owned(), port);
        assert_eq!(addresses, [tcp("a", 7000), tcp("b", 7001)]);
        assert_eq!(plain[1].redis_settings().username(), Some("user"));
        let is_tls = |addr: &ConnectionAddr| matches!(addr, ConnectionAddr::TcpTls { host, insecure: false, .. } if host == "b");
        assert!(is_tls(tls[1].addr()));
        assert!(told(&Value::Nil, &info("redis://seed")).is_empty());
    }
}
