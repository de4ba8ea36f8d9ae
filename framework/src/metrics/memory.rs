//! What the process holds in memory, for the lines of metrics. Called by `metrics`.

use std::sync::{Mutex, PoisonError};

use crate::limits::METRIC_MEMORY_MS;

/// The system's last word, kept for a while: a look takes longer than all other metrics of a small invocation.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Option<Look>>);

#[derive(Clone, Copy, Debug)]
struct Look {
    /// Since 1970.
    at_ms: i64,
    mb: Option<f64>,
}

impl Memory {
    /// In units of 2<sup>20</sup> bytes, as Lambda counts. *None: the system does not say.*
    pub(super) fn mb(&self, now_ms: i64) -> Option<f64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |look: &Look| (0..METRIC_MEMORY_MS).contains(&(now_ms - look.at_ms));
        if let Some(look) = last.filter(is_new) {
            return look.mb;
        }
        let mb = resident_mb();
        *last = Some(Look { at_ms: now_ms, mb });
        mb
    }
}

fn resident_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = resident.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1_024.0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{METRIC_MEMORY_MS, Memory};

    #[test]
    fn memory_is_looked_at_once_in_a_while_and_when_the_clock_was_set_back() {
        let memory = Memory::default();
        let first = memory.mb(50_000);
        assert!(first.is_some_and(|mb| (1.0..100_000.0).contains(&mb)));

        let held = vec![1_u8; 64 << 20];
        assert_eq!(memory.mb(50_000 + METRIC_MEMORY_MS - 1), first);
        let looked = memory.mb(50_000 + METRIC_MEMORY_MS);
        assert!(looked > first, "{looked:?}, {first:?}");
        drop(held);
        assert_ne!(memory.mb(49_999), looked);
    }
}
