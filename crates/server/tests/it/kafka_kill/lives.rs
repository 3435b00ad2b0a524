//! The lives and deaths of a server that is killed again and again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{Place, read_count};
use crate::http::Client;
use crate::program::{Server, await_that, say};

/// The server's lives and deaths.
pub(super) struct Lives {
    random: ChaCha8Rng,
    died: u64,
    died_behind: u64,
    died_opening: u64,
    slowest: Duration,
    slowest_ready: Duration,
}

impl Lives {
    pub(super) fn new(seed: u64) -> Self {
        Lives {
            random: ChaCha8Rng::seed_from_u64(seed ^ 0x6b69_6c6c),
            died: 0,
            died_behind: 0,
            died_opening: 0,
            slowest: Duration::ZERO,
            slowest_ready: Duration::ZERO,
        }
    }

    /// One life: opened, killed at a random instant.
    pub(super) fn one(&mut self, place: &Place<'_>, watcher: &Client, share: usize, committed: &AtomicU64) {
        self.died += 1;
        let mut server = Server::spawn(place.serve());
        if self.died > 1 && self.random.random_ratio(1, 4) {
            let delay = Duration::from_millis(self.random.random_range(0..300));
            pass(delay);
            server.kill();
            self.died_opening += 1;
            say(&format!("kill {}: {delay:?} after its start", self.died));
            server.said();
            return;
        }
        server.await_address();
        let client = watcher.at(&server.base());
        let (answered, ready) = self.opened(&server, &client);
        // About as long as the share takes to be read, so that some deaths come early and some late.
        let span = u64::try_from(share).unwrap_or(u64::MAX) / 10;
        let delay = Duration::from_millis(self.random.random_range(0..span.max(300)));
        pass(delay);
        let applied = client
            .try_get("/v1/ingest/status")
            .ok()
            .and_then(|(_, body)| read_count(&body));
        let sent = committed.load(Ordering::Relaxed);
        server.kill();
        let applied = applied.unwrap_or_default();
        self.died_behind += u64::from(applied < sent);
        say(&format!(
            "kill {}: answered after {answered:?}, ready after {ready:?}, killed {delay:?} later at {applied} of {sent} messages",
            self.died
        ));
        server.said();
    }

    /// How long it took until it answered, and until it was ready.
    fn opened(&mut self, server: &Server, client: &Client) -> (Duration, Duration) {
        let mut took = [Duration::ZERO; 2];
        for (took, path) in took.iter_mut().zip(["/healthz", "/readyz"]) {
            await_that(path, || client.try_get(path).is_ok_and(|(status, _)| status == 200));
            *took = server.started_at.elapsed();
        }
        let [answered, ready] = took;
        self.slowest = self.slowest.max(answered);
        self.slowest_ready = self.slowest_ready.max(ready);
        (answered, ready)
    }

    pub(super) fn judge(&self, kills: u64) {
        say(&format!(
            "{} kills, {} behind the broker, {} while opening; slowest opening {:?}, ready {:?}",
            self.died, self.died_behind, self.died_opening, self.slowest, self.slowest_ready
        ));
        assert!(
            (self.died_behind + self.died_opening) * 2 >= kills,
            "most kills met a server that had nothing to do"
        );
    }
}

/// Lets time pass: the instant of a kill is what is random here.
fn pass(delay: Duration) {
    let (_keep, never) = mpsc::channel::<()>();
    let never: Receiver<()> = never;
    assert_eq!(never.recv_timeout(delay), Err(RecvTimeoutError::Timeout));
}
