//! What a process uses, from outside: `/proc`.

use std::fs;

use anyhow::{Context as _, Result};

use crate::machine::field;

/// The kernel counts processor time in hundredths of a second for every program (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Bytes of memory that are resident.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Anonymous and shared: what the process cannot do without.
    pub(crate) own: u64,
    /// Pages of mapped files (the search index, the program itself), which the kernel takes back when it needs them.
    pub(crate) mapped: u64,
}

pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let bytes = |name| {
        let kib = field(&text, name).and_then(|value| value.trim_end_matches(" kB").parse::<u64>().ok());
        kib.unwrap_or(0) << 10
    };
    Ok(Memory {
        own: bytes("RssAnon") + bytes("RssShmem"),
        mapped: bytes("RssFile"),
    })
}

/// Processor seconds of a whole process so far, its ended threads included.
pub(crate) fn processor_seconds(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    Ok(seconds(&text))
}

/// Processor seconds of this process so far.
pub(crate) fn own_processor_seconds() -> Result<f64> {
    processor_seconds(std::process::id())
}

/// Id, name and processor seconds of each running thread.
pub(crate) fn threads(pid: u32) -> Vec<(u32, String, f64)> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let of = |task: fs::DirEntry| {
        let id = task.file_name().to_str()?.parse().ok()?;
        let text = fs::read_to_string(task.path().join("stat")).ok()?;
        let name = text.split_once('(')?.1.rsplit_once(')')?.0.to_owned();
        Some((id, name, seconds(&text)))
    };
    tasks.filter_map(Result::ok).filter_map(of).collect()
}

/// User and system time of a `stat` line: the 14th and 15th field. The second, a name in parentheses, may hold anything.
fn seconds(stat: &str) -> f64 {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|text| text.parse::<u64>().ok())
        .sum();
    ticks as f64 / TICKS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "12 (a) b) c) S 1 12 12 0 -1 4194304 1 2 3 4 250 50 7 8 20 0 5";
        assert_eq!(seconds(stat), 3.0);
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.own > 0 && memory.mapped > 0);
        assert!(!threads(std::process::id()).is_empty());
    }
}
