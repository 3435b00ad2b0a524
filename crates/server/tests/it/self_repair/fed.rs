//! A data directory with hostile messages in it, and the model of the same messages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use generator::{Plan, Stream};
use serde_json::Value;
use testkit::oracle::Reader;

use crate::http::{Client, make_key};
use crate::kafka_kill::model::Model;
use crate::kafka_kill::published::Visible;
use crate::kafka_kill::questions::{self, Question};
use crate::program::{Server, await_that, run};

/// Searches for each reader.
const SEARCHES: u64 = 12;

/// Hostile messages that a file can hold: one a line.
pub(crate) fn draw(payments: u64, seed: u64) -> Vec<Visible> {
    let plan = Plan {
        seed,
        payments,
        merchants: 20,
        oversize: false,
        ..Plan::default()
    }
    .hostile();
    let mut stream = Stream::new(plan).expect("the plan is sound");
    let mut drawn = Vec::new();
    while let Some(message) = stream.next_message() {
        let is_line = !message.value.trim_ascii().is_empty() && !message.value.contains(&b'\n');
        if is_line {
            drawn.push(Visible {
                topic: message.topic as usize,
                key: message.key.to_owned(),
                value: message.value.to_vec(),
                attributes: Vec::new(),
            });
        }
    }
    drawn
}

pub(crate) fn model_of(messages: &[Visible]) -> Model {
    let mut model = Model::default();
    model.feed(messages);
    model
}

/// A directory and who may ask it.
pub(crate) struct Fed {
    dir: tempfile::TempDir,
    pub(crate) operator: String,
    pub(crate) finance: String,
    readers: Vec<(Reader, String)>,
}

impl Fed {
    /// An empty directory with keys for the merchants of `model`.
    pub(crate) fn empty(model: &Model) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let data_dir = dir.path().join("data");
        let finance = make_key(&data_dir, "finance", &[]);
        let mut readers = vec![(Reader::finance(), finance.clone())];
        for merchant in largest_merchants(model) {
            readers.push((
                Reader::merchant([merchant.as_str()]),
                make_key(&data_dir, "merchant", &[&merchant]),
            ));
        }
        Fed {
            operator: make_key(&data_dir, "operator", &[]),
            finance,
            readers,
            dir,
        }
    }

    /// A directory with these messages in it.
    pub(crate) fn with(messages: &[Visible]) -> Self {
        let fed = Fed::empty(&model_of(messages));
        fed.backfill(messages);
        fed
    }

    pub(crate) fn backfill(&self, messages: &[Visible]) {
        let file = self.dir.path().join("messages.ndjson");
        let lines: Vec<&[u8]> = messages.iter().map(|message| message.value.as_slice()).collect();
        fs::write(&file, lines.join(&b'\n')).expect("a file");
        run([
            "backfill".as_ref(),
            "--data-dir".as_ref(),
            self.data_dir().as_os_str(),
            file.as_os_str(),
        ])
        .with_code(0);
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Another place that goes with the test.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a store of the data directory aside, as it is now.
    pub(crate) fn put_aside(&self, store: &str) {
        copied(&self.data_dir().join(store), &self.beside(&format!("aside-{store}")));
    }

    /// Puts what was put aside in the place of the store.
    pub(crate) fn put_back(&self, store: &str) {
        let place = self.data_dir().join(store);
        fs::remove_dir_all(&place).expect("the store is there");
        copied(&self.beside(&format!("aside-{store}")), &place);
    }

    /// Everything, compared with the model.
    #[track_caller]
    pub(crate) fn compare(&self, server: &Server, model: &Model) {
        for (reader, key) in &self.readers {
            let client = Client::new(&server.base(), key);
            for question in questions::all(model, reader, SEARCHES, 7) {
                question.compare(model, reader, question.ask(&client).as_deref());
            }
        }
    }

    /// Some lists and searches of finance, compared with the model. Returns how many.
    #[track_caller]
    pub(crate) fn compare_some(&self, base: &str, model: &Model, seed: u64) -> usize {
        let client = Client::new(base, &self.finance);
        let reader = Reader::finance();
        let all = questions::all(model, &reader, 10, seed);
        let lists = all
            .into_iter()
            .filter(|question| matches!(question, Question::List(_, rows_max) if *rows_max < usize::MAX));
        let mut asked = 0;
        for question in lists {
            question.compare(model, &reader, question.ask(&client).as_deref());
            asked += 1;
        }
        asked
    }

    /// Compares while the index is made, and everything once it is there. Says in how many rounds there was none yet.
    #[track_caller]
    pub(crate) fn compare_until_indexed(&self, server: &Server, model: &Model) -> u64 {
        let operator = Client::new(&server.base(), &self.operator);
        let mut rounds = 0;
        while operator.json("/v1/ingest/status")["index"]["batch"].is_null() {
            self.compare_some(&server.base(), model, rounds);
            rounds += 1;
        }
        await_ready(server);
        self.compare(server, model);
        rounds
    }

    /// `verify` finds nothing.
    #[track_caller]
    pub(crate) fn verify(&self) {
        verify(&self.data_dir());
    }
}

#[track_caller]
pub(crate) fn verify(data_dir: &Path) {
    run(["verify".as_ref(), "--data-dir".as_ref(), data_dir.as_os_str()]).with_code(0);
}

#[track_caller]
pub(crate) fn await_ready(server: &Server) {
    let client = Client::new(&server.base(), "");
    await_that("/readyz", || {
        client.try_get("/readyz").is_ok_and(|(status, _)| status == 200)
    });
}

/// The merchants with the most payments and one with few.
fn largest_merchants(model: &Model) -> Vec<String> {
    let mut payments: BTreeMap<String, u64> = BTreeMap::new();
    for key in model.keys() {
        let payment = model.payment(key, &Reader::finance()).unwrap_or_default();
        if let Some(merchant) = payment["merchant_id"].as_str() {
            *payments.entry(merchant.to_owned()).or_default() += 1;
        }
    }
    let mut merchants: Vec<(u64, String)> = payments.into_iter().map(|(name, count)| (count, name)).collect();
    merchants.sort_unstable();
    let (few, most) = (merchants.first().cloned(), merchants.last().cloned());
    most.into_iter().chain(few).map(|(_, name)| name).collect()
}

/// Copies a directory with all that is in it.
pub(crate) fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for item in fs::read_dir(from).expect("a directory").filter_map(Result::ok) {
        let target = to.join(item.file_name());
        let kind = item.file_type().expect("a kind");
        if kind.is_dir() {
            copied(&item.path(), &target);
        } else if kind.is_file() {
            fs::copy(item.path(), target).expect("a file is copied");
        }
    }
}

/// Every file under a directory.
pub(crate) fn files_under(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in fs::read_dir(dir).expect("a directory").filter_map(Result::ok) {
        if item.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(files_under(&item.path()));
        } else {
            files.push(item.path());
        }
    }
    files.sort_unstable();
    files
}

/// Changes some bytes in the middle of a file, in place.
pub(crate) fn flip_bytes(file: &Path) {
    use std::os::unix::fs::FileExt as _;
    let open = fs::File::options().read(true).write(true).open(file).expect("a file");
    let length = open.metadata().expect("its length").len();
    let count = length.min(64);
    let at = (length - count) / 2;
    let mut bytes = vec![0; usize::try_from(count).expect("a few bytes")];
    open.read_exact_at(&mut bytes, at).expect("its bytes");
    bytes.iter_mut().for_each(|byte| *byte ^= 0x5a);
    open.write_all_at(&bytes, at).expect("its bytes");
}

/// Acts and targets on the audit log of a data directory.
pub(crate) fn acts_of(data_dir: &Path) -> Vec<(String, String)> {
    let log = fs::read_to_string(data_dir.join("audit.log")).unwrap_or_default();
    let text = |line: &Value, member: &str| line[member].as_str().unwrap_or_default().to_owned();
    log.lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .map(|line: Value| (text(&line, "act"), text(&line, "target")))
        .collect()
}
