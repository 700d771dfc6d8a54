//! Removing what other builds have left.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::{CircuitCache, file};

/// What [`prune`] has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Circuits.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// Removes all circuits below `root` but those of the caches `kept`. A process that still uses
/// one has it in memory already, or builds it again. What is no circuit stays.
///
/// # Errors
/// If a folder cannot be read or a circuit not be removed; a `root` that does not exist is empty.
pub fn prune(root: &Path, kept: &[&CircuitCache]) -> io::Result<Pruned> {
    let mut pruned = Pruned::default();
    let folders = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(pruned),
        folders => folders?,
    };
    for folder in folders {
        let folder = folder?.path();
        let is_kept = kept.iter().any(|cache| cache.folder == folder);
        if !is_kept && folder.is_dir() && is_fingerprint(&folder) {
            empty(&folder, &mut pruned)?;
        }
    }
    Ok(pruned)
}

/// Whether the folder's name is one that [`CircuitCache::new`] gives.
fn is_fingerprint(folder: &Path) -> bool {
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let name = folder.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.len() == 32 && name.as_bytes().iter().all(digit))
}

/// Removes the circuits in a folder, and the folder itself if nothing else was in it.
fn empty(folder: &Path, pruned: &mut Pruned) -> io::Result<()> {
    let before = pruned.files;
    file::remove_leftovers(folder);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let is_circuit = path.extension() == Some(OsStr::new("circuit"));
        if is_circuit && entry.file_type()?.is_file() && file::is_ours(&path) {
            pruned.bytes += entry.metadata()?.len();
            fs::remove_file(path)?;
            pruned.files += 1;
        }
    }
    // An empty folder may belong to another program.
    if pruned.files == before {
        return Ok(());
    }
    match fs::remove_dir(folder) {
        // Something else is in it, or another process was faster.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
            ) =>
        {
            Ok(())
        }
        removed => removed,
    }
}
