//! A service in a temporary directory, asked without a network.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use api::audit::Audit;
use api::keys::{KeyStore, Role};
use api::{App, AppParts, Limits, Progress, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::decode::decode;
use domain::message::{Encoding, Message};
use domain::position::{PartitionId, Positions};
use domain::refusal::Refusal;
use domain::time::Zones;
use ledger::acts::{Act, ActError, ActQueue, act_channel};
use ledger::data_dir::DataDir;
use ledger::{Batch, Counts, Incoming, LedgerError, Reader, Refused, Writer};
use lookup::Lookup;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A finance key, which sees every payment.
pub(crate) const FINANCE: &str = "finance";

pub(crate) struct TestApp {
    router: Router,
    pub(crate) app: Arc<App>,
    pub(crate) progress: Arc<Progress>,
    writer: Arc<Mutex<Writer>>,
    reader: Reader,
    next: u64,
    finance: String,
    // Dropped last: the directory is locked until the stores are closed.
    _lock: DataDir,
    dir: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer's JSON, which must be there.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }
}

/// The clock of every test: 2026-05-10, noon in Seoul.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_778_382_000, 0).unwrap_or_default()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.expect("the router answers");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX)
        .await
        .expect("the body is in memory")
        .to_vec();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// A message as the decoder reads it, or as quarantine keeps it.
fn content(bytes: &[u8]) -> Result<Box<Message>, Box<Refused>> {
    decode(bytes, Encoding::Structured)
        .map(Box::new)
        .map_err(|refusal| Box::new(Refused::of(refusal, bytes, Encoding::Structured)))
}

/// A message that is sound today, as a decoder that did not know something yet would have refused it.
fn refused_once(bytes: &[u8]) -> Result<Box<Message>, Box<Refused>> {
    let message = decode(bytes, Encoding::Structured).expect("a sound message");
    let refusal = Refusal {
        code: "bad_value",
        pointer: "/data/method".to_owned(),
        detail: "not known yet".to_owned(),
        payment_key: Some(message.record.payment_key().to_owned()),
    };
    Err(Box::new(Refused::of(refusal, bytes, Encoding::Structured)))
}

impl TestApp {
    pub(crate) fn new() -> Self {
        Self::with(Zones::default(), Limits::default())
    }

    pub(crate) fn with(zones: Zones, limits: Limits) -> Self {
        Self::made(zones, limits, ledger::Options::default())
    }

    /// Of so many messages it is kept what became of them. The log is folded after each batch: see [`TestApp::fold`].
    pub(crate) fn keeping_events(events_max: u64) -> Self {
        let options = ledger::Options {
            events_max,
            wal_bytes: 1,
            ..ledger::Options::default()
        };
        Self::made(Zones::default(), Limits::default(), options)
    }

    fn made(zones: Zones, limits: Limits, options: ledger::Options) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let lock = DataDir::lock(dir.path()).expect("the directory is free");
        let options = ledger::Options {
            row_cache_bytes: 8 << 20,
            ..options
        };
        let (writer, reader) = ledger::open(&lock, &options, zones).expect("an empty ledger");
        let options = lookup::Options {
            overdue_days: 7,
            now: Arc::new(now),
            looked_at_max: 50_000,
            looks_a_row: 10,
            threads: lookup::threads().expect("threads"),
        };
        let lookup = Lookup::new(reader.clone(), Arc::default(), Arc::default(), options);
        let keys = KeyStore::open(dir.path().join("keys.json")).expect("no keys yet");
        let finance = keys.create(Role::Finance, &[], now()).expect("a key").key;
        let progress = Arc::new(Progress::new());
        progress.set_ledger_open(true);
        progress.set_index_open(true);
        let (acts, queue) = act_channel();
        let writer = Arc::new(Mutex::new(writer));
        serve_acts(queue, Arc::downgrade(&writer));
        let app = Arc::new(App::new(AppParts {
            lookup,
            keys,
            audit: Audit::new(dir.path()),
            acts,
            progress: progress.clone(),
            cursor_secret: [7; 32],
            metrics_render: Box::new(|| "ledgerlens_up 1\n".to_owned()),
            limits,
        }));
        let router = router(app.clone());
        TestApp {
            router,
            app,
            progress,
            writer,
            reader,
            next: 0,
            finance,
            _lock: lock,
            dir,
        }
    }

    /// Applies messages as one batch.
    pub(crate) fn feed<M: AsRef<[u8]>>(&mut self, messages: &[M]) -> Counts {
        self.feed_as(messages.iter().map(|message| content(message.as_ref())).collect())
    }

    /// Waits until the log is folded, and what is done after that.
    pub(crate) fn fold(&mut self) {
        let mut writer = self.writer.lock().expect("no thread has panicked");
        writer.checkpoint().expect("folded");
    }

    /// Refuses sound messages, in one batch.
    pub(crate) fn feed_refused<M: AsRef<[u8]>>(&mut self, messages: &[M]) {
        self.feed_as(messages.iter().map(|message| refused_once(message.as_ref())).collect());
    }

    fn feed_as(&mut self, contents: Vec<Result<Box<Message>, Box<Refused>>>) -> Counts {
        let source = Arc::new(PartitionId::Kafka {
            topic: "payments".to_owned(),
            partition: 0,
        });
        let items = contents.into_iter().enumerate().map(|(place, content)| Incoming {
            source: source.clone(),
            position: self.next + place as u64,
            content,
        });
        let items: Vec<Incoming> = items.collect();
        self.next += items.len() as u64;
        let mut positions = Positions::default();
        positions.advance(&source, self.next);
        let batch = Batch {
            items,
            positions,
            nulls: 0,
            appended_at: None,
            applied_at: now(),
        };
        self.writer
            .lock()
            .expect("no test panicked with it")
            .apply(batch, &mut |_, _| {})
            .expect("the batch is applied")
            .counts
    }

    pub(crate) fn key(&self, role: Role, merchants: &[&str]) -> String {
        let merchants: Vec<String> = merchants.iter().map(|merchant| (*merchant).to_owned()).collect();
        self.app.keys().create(role, &merchants, now()).expect("a key").key
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(self.router(), request).await
    }

    /// GET with a key ([`FINANCE`] for the one that sees all).
    pub(crate) async fn get_as(&self, key: &str, address: &str) -> Answer {
        let key = if key == FINANCE { &self.finance } else { key };
        let request = Request::get(address).header("authorization", format!("Bearer {key}"));
        self.send(
            request
                .body(Body::empty())
                .unwrap_or_else(|error| panic!("{address}: {error}")),
        )
        .await
    }

    /// GET with the key that sees all and these headers.
    pub(crate) async fn get_with(&self, address: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(self.request(address, headers)).await
    }

    fn request(&self, address: &str, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Request::get(address).header("authorization", format!("Bearer {}", self.finance));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .body(Body::empty())
            .unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// An answer whose body is not read yet.
    pub(crate) async fn open(&self, address: &str) -> Response {
        let request = self.request(address, &[]);
        self.router.clone().oneshot(request).await.expect("the router answers")
    }

    pub(crate) async fn get(&self, address: &str) -> Answer {
        self.get_as(FINANCE, address).await
    }

    /// POST with a key and a JSON body, which may be empty.
    pub(crate) async fn post_as(&self, key: &str, address: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(address)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json");
        self.send(request.body(body.into()).expect("a request")).await
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) fn audit_path(&self) -> PathBuf {
        self.dir.path().join(api::audit::FILE)
    }

    /// The lines of the audit log.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let path = self.audit_path();
        let links = api::audit::verify(&path)
            .expect("the log is read")
            .expect("an unbroken chain");
        if links == 0 {
            return Vec::new();
        }
        lines(&path)
            .iter()
            .map(|line| serde_json::from_slice(line).expect("a line is JSON"))
            .collect()
    }

    pub(crate) async fn post(&self, address: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(address)
            .header("authorization", format!("Bearer {}", self.finance))
            .header("content-type", "application/json");
        self.send(request.body(body.into()).expect("a request")).await
    }

    pub(crate) fn finance_key(&self) -> &str {
        &self.finance
    }
}

/// Does acts as a server does, between the batches that a test feeds.
fn serve_acts(queue: ActQueue, writer: Weak<Mutex<Writer>>) {
    std::thread::spawn(move || {
        let mut act = |act: &Act| -> Result<_, LedgerError> {
            let Some(writer) = writer.upgrade() else {
                return Ok(Err(ActError::NotTaken));
            };
            let mut writer = writer.lock().expect("no test panicked with it");
            writer.act(act, now(), &mut |_, _| {})
        };
        while queue
            .serve_within(Duration::from_secs(60), &mut act)
            .expect("the act is done")
        {}
    });
}

impl Drop for TestApp {
    /// Whatever a test did, the stores still agree.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let verified = ledger::verify::verify(&self.reader, &|_, _, _| None).expect("the stores can be read");
        assert_eq!(verified.differences, Vec::new(), "the stores disagree");
    }
}

/// Percent-encodes everything that has a meaning in an address.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| {
            if plain(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from("../../fixtures")
}

/// The messages of an NDJSON file.
pub(crate) fn lines(path: &std::path::Path) -> Vec<Vec<u8>> {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}
