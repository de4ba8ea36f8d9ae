//! What the process holds in memory, for the lines of metrics. Called by `metrics`.

use std::sync::{Mutex, PoisonError};

use crate::limits::METRIC_MEMORY_MS;

/// The system's last word, kept for a while: a look takes as long as all the rest of a line.
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
        self.kept(now_ms, resident_mb)
    }

    fn kept(&self, now_ms: i64, look: impl FnOnce() -> Option<f64>) -> Option<f64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |look: &Look| (0..METRIC_MEMORY_MS).contains(&(now_ms - look.at_ms));
        if let Some(look) = last.filter(is_new) {
            return look.mb;
        }
        let mb = look();
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

#[cfg(test)]
mod tests {
    use super::{METRIC_MEMORY_MS, Memory};

    #[test]
    fn memory_is_looked_at_once_in_a_while_and_when_the_clock_was_set_back() {
        let memory = Memory::default();
        let at = |now_ms, found| memory.kept(now_ms, || Some(found));

        assert_eq!(at(50_000, 1.0), Some(1.0));
        assert_eq!(at(50_000 + METRIC_MEMORY_MS - 1, 2.0), Some(1.0));
        assert_eq!(at(50_000 + METRIC_MEMORY_MS, 3.0), Some(3.0));
        assert_eq!(at(49_999, 4.0), Some(4.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_on_linux_knows_its_memory() {
        let mb = Memory::default().mb(0);
        assert!(mb.is_some_and(|mb| (1.0..100_000.0).contains(&mb)));
    }
}
