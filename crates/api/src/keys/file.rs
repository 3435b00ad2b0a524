//! The file that keys are kept in.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{KeyError, Role, hex};

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    pub id: String,
    pub role: Role,
    #[serde(default)]
    pub merchants: BTreeSet<String>,
    /// Of the key's text, lower-case hex.
    pub(crate) sha256: String,
    pub created_at: DateTime<Utc>,
    /// From when on it is refused; ahead of now in the grace after a rotation.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl KeyRecord {
    pub fn works_at(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none_or(|end| now < end)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    keys: Vec<KeyRecord>,
}

const FORMAT: u32 = 1;

/// Tells one content of the file from the next without reading it. A replaced file is another inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// Of a file that does not exist the default one.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(found) => Ok(Stamp {
                inode: found.ino(),
                length: found.len(),
                modified: (found.mtime(), found.mtime_nsec()),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Stamp::default()),
            Err(error) => Err(error),
        }
    }
}

/// The file's content in memory.
#[derive(Debug)]
pub(super) struct Loaded {
    stamp: Stamp,
    records: Vec<KeyRecord>,
    /// Digests of all keys, with their place.
    places: HashMap<String, usize>,
}

impl Loaded {
    pub(super) fn read(path: &Path) -> Result<Self, KeyError> {
        // The stamp first: what is written in between is then taken for news and read again.
        let stamp = Stamp::of(path).map_err(|source| KeyError::File {
            path: path.to_owned(),
            source,
        })?;
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::of(stamp, Vec::new())),
            Err(source) => {
                return Err(KeyError::File {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let damaged = |reason: String| KeyError::Damaged {
            path: path.to_owned(),
            reason,
        };
        let content: Content = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if content.format != FORMAT {
            return Err(damaged(format!(
                "it has format {}, this program writes {FORMAT}",
                content.format
            )));
        }
        Ok(Loaded::of(stamp, content.keys))
    }

    fn of(stamp: Stamp, records: Vec<KeyRecord>) -> Self {
        let all = records.iter().enumerate();
        let places = all.map(|(place, record)| (record.sha256.clone(), place)).collect();
        Loaded { stamp, records, places }
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(super) fn records(&self) -> &[KeyRecord] {
        &self.records
    }

    pub(super) fn find(&self, digest: &[u8; 32]) -> Option<&KeyRecord> {
        self.places.get(&hex(digest)).and_then(|place| self.records.get(*place))
    }
}

/// Replaces the file by what `change` makes of it; nobody else changes it meanwhile.
pub(super) fn replace<T>(
    path: &Path,
    change: impl FnOnce(&mut Vec<KeyRecord>) -> Result<T, KeyError>,
) -> Result<(Loaded, T), KeyError> {
    let failed = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    // Beside the file, because the file itself is replaced and a lock stays with what was replaced.
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(sibling(path, "lock"))
        .map_err(failed)?;
    lock.lock().map_err(failed)?;
    let mut records = Loaded::read(path)?.records;
    let value = change(&mut records)?;
    let content = Content {
        format: FORMAT,
        keys: records,
    };
    write(path, &content).map_err(failed)?;
    Ok((Loaded::read(path)?, value))
}

fn write(path: &Path, content: &Content) -> io::Result<()> {
    let draft = sibling(path, "new");
    let mut file = File::create(&draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    let mut text = serde_json::to_vec_pretty(content)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    // The directory holds the name: without this a crash could bring the old file back.
    path.parent().map_or(Ok(()), |parent| {
        File::open(if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        })?
        .sync_all()
    })
}

fn sibling(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
