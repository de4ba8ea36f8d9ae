//! What a server says of itself, once a process: whether it may forget what it has confirmed. Called by `link`.

use redis::Value;

use crate::idempotency::store::redis::address::RedisAddress;

/// Warns if keys may be evicted, or are not written to disk, and says whether it has. The answer is INFO's, of one server or of each node.
pub(super) fn look(answer: &Value, address: &RedisAddress) -> bool {
    let mut weak = Weak::default();
    weak.read(answer);
    if address.is_memorydb() {
        weak.not_persisted = false;
    }
    let Some(problem) = weak.problem() else {
        return false;
    };
    tracing::warn!(
        store = address.describe(),
        problem,
        "the idempotency store may forget settled records: if Lambda redelivers a forgotten record, it runs again, also with `AtMostOnce`"
    );
    true
}

/// What weakens the promise. Of a cluster, on any of its nodes.
#[derive(Debug, Default)]
struct Weak {
    /// The policy by which keys are evicted. *None: `noeviction`, or not said.*
    eviction: Option<String>,
    not_persisted: bool,
}

impl Weak {
    fn read(&mut self, answer: &Value) {
        match answer {
            Value::BulkString(text) => self.read_text(&String::from_utf8_lossy(text)),
            Value::SimpleString(text) | Value::VerbatimString { text, .. } => self.read_text(text),
            Value::Array(answers) => answers.iter().for_each(|answer| self.read(answer)),
            // Each node's answer by its address.
            Value::Map(answers) => answers.iter().for_each(|(_, answer)| self.read(answer)),
            _ => {}
        }
    }

    fn read_text(&mut self, text: &str) {
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            match (name, value.trim()) {
                ("maxmemory_policy", policy) if policy != "noeviction" => {
                    self.eviction = Some(policy.chars().take(40).collect());
                }
                ("aof_enabled", "0") => self.not_persisted = true,
                _ => {}
            }
        }
    }

    fn problem(&self) -> Option<String> {
        let eviction = self.eviction.as_ref().map(|policy| {
            format!("its eviction policy is `{policy}`: when its memory is full, it deletes keys before they expire; set `maxmemory-policy noeviction`")
        });
        let persistence = self.not_persisted.then(|| {
            "it keeps no append-only file: a restart or a failover loses the latest writes; set `appendonly yes`, or use MemoryDB".to_owned()
        });
        let problems: Vec<String> = eviction.into_iter().chain(persistence).collect();
        (!problems.is_empty()).then(|| problems.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::Weak;

    fn problem(answers: &[&str]) -> Option<String> {
        let mut weak = Weak::default();
        let node = |text: &&str| (Value::Nil, Value::BulkString(text.as_bytes().to_vec()));
        weak.read(&Value::Map(answers.iter().map(node).collect()));
        weak.problem()
    }

    const GOOD: &str =
        "# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n";

    #[test]
    fn a_server_that_keeps_everything_gives_no_reason_to_warn() {
        assert_eq!(problem(&[GOOD, GOOD]), None);
        assert_eq!(problem(&["", "no info here"]), None);
    }

    #[test]
    fn one_node_that_may_forget_is_reason_enough() {
        let evicts = problem(&[GOOD, "maxmemory_policy:allkeys-lru\r\n"]).unwrap();
        let forgets = problem(&["aof_enabled:0\r\n", GOOD]).unwrap();
        let both = problem(&["aof_enabled:0\r\nmaxmemory_policy:volatile-ttl\r\n"]).unwrap();

        assert!(
            evicts.starts_with("its eviction policy is `allkeys-lru`"),
            "{evicts}"
        );
        assert!(
            forgets.starts_with("it keeps no append-only file"),
            "{forgets}"
        );
        assert!(
            both.contains("`volatile-ttl`") && both.contains("append-only"),
            "{both}"
        );
    }
}
