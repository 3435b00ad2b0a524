//! How long answers took.

use std::time::Duration;

use serde_json::{Value, json};

/// Durations of one kind of question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies {
    micros: Vec<u64>,
}

impl Latencies {
    pub(crate) fn record(&mut self, took: Duration) {
        self.micros.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn absorb(&mut self, other: Latencies) {
        self.micros.extend(other.micros);
    }

    pub(crate) fn count(&self) -> usize {
        self.micros.len()
    }

    /// The smallest duration that `percent` of all do not exceed, in milliseconds; the nearest rank, never a value that
    /// was not measured.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).map_or(0.0, |micros| *micros as f64 / 1_000.0)
    }

    pub(crate) fn as_json(&self) -> Value {
        json!({
            "count": self.count(),
            "p50_ms": self.percentile_ms(50),
            "p95_ms": self.percentile_ms(95),
            "p99_ms": self.percentile_ms(99),
            "max_ms": self.percentile_ms(100),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let mut latencies = Latencies::default();
        for millis in (1..=200).rev() {
            latencies.record(Duration::from_millis(millis));
        }
        assert_eq!(latencies.percentile_ms(50), 100.0);
        assert_eq!(latencies.percentile_ms(99), 198.0);
        assert_eq!(latencies.percentile_ms(100), 200.0);
        assert_eq!(Latencies::default().percentile_ms(99), 0.0);
    }
}
