//! Opening the stores of a data directory.

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use ledger::data_dir::DataDir;
use ledger::{LedgerError, Reader, Writer};
use lookup::Lookup;
use projector::index_place::IndexPlace;

use crate::background::in_background;
use crate::config::Config;
use crate::control;
use crate::failure::{Failure, no_threads};

/// Both stores of a locked directory.
pub(crate) struct Stores {
    pub(crate) dir: DataDir,
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    pub(crate) place: IndexPlace,
}

impl Stores {
    /// Takes the lock and opens the ledger; the index is opened by whoever writes it.
    ///
    /// The stores' own threads come from the one that opens them and step back as it does.
    pub(crate) fn open(config: &Config) -> Result<Self, Failure> {
        in_background(|| Self::open_here(config))?
    }

    fn open_here(config: &Config) -> Result<Self, Failure> {
        let dir = DataDir::lock(&config.data_dir).map_err(|error| in_use(error, &config.data_dir))?;
        let place = IndexPlace::new(dir.index());
        place.check_ahead();
        let (writer, reader) = ledger::open(&dir, &config.ledger_options(), config.zones()?)?;
        Ok(Stores {
            dir,
            writer,
            reader,
            place,
        })
    }

    /// The same where only a store that is there already is of use.
    pub(crate) fn open_existing(config: &Config) -> Result<Self, Failure> {
        ledger::data_dir::expect(&config.data_dir)?;
        Self::open(config)
    }

    /// What the API asks.
    ///
    /// # Errors
    /// Where no threads can be started.
    pub(crate) fn lookup(&self, config: &Config) -> Result<Lookup, Failure> {
        let options = lookup::Options {
            overdue_days: config.settlement.overdue_days,
            now: Arc::new(Utc::now),
            looked_at_max: 50_000,
            looks_a_row: 10,
            threads: lookup::threads().map_err(no_threads)?,
        };
        Ok(Lookup::new(
            self.reader.clone(),
            self.place.reader.clone(),
            self.place.recent.clone(),
            options,
        ))
    }
}

/// Names the server that holds the directory, where one does and answers.
fn in_use(error: LedgerError, data_dir: &Path) -> Failure {
    let holder = match &error {
        LedgerError::Locked(_) => control::ask(data_dir, &serde_json::json!({ "command": "ping" }), &mut |_| {}),
        _ => Ok(None),
    };
    let failure = Failure::from(error);
    match (failure, holder) {
        (Failure::Store(sentence), Ok(Some(server))) => {
            Failure::Store(format!("{sentence} (a server, process {})", server["pid"]))
        }
        (failure, _) => failure,
    }
}
