//! What the figures were measured on.

use std::fs;

use serde_json::{Value, json};

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The load averages of one, five and fifteen minutes: a machine that was busy with something else explains a figure.
pub(crate) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

pub(crate) fn describe() -> Value {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory_kib = field(&memory, "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    json!({
        "cores": cores(),
        "memory_gib": memory_kib.map(|kib| kib / (1 << 20)),
        "processor": field(&processor, "model name"),
        "load_average_at_end": load_average(),
    })
}

/// The value of the first line `name : value`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}
