//! Progress: a bar at a terminal, a plain line now and then otherwise.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a plain line is written.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The progress of one long piece of work, on standard error.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    what: &'static str,
    said_at: Instant,
}

impl Bar {
    /// `what` is done in units of `unit`; `total` where it is known.
    pub(crate) fn new(what: &'static str, unit: &str, total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = match total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::new_spinner(),
            };
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
            let template = match total {
                Some(_) => format!("{{msg}} {{bar:30}} {{human_pos}}/{{human_len}} {unit} {{per_sec}} {{eta}}"),
                None => format!("{{msg}} {{spinner}} {{human_pos}} {unit} {{per_sec}}"),
            };
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar
        });
        Bar {
            bar,
            what,
            said_at: Instant::now(),
        }
    }

    pub(crate) fn set(&mut self, done: u64, total: Option<u64>) {
        if let Some(bar) = &self.bar {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        } else if self.said_at.elapsed() >= LINE_EVERY {
            self.said_at = Instant::now();
            match total {
                Some(total) => tracing::info!("{}: {done} of {total}", self.what),
                None => tracing::info!("{}: {done}", self.what),
            }
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
