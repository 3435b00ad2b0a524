//! Feeding generated messages to a ledger.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::decode::decode;
use domain::message::Encoding;
use domain::position::{PartitionId, Positions};
use domain::time::Zones;
use generator::{Plan, Stream};
use ledger::data_dir::DataDir;
use ledger::{Batch, Incoming, LedgerError, Options, Reader, Refused, Writer};

/// The messages of a plan, in order.
pub(crate) fn messages(plan: Plan) -> Vec<Vec<u8>> {
    let mut stream = Stream::new(plan).unwrap_or_else(|error| panic!("{error}"));
    let mut all = Vec::new();
    while let Some(message) = stream.next_message() {
        all.push(message.value.to_vec());
    }
    all
}

/// A batch of messages at positions from `from` on.
pub(crate) fn batch(messages: &[Vec<u8>], from: u64) -> Batch {
    let source = Arc::new(PartitionId::Kafka {
        topic: "t".to_owned(),
        partition: 0,
    });
    let mut positions = Positions::default();
    positions.advance(&source, from + messages.len() as u64);
    let items = messages.iter().enumerate().map(|(place, bytes)| Incoming {
        source: source.clone(),
        position: from + place as u64,
        content: match decode(bytes, Encoding::Structured) {
            Ok(message) => Ok(Box::new(message)),
            Err(refusal) => Err(Box::new(Refused::of(refusal, bytes, Encoding::Structured))),
        },
    });
    let applied_at = DateTime::<Utc>::from_timestamp(1_790_000_000, 0).unwrap_or_default();
    Batch {
        items: items.collect(),
        positions,
        nulls: 0,
        appended_at: None,
        applied_at,
    }
}

/// A locked directory and its ledger.
pub(crate) struct Opened {
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    _dir: DataDir,
}

pub(crate) fn open(path: &Path) -> Result<Opened, LedgerError> {
    open_with(path, &Options::default())
}

pub(crate) fn open_with(path: &Path, options: &Options) -> Result<Opened, LedgerError> {
    let dir = DataDir::lock(path)?;
    let (writer, reader) = ledger::open(&dir, options, Zones::default())?;
    Ok(Opened {
        writer,
        reader,
        _dir: dir,
    })
}
