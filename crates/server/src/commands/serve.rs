//! `serve`: answers over REST, with ingestion beside it.

use std::process::ExitCode;
use std::sync::Arc;

use api::audit::Audit;
use api::keys::KeyStore;
use api::{App, AppParts, Progress};
use ledger::acts::act_channel;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::ServeArgs;
use crate::config::Config;
use crate::control::{self, Control};
use crate::failure::Failure;
use crate::ingest::{self, Ingestion};
use crate::operations::{DeskSlot, Operations};
use crate::secret::cursor_secret;
use crate::stores::Stores;
use crate::telemetry;

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let mut config = Config::load(&args.store)?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if let Some(brokers) = args.kafka {
        config.kafka.brokers = Some(brokers);
    }
    let runtime = runtime()?;
    runtime.block_on(async {
        let stop = shutdown();
        let listener = bind(&config.listen).await?;
        let service = Service::start(&config)?;
        let address = listener
            .local_addr()
            .map_or_else(|_| config.listen.clone(), |address| address.to_string());
        tracing::info!(address, data_dir = %config.data_dir.display(), "ledgerlens answers");
        service.serve(listener, stop).await
    })?;
    tracing::info!("ledgerlens has ended");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::Store(format!("threads cannot be started: {cause}")))
}

/// Takes the address before anything else, so that a server that cannot answer does not begin to write.
pub(crate) async fn bind(listen: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen).await.map_err(|cause| {
        Failure::usage(format!(
            "cannot listen on {listen}: {cause}; give another address with --listen"
        ))
    })
}

/// Ends with Ctrl-C or SIGTERM, also where one came before the future was looked at: from the call on, which must be in a
/// runtime, no signal ends the process by itself.
pub(crate) fn shutdown() -> impl Future<Output = ()> + Send + 'static {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [interrupted, terminated] = signals;
        tokio::select! {
            () = came(interrupted) => {}
            () = came(terminated) => {}
        }
    }
}

/// A signal that cannot be listened for is left to the operating system.
async fn came(signal: std::io::Result<Signal>) {
    match signal {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

/// The running service: stores, ingestion and the API's state.
pub(crate) struct Service {
    pub(crate) app: Arc<App>,
    pub(crate) lookup: lookup::Lookup,
    ingestion: Ingestion,
    _control: Control,
    _dir: ledger::data_dir::DataDir,
}

impl Service {
    pub(crate) fn start(config: &Config) -> Result<Self, Failure> {
        let stores = Stores::open(config)?;
        Self::with_stores(config, stores)
    }

    pub(crate) fn with_stores(config: &Config, stores: Stores) -> Result<Self, Failure> {
        let metrics = telemetry::start_metrics()?;
        let lookup = stores.lookup(config)?;
        let keys = KeyStore::open(stores.dir.path().join(super::keys::FILE))
            .map_err(|error| Failure::Store(crate::failure::chain(&error)))?;
        let progress = Arc::new(Progress::new());
        let secret = cursor_secret(stores.dir.path())?;
        let (acts, queue) = act_channel();
        let app = App::new(AppParts {
            lookup: lookup.clone(),
            keys,
            audit: Audit::new(stores.dir.path()),
            acts,
            progress: progress.clone(),
            cursor_secret: secret,
            metrics_render: Box::new(move || metrics.render()),
            limits: config.api_limits(),
        });
        let desk = DeskSlot::default();
        let operations = Operations {
            reader: stores.reader.clone(),
            index_dir: stores.place.dir.clone(),
            index_options: config.index_limits().writer,
            desk: desk.clone(),
            rebuild_turn: parking_lot::Mutex::new(()),
            backup_turn: parking_lot::Mutex::new(()),
        };
        let control = control::listen(stores.dir.path(), Arc::new(operations).handlers())?;
        let ingestion = ingest::start(ingest::Parts {
            writer: stores.writer,
            reader: stores.reader,
            place: stores.place,
            index: config.index_limits(),
            batch: config.batch_limits(),
            kafka: ingest::kafka_options(config, None),
            progress,
            desk,
            acts: queue,
        })?;
        Ok(Service {
            app: Arc::new(app),
            lookup,
            ingestion,
            _control: control,
            _dir: stores.dir,
        })
    }

    /// Answers until `shutdown`, then stops reading, commits what is open and ends.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let router = api::router(self.app.clone());
        let app = self.app.clone();
        let shutdown = async move {
            shutdown.await;
            app.close();
        };
        let ended = axum::serve(listener, router).with_graceful_shutdown(shutdown).await;
        let ingestion = self.ingestion;
        // Joining waits for a batch that is being committed; it must not hold up the runtime's own threads.
        let _ = tokio::task::spawn_blocking(move || drop(ingestion)).await;
        ended.map_err(|cause| Failure::Store(format!("the server failed: {cause}")))
    }
}
