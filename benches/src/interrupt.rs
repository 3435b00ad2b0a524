//! Ctrl-C and SIGTERM: the measurement ends at its next step, so that everything it started is stopped by its guards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Begins to listen. A second signal ends the process at once; the broker's watcher and the server's own handling of
/// Ctrl-C then stop them.
pub(crate) fn watch() {
    let listener = std::thread::Builder::new().name("signals".to_owned());
    let _ = listener.spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let (Ok(mut interrupts), Ok(mut terminations)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            loop {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = terminations.recv() => {}
                }
                if INTERRUPTED.swap(true, Ordering::AcqRel) {
                    std::process::exit(130);
                }
            }
        });
    });
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Acquire)
}

/// Lets time go by.
pub(crate) fn pause(span: Duration) -> Result<()> {
    let until = Instant::now() + span;
    while Instant::now() < until {
        check()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// To be called between steps.
pub(crate) fn check() -> Result<()> {
    if is_interrupted() {
        bail!("interrupted");
    }
    Ok(())
}
