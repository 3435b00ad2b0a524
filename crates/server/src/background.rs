//! Letting answers go first: threads that ingest, merge, fold or copy get less of a busy processor than those that answer.

use std::thread;
use std::time::Duration;

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::gettid;

use crate::failure::{Failure, no_threads};

/// How far they step back, in nice values: a third of the processor of one that does not, where both want it. What answers
/// need is then there within a few milliseconds, and a storm of questions does not bring ingestion to a halt.
const STEP: i32 = 5;

/// So long they may hold a processor among themselves. Longer than the slice of all other threads (1 to 3 ms), which so take their place at
/// once. Not longer, because they wait for one another too.
const SLICE: Duration = Duration::from_millis(10);

/// Lets this thread, and those that it starts from now on, step back. It cannot be taken back.
pub(crate) fn step_back() {
    let thread = Some(gettid());
    let now = getpriority_process(thread).unwrap_or_default();
    // Nobody answers any worse for it where it is not allowed.
    let _ = setpriority_process(thread, now + STEP);
    let _ = timeslice::set(SLICE);
}

/// Starts the threads that batches are spread over.
///
/// Named, because unnamed threads carry the name of whoever had work for them first, and tools would count their time as
/// that one's.
pub(crate) fn start_workers() -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .thread_name(|n| format!("worker-{n}"))
        .start_handler(|_| step_back())
        .build_global()
        .map_err(no_threads)
}

/// Runs `work` on a thread that steps back.
pub(crate) fn in_background<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("opening".to_owned())
            .spawn_scoped(scope, || {
                step_back();
                work()
            });
        let thread = thread.map_err(no_threads)?;
        thread
            .join()
            .map_err(|_| Failure::Store("the stores could not be opened: see the message above".to_owned()))
    })
}
