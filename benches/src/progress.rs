//! Progress on standard error: a bar at a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(10);

/// One line on standard error.
#[expect(clippy::print_stderr, reason = "what is going on belongs on standard error")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

pub(crate) struct Progress {
    /// Only at a terminal.
    bar: Option<ProgressBar>,
    what: &'static str,
    total: u64,
    said_at: Instant,
}

impl Progress {
    pub(crate) fn new(what: &'static str, unit: &str, total: u64) -> Self {
        use std::io::IsTerminal as _;
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total);
            let template = format!("{{msg}} {{bar:30}} {{human_pos}}/{{human_len}} {unit} {{per_sec}} {{eta}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar
        });
        if bar.is_none() {
            say(&format!("{what} ..."));
        }
        Progress {
            bar,
            what,
            total,
            said_at: Instant::now(),
        }
    }

    pub(crate) fn set(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if self.said_at.elapsed() >= LINE_EVERY {
            self.said_at = Instant::now();
            say(&format!("{}: {done} of {}", self.what, self.total));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
