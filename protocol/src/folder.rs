//! Folders whose names outlast a crash.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes a folder, and those above it that are not there; each new name is on disk on return.
///
/// # Errors
/// What the operating system refuses.
pub fn create(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    create(above)?;
    match fs::create_dir(folder) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync(above)
}

/// Waits until the names in a folder are on disk: a new, renamed or removed file is not as it
/// was left after a crash unless its folder is synced as well.
///
/// # Errors
/// What the operating system refuses.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_once_and_files_are_in_the_way() {
        let place = std::env::temp_dir().join(format!("shardfold-folder-{}", std::process::id()));
        let inner = place.join("a/b");
        for _ in 0..2 {
            create(&inner).unwrap();
            assert!(inner.is_dir());
        }
        create(Path::new("")).unwrap();
        let file = inner.join("file");
        fs::write(&file, []).unwrap();
        create(&file).unwrap_err();
        create(&file.join("below")).unwrap_err();
        fs::remove_dir_all(&place).unwrap();
    }
}
