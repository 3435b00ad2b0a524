//! What a long load costs on its way, noted at each million payments.

use std::time::Duration;

use crate::progress::{Progress, say};
use crate::report::{mib, rounded};
use crate::sample::Seen;

/// What stood when another million payments had been read.
pub(crate) struct Mark {
    pub(crate) payments: u64,
    pub(crate) at: Duration,
    pub(crate) seen: Seen,
    pub(crate) disk: u64,
    /// Processor seconds of this process so far: it makes the messages, which costs the same whatever is stored, so it shows how fast the
    /// machine itself is at the moment.
    pub(crate) generating: f64,
    /// Of a recent minute, in seconds; through Kafka only.
    pub(crate) batch_p50: f64,
    pub(crate) batch_p99: f64,
}

/// Marks as they come, each said at once: a long run that is broken off has told something.
pub(crate) struct Marks {
    pub(crate) marks: Vec<Mark>,
    step: u64,
    progress: Progress,
}

impl Marks {
    /// Ten times in a small run, else every million payments.
    pub(crate) fn new(what: &'static str, payments: u64) -> Self {
        Marks {
            marks: Vec::new(),
            step: (payments / 10).clamp(1, 1_000_000),
            progress: Progress::new(what, "payments", payments),
        }
    }

    pub(crate) fn note(&mut self, payments: u64, is_over: bool, mark: impl FnOnce(u64) -> Mark) {
        self.progress.set(payments);
        let before = self.marks.last().map_or(0, |mark| mark.payments);
        // Through Kafka the number is estimated and may fall.
        if payments / self.step <= before / self.step && !is_over {
            return;
        }
        let mark = mark(payments);
        say(&mark.cells(self.marks.last()).join("  "));
        self.marks.push(mark);
    }
}

pub(crate) const HEADER: [&str; 8] = [
    "payments",
    "s a million",
    "µs to generate one",
    "batch p50 ms",
    "batch p99 ms",
    "peak own MiB",
    "peak mapped MiB",
    "bytes a payment",
];

impl Mark {
    /// Since the mark before, or since the beginning.
    pub(crate) fn seconds_per_million(&self, before: Option<&Mark>) -> f64 {
        let at = before.map_or(Duration::ZERO, |mark| mark.at);
        (self.at - at).as_secs_f64() * 1e6 / self.payments_since(before)
    }

    /// Microseconds of a processor that the generator took for a payment since the mark before.
    pub(crate) fn generating_us(&self, before: Option<&Mark>) -> f64 {
        let generated = before.map_or(0.0, |mark| mark.generating);
        (self.generating - generated) * 1e6 / self.payments_since(before)
    }

    fn payments_since(&self, before: Option<&Mark>) -> f64 {
        let payments = before.map_or(0, |mark| mark.payments);
        self.payments.saturating_sub(payments).max(1) as f64
    }

    pub(crate) fn cells(&self, before: Option<&Mark>) -> Vec<String> {
        vec![
            self.payments.to_string(),
            rounded(self.seconds_per_million(before)),
            rounded(self.generating_us(before)),
            rounded(self.batch_p50 * 1e3),
            rounded(self.batch_p99 * 1e3),
            mib(self.seen.peak.own),
            mib(self.seen.peak.mapped),
            rounded(self.disk as f64 / self.payments.max(1) as f64),
        ]
    }
}
