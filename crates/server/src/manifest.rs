//! What a backup says of itself: `manifest.json`, written last, so that a backup without it is none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// Its name in a backup.
pub(crate) const MANIFEST: &str = "manifest.json";

/// A backup's description.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// What the marker of the data directory says.
    pub(crate) store_format: String,
    /// Version of the program that made it.
    pub(crate) program: String,
    pub(crate) made_at: DateTime<Utc>,
    pub(crate) store_id: String,
    /// The token that answers at this position carry.
    pub(crate) as_of: String,
    pub(crate) watermark_time: DateTime<Utc>,
    pub(crate) payments: u64,
    /// The next position to read of each partition.
    pub(crate) positions: BTreeMap<String, u64>,
    pub(crate) files: Vec<BackedUpFile>,
}

/// One file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BackedUpFile {
    /// Relative, with `/`.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// Lower-case hex.
    pub(crate) sha256: String,
}

impl Manifest {
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let beside = dir.join("manifest.json.tmp");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, dir.join(MANIFEST))?;
        File::open(dir)?.sync_all()
    }

    /// # Errors
    /// [`Failure::Use`] where there is no backup, [`Failure::Data`] where its manifest is damaged.
    pub(crate) fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(MANIFEST);
        let text = fs::read(&path).map_err(|cause| {
            Failure::usage(format!(
                "{} is no complete backup: its {MANIFEST} cannot be read: {cause}",
                dir.display()
            ))
        })?;
        let damaged = |cause: &dyn std::fmt::Display| {
            Failure::Data(format!("{} is damaged: {cause}; use another backup", path.display()))
        };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|cause| damaged(&cause))?;
        let plain = |file: &&BackedUpFile| {
            let mut parts = Path::new(&file.path).components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        };
        if manifest.files.iter().filter(plain).count() != manifest.files.len() {
            return Err(damaged(&"it names files outside the backup"));
        }
        Ok(manifest)
    }
}

impl BackedUpFile {
    /// Describes `dir`/`path`.
    pub(crate) fn of(dir: &Path, path: &str) -> io::Result<Self> {
        let (bytes, sha256) = digest(&dir.join(path))?;
        Ok(BackedUpFile {
            path: path.to_owned(),
            bytes,
            sha256,
        })
    }

    /// # Errors
    /// [`Failure::Data`] where the file is not what was backed up.
    pub(crate) fn verify(&self, dir: &Path) -> Result<(), Failure> {
        let found = BackedUpFile::of(dir, &self.path);
        let damaged = |what: String| Failure::Data(format!("the backup's {} {what}; use another backup", self.path));
        let found = found.map_err(|cause| damaged(format!("cannot be read: {cause}")))?;
        if (found.bytes, &found.sha256) != (self.bytes, &self.sha256) {
            return Err(damaged("is not what was backed up: its SHA-256 differs".to_owned()));
        }
        Ok(())
    }
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        hash.update(buffer.get(..read).unwrap_or_default());
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, hex))
}
