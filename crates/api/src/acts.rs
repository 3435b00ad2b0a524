//! Handing an operator's act to the one writer, and waiting for what it says. The API itself never writes the ledger.

use std::time::{Duration, Instant};

use ledger::acts::{Act, ActError, Acted};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::app::App;
use crate::problem::{Problem, kinds};

/// How long an act waits for its turn: it comes between two batches, so that is short unless the stores fail.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// How long its answer is waited for. The largest replay takes some seconds.
const ENDS_WITHIN: Duration = Duration::from_secs(25);

impl App {
    pub(crate) async fn act(&self, act: Act) -> Result<Acted, Problem> {
        let (sender, receiver) = oneshot::channel();
        let reply = Box::new(move |outcome| drop(sender.send(outcome)));
        self.acts.hand_over(act, Instant::now() + BEGINS_WITHIN, reply);
        match timeout(ENDS_WITHIN, receiver).await {
            Ok(Ok(outcome)) => outcome.map_err(Problem::from),
            Ok(Err(_)) => Err(ActError::NotTaken.into()),
            Err(_) => {
                let detail = "the writer has not answered; look at the row before trying again, it may be done";
                Err(Problem::new(&kinds::WRITER_UNAVAILABLE, detail).retry_after(5))
            }
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NoSuchRow => Problem::new(
                &kinds::QUARANTINE_ROW_NOT_FOUND,
                "quarantine has no row with this number",
            ),
            ActError::RowClosed => Problem::new(&kinds::QUARANTINE_ROW_CLOSED, "the row is closed already"),
            ActError::NotReplayable(why) => Problem::new(&kinds::NOT_REPLAYABLE, why),
            ActError::NotClosable(why) => Problem::new(&kinds::NOT_CLOSABLE, why),
            ActError::Failed => {
                let detail = "the ledger failed meanwhile; look at the row before trying again, it may be done";
                Problem::new(&kinds::LEDGER_UNAVAILABLE, detail).retry_after(5)
            }
            ActError::NotTaken => {
                let detail = "the writer is busy or not there, and nothing was done";
                Problem::new(&kinds::WRITER_UNAVAILABLE, detail).retry_after(5)
            }
        }
    }
}
