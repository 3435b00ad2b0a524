//! How far readers see, told to whoever waits for it.
//!
//! A waiting request holds no thread and no connection: it sleeps on a watch channel that the writer feeds after each
//! batch has become visible in both stores.

use std::sync::Arc;

use domain::position::Positions;
use tokio::sync::watch;

/// What readers see at the least.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    pub batch_no: u64,
    /// The next position of every partition.
    pub positions: Arc<Positions>,
}

/// The writer's end.
pub(crate) struct Herald(watch::Sender<Reached>);

impl Herald {
    pub(crate) fn new() -> Self {
        Herald(watch::Sender::new(Reached::default()))
    }

    pub(crate) fn announce(&self, batch_no: u64, positions: &Positions) {
        self.0.send_replace(Reached {
            batch_no,
            positions: Arc::new(positions.clone()),
        });
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Reached> {
        self.0.subscribe()
    }
}
