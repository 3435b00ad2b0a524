//! A derived store lies in a numbered directory, and a small file says in which.
//!
//! So a store can be made again beside the one in use: in a new directory, which counts once the file names it. The file
//! is replaced by a rename, so a crash at any instant leaves the old store or the new one, complete.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const POINTER: &str = "current";

/// The generations of one store.
#[derive(Clone, Debug)]
pub struct Generations {
    root: PathBuf,
}

impl Generations {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Generations { root: root.into() }
    }

    /// The directory in use; `None` where there is none, or the file that names it is unreadable.
    pub fn current(&self) -> io::Result<Option<PathBuf>> {
        let text = match fs::read(self.root.join(POINTER)) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let number: Option<u64> = text.trim().parse().ok();
        let dir = number.map(|number| self.root.join(number.to_string()));
        Ok(dir.filter(|dir| dir.is_dir()))
    }

    /// A directory for a new generation, which does not exist yet.
    pub fn fresh(&self) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.root)?;
        let mut last = 0;
        for item in fs::read_dir(&self.root)? {
            let number: Option<u64> = item?.file_name().to_str().and_then(|name| name.parse().ok());
            last = last.max(number.unwrap_or(0));
        }
        Ok(self.root.join((last + 1).to_string()))
    }

    /// Makes `to`, which [`fresh`](Self::fresh) gave, the one in use.
    pub fn switch(&self, to: &Path) -> io::Result<()> {
        let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = self.root.join("current.new");
        let mut file = File::create(&beside)?;
        writeln!(file, "{name}")?;
        file.sync_all()?;
        fs::rename(&beside, self.root.join(POINTER))?;
        File::open(&self.root)?.sync_all()
    }

    /// Removes everything that is not in use. What cannot be removed now is removed the next time.
    pub fn sweep(&self) {
        let Ok(current) = self.current() else { return };
        let Ok(items) = fs::read_dir(&self.root) else { return };
        for item in items.filter_map(Result::ok) {
            let path = item.path();
            if Some(&path) == current.as_ref() || item.file_name() == POINTER {
                continue;
            }
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            if let Err(error) = removed {
                tracing::debug!(path = %path.display(), %error, "a directory that is not in use is still there");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_counts_once_it_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let generations = Generations::new(dir.path().join("index"));
        assert_eq!(generations.current().expect("readable"), None);
        let first = generations.fresh().expect("a path");
        fs::create_dir_all(&first).expect("a directory");
        assert_eq!(generations.current().expect("readable"), None);
        generations.switch(&first).expect("switched");
        assert_eq!(generations.current().expect("readable"), Some(first.clone()));
        let second = generations.fresh().expect("a path");
        assert_ne!(first, second);
        fs::create_dir_all(&second).expect("a directory");
        generations.sweep();
        assert!(first.exists() && !second.exists());
        fs::write(dir.path().join("index/current"), b"\xff?").expect("written");
        assert_eq!(generations.current().expect("readable"), None);
    }
}
