//! The product in a temporary directory, fed with raw bytes and asked over HTTP without a network.
//!
//! It is wired as the server wires it: a locked directory, the ledger, the pipeline with a real index, and the router.
//! A restart closes everything and opens it again; what is derived can be taken away in between.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use api::audit::Audit;
use api::keys::{KeyStore, Role};
use api::{App, AppParts, Limits, Progress};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{DateTime, Utc};
use domain::position::{PartitionId, Positions};
use domain::time::Zones;
use ledger::acts::act_channel;
use ledger::data_dir::DataDir;
use ledger::{Counts, LedgerError, Reader};
use lookup::Lookup;
use projector::batch::Batch;
use projector::index_keeper::IndexLimits;
use projector::index_place::IndexPlace;
use projector::pipeline::Pipeline;
use projector::source::{Content, Headers, RawMessage};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// Days after which an unsettled payment is overdue.
pub(crate) const OVERDUE_DAYS: u32 = 7;

/// The clock of every test: 2026-05-10, noon in Seoul.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_778_382_000, 0).unwrap_or_default()
}

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("threads for the API")
});

/// What is written and read behind the API. Dropped from the first member on: readers, then the writer, then the lock.
struct Open {
    router: Router,
    app: Arc<App>,
    reader: Reader,
    place: IndexPlace,
    pipeline: Pipeline,
    _lock: DataDir,
}

pub(crate) struct Product {
    open: Option<Open>,
    zones: Zones,
    index: IndexLimits,
    keys: BTreeMap<Vec<String>, String>,
    options: ledger::Options,
    /// How often it was opened: every second time a list gives the index up at once and is made from the ledger.
    opened: usize,
    dir: PathBuf,
    /// Where the directory is to go with it.
    _temporary: Option<TempDir>,
}

/// What came back. Rows of NDJSON are an array.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// Null where the bytes are no JSON.
    pub(crate) body: Value,
}

/// Asks an open product from any thread; of no use once that is closed.
#[derive(Clone)]
pub(crate) struct Asker(Router);

impl Asker {
    pub(crate) fn ask(&self, request: Request<Body>) -> Answer {
        RUNTIME.block_on(answered(self.0.clone(), request))
    }
}

/// A message on its way in.
pub(crate) struct Sent {
    pub(crate) partition: Arc<PartitionId>,
    pub(crate) position: u64,
    /// `None` is a null value.
    pub(crate) value: Option<(Vec<u8>, Headers)>,
}

/// An index that commits after `interval`, and after every document where that is no time at all.
pub(crate) fn index_limits(interval: Duration) -> IndexLimits {
    IndexLimits {
        commit_interval: interval,
        backlog_interval: 3 * interval,
        documents_max: if interval.is_zero() { 1 } else { 50_000 },
        writer: search::Options {
            memory_bytes: 16 << 20,
            merge_threads: 1,
            ..search::Options::default()
        },
        ..IndexLimits::default()
    }
}

/// Everything that is done now and then is done every few batches.
pub(crate) fn small_options() -> ledger::Options {
    ledger::Options {
        memory_bytes: 128 << 20,
        threads: 1,
        row_cache_bytes: 4 << 20,
        // So that rows are packed, and unpacked again by later messages.
        row_rest: 8,
        // So that histories of a few messages have late rows.
        late_days: 3,
        late_batch_rows: 4,
        // So that the log is folded again and again beside the batches.
        wal_bytes: 200 << 10,
        rollup_rows: 20,
        seal_rows: 20,
        ..ledger::Options::default()
    }
}

/// Takes the directory's lock from whoever is still letting go of it: the producer of an export that was read to its end
/// a moment ago holds the stores until its thread is through, and a process that another test is just starting holds
/// every lock until it runs.
fn lock(dir: &Path) -> DataDir {
    let until = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        match DataDir::lock(dir) {
            Ok(lock) => return lock,
            Err(LedgerError::Locked(_)) if std::time::Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => panic!("the directory is not free: {error:?}"),
        }
    }
}

impl Product {
    pub(crate) fn new(zones: Zones, index: IndexLimits) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let dir = temporary.path().to_owned();
        Product {
            _temporary: Some(temporary),
            ..Product::at(&dir, zones, index, small_options())
        }
    }

    /// In a directory that stays.
    pub(crate) fn at(dir: &Path, zones: Zones, index: IndexLimits, options: ledger::Options) -> Self {
        let mut product = Product {
            open: None,
            zones,
            index,
            keys: BTreeMap::new(),
            options,
            opened: 0,
            dir: dir.to_owned(),
            _temporary: None,
        };
        product.open();
        product
    }

    fn open(&mut self) {
        self.opened += 1;
        let lock = lock(&self.dir);
        let options = &self.options;
        let (writer, reader) = ledger::open(&lock, options, self.zones.clone()).expect("the ledger opens");
        let place = IndexPlace::new(lock.index());
        let mut pipeline =
            Pipeline::start(writer, reader.clone(), place.clone(), self.index.clone()).expect("the index opens");
        let (acts, queue) = act_channel();
        pipeline.set_acts(queue);
        let options = lookup::Options {
            overdue_days: OVERDUE_DAYS,
            now: Arc::new(now),
            looked_at_max: 50_000,
            looks_a_row: 10 * (self.opened % 2),
            threads: lookup::threads().expect("threads"),
        };
        let lookup = Lookup::new(reader.clone(), place.reader.clone(), place.recent.clone(), options);
        let app = Arc::new(App::new(AppParts {
            lookup,
            keys: KeyStore::open(self.dir.join("keys.json")).expect("the keys"),
            audit: Audit::new(&self.dir),
            acts,
            progress: Arc::new(Progress::new()),
            cursor_secret: [7; 32],
            metrics_render: Box::new(String::new),
            limits: Limits::default(),
        }));
        let router = api::router(app.clone());
        self.open = Some(Open {
            router,
            app,
            reader,
            place,
            pipeline,
            _lock: lock,
        });
    }

    fn opened(&self) -> &Open {
        self.open.as_ref().expect("the product is open")
    }

    /// Closes everything, lets `meanwhile` do what it likes to the directory, and opens again.
    pub(crate) fn restart(&mut self, meanwhile: impl FnOnce(&Self)) {
        self.open = None;
        meanwhile(self);
        self.open();
    }

    /// As after an error of a store: what is in memory is dropped and read again.
    pub(crate) fn recover(&mut self) {
        let open = self.open.as_mut().expect("the product is open");
        open.pipeline.recover().expect("the stores are read again");
    }

    /// Where one of the stores lies: `index`, `rows`, `ledger`.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Takes a store away. Only what is derived comes back.
    pub(crate) fn remove(&self, name: &str) {
        let dir = self.store(name);
        if dir.exists() {
            fs::remove_dir_all(dir).expect("the store can be removed");
        }
    }

    /// Applies one batch.
    pub(crate) fn apply(&mut self, sent: Vec<Sent>) -> Counts {
        let mut positions = Positions::default();
        let messages = sent.into_iter().map(|sent| {
            positions.advance(&sent.partition, sent.position + 1);
            RawMessage {
                partition: sent.partition,
                position: sent.position,
                content: sent
                    .value
                    .map_or(Content::Null, |(bytes, headers)| Content::Value { bytes, headers }),
                appended_at: None,
            }
        });
        let messages: Vec<RawMessage> = messages.collect();
        let batch = Batch {
            full: messages.len() % 2 == 1,
            messages,
            positions,
            ended: false,
        };
        let open = self.open.as_mut().expect("the product is open");
        open.pipeline.apply(batch, now()).expect("the batch is applied").counts
    }

    /// How far a partition was applied.
    pub(crate) fn applied(&self, partition: &PartitionId) -> u64 {
        let open = self.open.as_ref().expect("the product is open");
        open.pipeline.writer().positions().next(partition).unwrap_or(0)
    }

    /// Every message once more, from a partition of its own.
    pub(crate) fn deliver_again(&mut self, messages: &[Vec<u8>]) {
        let partition = Arc::new(PartitionId::Kafka {
            topic: "again".to_owned(),
            partition: 0,
        });
        let sent = messages.iter().enumerate().map(|(place, message)| Sent {
            partition: partition.clone(),
            position: place as u64,
            value: Some((message.clone(), Headers::new())),
        });
        self.apply(sent.collect());
    }

    /// A key that sees these merchants; of a finance officer where there are none.
    pub(crate) fn key(&mut self, role: Role, merchants: &[String]) -> String {
        let mut named = vec![role.to_string()];
        named.extend_from_slice(merchants);
        let app = &self.open.as_ref().expect("the product is open").app;
        let key = self.keys.entry(named);
        key.or_insert_with(|| app.keys().create(role, merchants, now()).expect("a key").key)
            .clone()
    }

    pub(crate) fn get(&self, key: &str, address: &str) -> Answer {
        self.send(key, Request::get(address), Body::empty())
    }

    pub(crate) fn post(&self, key: &str, address: &str, body: &Value) -> Answer {
        let request = Request::post(address).header("content-type", "application/json");
        self.send(key, request, Body::from(body.to_string()))
    }

    /// A POST that the writer has to act on: it takes it here, as between two batches.
    pub(crate) fn act(&mut self, key: &str, address: &str, body: &Value) -> Answer {
        let router = self.opened().router.clone();
        let request = Request::post(address)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let asked = RUNTIME.spawn(async move { answered(router, request).await });
        let open = self.open.as_mut().expect("the product is open");
        while !asked.is_finished() {
            open.pipeline
                .serve_acts(Duration::from_millis(1), &now)
                .expect("the act is done");
        }
        RUNTIME.block_on(asked).expect("an answer")
    }

    pub(crate) fn asker(&self) -> Asker {
        Asker(self.opened().router.clone())
    }

    fn send(&self, key: &str, request: axum::http::request::Builder, body: Body) -> Answer {
        let request = request
            .header("authorization", format!("Bearer {key}"))
            .body(body)
            .expect("a request");
        self.asker().ask(request)
    }

    /// Compares all derived state with the versions. The index is closed and opened, so that it has reached the ledger.
    pub(crate) fn verify(&mut self) -> Vec<String> {
        self.restart(|_| {});
        let open = self.opened();
        let verified = projector::verify::verify(&open.reader, &open.place, &mut |_, _| {});
        let verified = verified.expect("the stores can be read");
        verified
            .differences
            .iter()
            .map(|found| format!("verify: {found:?}"))
            .collect()
    }
}

async fn answered(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.expect("the router answers");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("the body is in memory");
    let body = match parts.headers.get("content-type") {
        Some(kind) if kind == "application/x-ndjson" => bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
            .collect(),
        _ => serde_json::from_slice(&bytes).unwrap_or_default(),
    };
    Answer {
        status: parts.status,
        headers: parts.headers,
        bytes,
        body,
    }
}
