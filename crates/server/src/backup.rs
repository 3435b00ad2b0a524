//! A backup: the ledger as of one batch, the keys and the secrets, and a manifest that is written last.
//!
//! Rows and index are derived and left out: they are made again when the restored directory is opened.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use api::audit::Act;
use ledger::Reader;
use ledger::data_dir::{MARKER, marker_text};
use lookup::AsOf;
use serde_json::{Value, json};

use crate::audited;
use crate::control::Progress;
use crate::failure::Failure;
use crate::manifest::{BackedUpFile, MANIFEST, Manifest};

/// Of the files that lie in a data directory itself, what belongs to the running process alone.
const NOT_BACKED_UP: [&str; 2] = ["lock", MARKER];

/// Makes a backup in `dir`, which is empty or does not exist yet.
///
/// # Errors
/// [`Failure::Use`] where `dir` cannot take a backup, [`Failure::Store`] where the stores or the disk fail. Without its
/// manifest what was written is no backup.
pub(crate) fn make(reader: &Reader, dir: &Path, progress: Progress<'_>) -> Result<Value, Failure> {
    check_target(reader.data_dir(), dir)?;
    let failed = |cause: io::Error| Failure::Store(format!("the backup in {} failed: {cause}", dir.display()));
    audited::record(reader.data_dir(), Act::Backup, &dir.display().to_string())?;
    progress(json!({ "stage": "copying the ledger" }));
    let ledger_dir = dir.join("ledger");
    fs::create_dir_all(&ledger_dir).map_err(failed)?;
    let copy = reader.copy_ledger()?;
    progress(json!({ "stage": "writing the backup" }));
    let mut names = Vec::new();
    for file in copy.files() {
        let name = file.file_name().unwrap_or_default();
        moved(&file, &ledger_dir.join(name)).map_err(failed)?;
        names.push(format!("ledger/{}", name.to_string_lossy()));
    }
    for name in beside_the_stores(reader.data_dir()).map_err(failed)? {
        copy_lines(&reader.data_dir().join(&name), &dir.join(&name)).map_err(failed)?;
        names.push(name);
    }
    progress(json!({ "stage": "adding up checksums" }));
    let files = names
        .iter()
        .map(|name| BackedUpFile::of(dir, name))
        .collect::<io::Result<Vec<_>>>()
        .map_err(failed)?;
    let as_of = AsOf::new(&copy.head, reader.store_id(), 0);
    let manifest = Manifest {
        store_format: marker_text().trim().to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: chrono::Utc::now(),
        store_id: reader.store_id().to_owned(),
        as_of: as_of.token,
        watermark_time: as_of.watermark_time,
        payments: copy.payments,
        positions: copy.positions.iter().cloned().collect(),
        files,
    };
    manifest.write(dir).map_err(failed)?;
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    tracing::info!(dir = %dir.display(), as_of = manifest.as_of, bytes, "a backup was made");
    Ok(json!({ "as_of": manifest.as_of, "payments": manifest.payments, "bytes": bytes }))
}

fn check_target(data_dir: &Path, dir: &Path) -> Result<(), Failure> {
    if !dir.is_absolute() {
        return Err(Failure::usage("the directory of a backup is given with its whole path"));
    }
    let data_dir = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_owned());
    if dir.starts_with(&data_dir) {
        return Err(Failure::usage(format!(
            "{} is inside the data directory; give a directory on another disk",
            dir.display()
        )));
    }
    check_empty(dir)
}

/// Refuses a directory that holds anything.
pub(crate) fn check_empty(dir: &Path) -> Result<(), Failure> {
    match fs::read_dir(dir) {
        Ok(mut items) => match items.next() {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!(
                "{} is not empty; give a new directory",
                dir.display()
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::usage(format!("{} cannot be used: {error}", dir.display()))),
    }
}

/// Moves a file that nobody has open; copies it where that is another disk.
fn moved(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => fs::copy(from, to).map(|_| ())?,
        other => other?,
    }
    File::open(to)?.sync_all()
}

/// The keys, the secrets, the logs.
fn beside_the_stores(data_dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for item in fs::read_dir(data_dir)? {
        let item = item?;
        let Ok(name) = item.file_name().into_string() else {
            continue;
        };
        let is_temporary = [".tmp", ".new", ".lock"].iter().any(|ending| name.ends_with(ending)) || name == MANIFEST;
        if item.file_type()?.is_file() && !is_temporary && !NOT_BACKED_UP.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Copies a file; of a log that is being written, the lines that are complete.
fn copy_lines(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let file = File::options().read(true).write(true).open(to)?;
    if to.extension().is_some_and(|extension| extension == "log") {
        let text = fs::read(to)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
    }
    file.sync_all()
}

/// Copies a verified backup into an empty directory. The marker is written last: without it the directory is refused.
pub(crate) fn restore(backup: &Path, data_dir: &Path, progress: Progress<'_>) -> Result<Manifest, Failure> {
    let manifest = Manifest::read(backup)?;
    let supported = marker_text();
    if manifest.store_format != supported.trim() {
        return Err(Failure::Store(format!(
            "the backup is of a store of {}, this program reads {}; use the program of that version",
            manifest.store_format,
            supported.trim()
        )));
    }
    check_empty(data_dir)?;
    for file in &manifest.files {
        progress(json!({ "stage": format!("checking {}", file.path) }));
        file.verify(backup)?;
    }
    let failed = |cause: io::Error| Failure::Store(format!("cannot restore into {}: {cause}", data_dir.display()));
    for file in &manifest.files {
        progress(json!({ "stage": format!("restoring {}", file.path) }));
        let target = data_dir.join(&file.path);
        let parent: PathBuf = target.parent().map(Path::to_owned).unwrap_or_default();
        fs::create_dir_all(parent).map_err(failed)?;
        fs::copy(backup.join(&file.path), &target).map_err(failed)?;
        File::open(&target).and_then(|file| file.sync_all()).map_err(failed)?;
    }
    // The one act that goes on where it cannot be logged: a damaged log in a backup must not cost the ledger too.
    if let Err(failure) = audited::record(data_dir, Act::Restore, &backup.display().to_string()) {
        tracing::warn!("the restore is not on the audit log: {}", failure.sentence());
    }
    fs::write(data_dir.join(MARKER), supported).map_err(failed)?;
    Ok(manifest)
}
