//! The one writer of an index.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::Term;
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::{Index, IndexSettings, TantivyDocument};

use crate::document::Document;
use crate::error::{SearchError, guarded};
use crate::fields::{Fields, schema};
use crate::merging::Merging;
use crate::part::Part;
use crate::position::IndexPosition;
use crate::reader::{IndexReader, open_engine};

/// Below this the engine refuses to work (15 MB), above it holds no more (4 GB).
const MEMORY_BYTES: std::ops::RangeInclusive<usize> = 16 << 20..=4_000_000_000;

/// Between two looks at a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

type Engine = tantivy::IndexWriter<TantivyDocument>;

#[derive(Debug, Clone)]
pub struct Options {
    /// Memory for documents that are not yet in a segment, 16 MiB to 4 GB. A commit writes them out, and so does a full
    /// memory: a small one makes more and smaller segments, which merges must put together.
    pub memory_bytes: usize,
    /// Threads that merge segments in the background.
    pub merge_threads: usize,
    /// How long a locked directory is waited for. Whoever has the data directory is the only one to write its index, so a
    /// lock there is being let go of: a process that is just being started holds all locks of its parent until it runs.
    pub lock_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            memory_bytes: 128 << 20,
            merge_threads: 1,
            lock_wait: Duration::from_secs(10),
        }
    }
}

/// Writes documents. There is one for a directory at a time.
///
/// After any error of [`upsert`](Self::upsert), [`remove`](Self::remove) or [`commit`](Self::commit) the writer is to be
/// dropped and the index opened again: it then stands at its last durable commit, and what came after that is indexed
/// once more. A commit that failed may be durable all the same; the position tells.
///
/// Dropping it waits for the merges under way, which can take minutes on a large index. Without that the engine's threads
/// would go on with the directory for a while, and a writer opened meanwhile could find files removed that it counts on.
/// A process that ends need not wait: see [`leave`](Self::leave).
pub struct IndexWriter {
    /// Always there until the writer is dropped.
    engine: Option<Engine>,
    fields: Fields,
    store_id: String,
    reader: IndexReader,
    /// No committed document has a greater key.
    committed_key_max: Option<u64>,
    /// The keys of the documents added since the last commit.
    added: HashSet<u64>,
}

impl IndexWriter {
    /// Opens the index of the store `store_id` in `dir`.
    ///
    /// # Errors
    ///
    /// [`SearchError::needs_rebuild`] when the directory holds no index that could be carried on.
    pub fn open(dir: &Path, store_id: &str, options: &Options) -> Result<Self, SearchError> {
        guarded(|| Self::of_engine(&open_engine(dir)?, dir, store_id, options))
    }

    /// Makes an empty index in `dir`, at batch 0. Whatever the directory held is removed.
    pub fn create(dir: &Path, store_id: &str, options: &Options) -> Result<Self, SearchError> {
        if dir.try_exists().map_err(SearchError::Io)? {
            fs::remove_dir_all(dir).map_err(SearchError::Io)?;
        }
        fs::create_dir_all(dir).map_err(SearchError::Io)?;
        // Nothing is stored in a document, but the engine writes where each begins: 5 bytes a document, and 1 when packed.
        let settings = IndexSettings {
            docstore_compression: Compressor::Zstd(ZstdCompressor {
                compression_level: Some(1),
            }),
            docstore_blocksize: 64 << 10,
            ..IndexSettings::default()
        };
        let index = Index::builder()
            .schema(schema())
            .settings(settings)
            .create_in_dir(dir)?;
        let mut engine = engine_writer(&index, dir, options)?;
        commit_engine(&mut engine, &IndexPosition::new(store_id, 0))?;
        engine.wait_merging_threads()?;
        Self::open(dir, store_id, options)
    }

    fn of_engine(index: &Index, dir: &Path, store_id: &str, options: &Options) -> Result<Self, SearchError> {
        let fields = Fields::of(&index.schema())?;
        let engine = engine_writer(index, dir, options)?;
        let reader = IndexReader::of_index(index.clone(), dir, store_id)?;
        let committed_key_max = reader.snapshot().key_max();
        let store_id = store_id.to_owned();
        Ok(IndexWriter {
            engine: Some(engine),
            fields,
            store_id,
            reader,
            committed_key_max,
            added: HashSet::new(),
        })
    }

    /// A reader that every commit of this writer reloads.
    pub fn reader(&self) -> IndexReader {
        self.reader.clone()
    }

    /// Writes a document in place of the one with the same seq, if there is one.
    pub fn upsert(&mut self, document: &Document) -> Result<(), SearchError> {
        for part in Part::ALL {
            self.remove_part(document.seq, part)?;
            self.add_part(document, part)?;
        }
        Ok(())
    }

    /// Takes the document of a payment out, if there is one.
    pub fn remove(&mut self, seq: u64) -> Result<(), SearchError> {
        Part::ALL.into_iter().try_for_each(|part| self.remove_part(seq, part))
    }

    /// Writes one part of a document that has none so far. Returns whether it has anything to write.
    pub fn add_part(&mut self, document: &Document, part: Part) -> Result<bool, SearchError> {
        let Some(engine_document) = self.fields.engine_document(document, part) else {
            return Ok(false);
        };
        self.engine()?.add_document(engine_document)?;
        self.added.insert(part.key(document.seq));
        Ok(true)
    }

    /// Takes one part of a document out, if there is one.
    ///
    /// Each removal is looked up in every segment at the commit, so it is only asked for where a document may be: seqs
    /// grow, and a payment seen for the first time has a greater one than every committed document.
    pub fn remove_part(&mut self, seq: u64, part: Part) -> Result<(), SearchError> {
        let key = part.key(seq);
        let committed = self.committed_key_max.is_some_and(|max| key <= max);
        if self.added.remove(&key) || committed {
            let term = Term::from_field_u64(self.fields.key, key);
            self.engine()?.delete_term(term);
        }
        Ok(())
    }

    /// Makes everything since the last commit durable together with the position it reaches, and reloads the readers.
    pub fn commit(&mut self, batch_no: u64) -> Result<(), SearchError> {
        let position = IndexPosition::new(self.store_id.clone(), batch_no);
        commit_engine(self.engine()?, &position)?;
        self.committed_key_max = self.committed_key_max.max(self.added.iter().copied().max());
        self.added.clear();
        self.reader.reload()
    }

    /// Documents added since the last commit.
    pub fn uncommitted(&self) -> usize {
        self.added.len()
    }

    /// Drops what was not committed and returns at once, for a process that ends now: merges under way are cut off as by
    /// a kill, which harms nothing. Nobody may open the directory again before the process has ended.
    pub fn leave(mut self) {
        std::mem::forget(self.engine.take());
    }

    fn engine(&mut self) -> Result<&mut Engine, SearchError> {
        let stopped = || SearchError::WriterStopped {
            detail: "it was closed".to_owned(),
        };
        self.engine.as_mut().ok_or_else(stopped)
    }
}

impl Drop for IndexWriter {
    fn drop(&mut self) {
        let Some(engine) = self.engine.take() else { return };
        // Waiting for merges ends early when an indexing thread has failed. What is queued before that is done here.
        let queued = engine.garbage_collect_files().wait().map(|_| ());
        if let Err(error) = queued.and_then(|()| engine.wait_merging_threads()) {
            tracing::warn!(error = %error, "the search index was closed after its writer had failed");
        }
    }
}

fn engine_writer(index: &Index, dir: &Path, options: &Options) -> Result<Engine, SearchError> {
    let memory = options.memory_bytes.clamp(*MEMORY_BYTES.start(), *MEMORY_BYTES.end());
    let engine_options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .memory_budget_per_thread(memory)
        .num_merge_threads(options.merge_threads.max(1))
        .build();
    let until = Instant::now() + options.lock_wait;
    let engine: Engine = loop {
        match index
            .writer_with_options(engine_options.clone())
            .map_err(SearchError::from)
        {
            Ok(engine) => break engine,
            Err(SearchError::Locked { .. }) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
            Err(SearchError::Locked { .. }) => return Err(SearchError::Locked { dir: dir.to_owned() }),
            Err(error) => return Err(error),
        }
    };
    engine.set_merge_policy(Box::new(Merging::default()));
    Ok(engine)
}

/// The engine's plain commit would drop the payload.
fn commit_engine(engine: &mut Engine, position: &IndexPosition) -> Result<(), SearchError> {
    let payload = position.payload()?;
    let mut prepared = engine.prepare_commit()?;
    prepared.set_payload(&payload);
    prepared.commit()?;
    Ok(())
}
