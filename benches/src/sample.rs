//! Watching a process while it works: peaks of memory, processor time by thread.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::process::{self, Memory};

const EVERY: Duration = Duration::from_millis(100);

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The greatest of each, not necessarily at one time.
    pub(crate) peak: Memory,
    /// Of the whole process.
    pub(crate) processor_seconds: f64,
    threads: BTreeMap<u32, (String, f64)>,
}

impl Seen {
    /// Processor seconds by the name of the thread, greatest first. What ran in threads that came and went between two
    /// looks is under `others`.
    pub(crate) fn by_thread(&self) -> Vec<(String, f64)> {
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for (name, seconds) in self.threads.values() {
            *sums.entry(stage(name)).or_default() += seconds;
        }
        let known: f64 = sums.values().sum();
        *sums.entry("others").or_default() += (self.processor_seconds - known).max(0.0);
        let mut sums: Vec<_> = sums.into_iter().map(|(name, sum)| (name.to_owned(), sum)).collect();
        sums.sort_by(|a, b| b.1.total_cmp(&a.1));
        sums
    }
}

/// Threads of one purpose under one name. Unnamed ones carry the name of the thread that started them.
fn stage(thread: &str) -> &str {
    let known = [
        ("rdk:", "kafka client"),
        ("apply", "apply (fold, append, commit)"),
        ("ingest", "ingest (collect)"),
        ("worker", "workers (decode, documents, compression)"),
        ("fold", "folding DuckDB's log, compaction"),
        ("opening", "DuckDB's threads"),
        ("tokio", "http"),
        ("index", "index (digests, adding)"),
        ("thrd-tantivy", "index (segments)"),
        ("merge_thread", "index (merges)"),
        ("segment_updater", "index (commits)"),
    ];
    let found = known.iter().find(|(prefix, _)| thread.starts_with(prefix));
    found.map_or(thread, |(_, stage)| stage)
}

pub(crate) struct Sampler {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    pub(crate) fn start(pid: u32) -> std::io::Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (writes, told) = (seen.clone(), stop.clone());
        let thread = thread::Builder::new().name("sampler".to_owned()).spawn(move || {
            while !told.load(Ordering::Acquire) {
                look(pid, &writes);
                thread::sleep(EVERY);
            }
        })?;
        Ok(Sampler {
            seen,
            stop,
            thread: Some(thread),
        })
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn look(pid: u32, seen: &Mutex<Seen>) {
    let (Ok(memory), Ok(processor_seconds)) = (process::memory(pid), process::processor_seconds(pid)) else {
        return;
    };
    let threads = process::threads(pid);
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.peak.own = seen.peak.own.max(memory.own);
    seen.peak.mapped = seen.peak.mapped.max(memory.mapped);
    seen.processor_seconds = processor_seconds;
    for (id, name, seconds) in threads {
        seen.threads.insert(id, (name, seconds));
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
