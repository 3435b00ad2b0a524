//! How long a thread may hold a processor that another one has just become ready for.
//!
//! Linux gives each thread a time slice (1 to 3 ms) that one that wakes does not cut short, however nice the running one is: an
//! answer that goes through four threads waits up to four times. From 6.12 on a thread with a shorter slice than the running one takes
//! its place at once, and slices can be set (`sched_setattr(2)`, and "EEVDF Scheduler" in the kernel's documentation). Shares of
//! the processor stay what nice values make them.
//!
//! The only unsafe code of the workspace, because no library wraps this call for ordinary threads.

use std::io;
use std::time::Duration;

/// Gives this thread, and those that it starts from now on, slices of this length: of 0.1 to 100 ms. Older kernels take no notice.
///
/// # Errors
/// What the system says where it refuses, and `Unsupported` where there is no such call.
#[cfg(target_os = "linux")]
pub fn set(slice: Duration) -> io::Result<()> {
    /// `struct sched_attr` in its first version, of 48 bytes.
    #[repr(C)]
    #[derive(Default)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        /// Nanoseconds: of an ordinary thread its slice.
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    const SIZE: u32 = size_of::<Attributes>() as u32;
    const THIS_THREAD: libc::pid_t = 0;
    let mut attributes = Attributes::default();
    // SAFETY: both calls are given a struct of theirs with its size, which lives until they return; they keep nothing of it.
    #[allow(unsafe_code, reason = "no library wraps this call")]
    let done = unsafe {
        let read = libc::syscall(libc::SYS_sched_getattr, THIS_THREAD, &raw mut attributes, SIZE, 0_u32);
        attributes.size = SIZE;
        attributes.flags = 0;
        attributes.runtime = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
        match read {
            0 => libc::syscall(libc::SYS_sched_setattr, THIS_THREAD, &raw const attributes, 0_u32),
            failed => failed,
        }
    };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// As on Linux, where there is such a call.
#[cfg(not(target_os = "linux"))]
pub fn set(_slice: Duration) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    /// Whether this kernel lets slices be set.
    fn has_slices() -> bool {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        (numbers.next(), numbers.next()) >= (Some(6), Some(12))
    }

    #[test]
    fn the_kernel_knows_the_slice() {
        let thread = std::thread::spawn(|| {
            // A container may be kept from such calls.
            let told = set(Duration::from_millis(10)).and_then(|()| fs::read_to_string("/proc/thread-self/sched"));
            told.unwrap_or_default()
        });
        let told = thread.join().expect("the thread ended well");
        // It is shown by kernels that were built to show it.
        if let Some(line) = told.lines().find(|line| line.starts_with("se.slice"))
            && has_slices()
        {
            assert!(line.ends_with(" 10000000"), "{line}");
        }
    }
}
