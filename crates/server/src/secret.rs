//! The secret that signs cursors: 256 random bits in a file of their own, the same over restarts.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::failure::Failure;

const FILE: &str = "cursor.secret";

/// Reads the secret of a data directory; makes it where there is none.
pub(crate) fn cursor_secret(data_dir: &Path) -> Result<[u8; 32], Failure> {
    let path = data_dir.join(FILE);
    let unusable = |cause: std::io::Error| Failure::Store(format!("cannot use {}: {cause}", path.display()));
    if let Ok(bytes) = fs::read(&path) {
        return bytes
            .try_into()
            .map_err(|_| Failure::Store(format!("{} is damaged; remove it (open cursors end)", path.display())));
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|cause| Failure::Store(format!("no random bytes: {cause}")))?;
    let mut file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(unusable)?;
    file.write_all(&secret)
        .and_then(|()| file.sync_all())
        .map_err(unusable)?;
    Ok(secret)
}
