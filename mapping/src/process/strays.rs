//! What a function's process leaves behind outside its process group: children that began sessions of their own. On Lambda
//! they would end with the environment.
//!
//! They are known by their environment, in which the address of the Runtime API stands that served their ancestor. Nobody else
//! is served there, and what started before that process is none of its.

use rustix::process::{Pid, Signal, kill_process};

/// How often they are looked for: one may start another while it is looked for.
const ROUNDS: usize = 3;

/// When a process started, in the system's ticks since it booted.
pub(super) fn started_at(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything. The 22nd field is the 20th behind it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// Kills those that the process which started then has left behind.
pub(super) fn kill(api: &str, since: Option<u64>) {
    let Some(since) = since else {
        return;
    };
    let wanted = format!("AWS_LAMBDA_RUNTIME_API={api}");
    for _ in 0..ROUNDS {
        let strays = strays(wanted.as_bytes(), since);
        if strays.is_empty() {
            return;
        }
        for stray in strays.into_iter().filter_map(Pid::from_raw) {
            // Fails only if it has ended already.
            let _ = kill_process(stray, Signal::KILL);
        }
    }
}

fn strays(wanted: &[u8], since: u64) -> Vec<i32> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let stray = |entry: std::fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        // Those of others cannot be read. A zombie's is empty.
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        let ours = environment
            .split(|byte| *byte == 0)
            .any(|set| set == wanted);
        let young = started_at(id).is_some_and(|at| at >= since);
        (ours && young).then(|| i32::try_from(id).ok()).flatten()
    };
    processes.flatten().filter_map(stray).collect()
}
