//! The work folder: whose it is, and what is removed from it.
//!
//! A folder is one of ours where the lock file has our header. The lock is made only where none
//! of our other names is taken, and removed last, so that what bears those names beside it is ours
//! too, and nothing else is ever removed.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use shardfold_protocol::folder;

use super::{EmbeddedError, Notice};
use crate::objects::{self, Objects};

/// What is in the folder. SQLite adds names to that of its file.
pub const DATABASE: &str = "fleet.db";
pub const OBJECTS: &str = "objects";
const LOCK: &str = "fleet.lock";

/// What SQLite adds.
const ENDS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// The first line of a lock file of ours.
const HEADER: &str = "work folder of shardfold\n";
/// The second one where the folder was made with the lock.
const MADE: &str = "the folder was made for it\n";

/// A work folder that this process alone uses.
pub struct WorkFolder {
    path: PathBuf,
    /// Whether the folder itself is ours to remove.
    is_made: bool,
    /// Held as long as the file is open.
    _lock: File,
    /// The folder, opened: its name among this process's descriptors has no odd characters.
    handle: File,
}

impl WorkFolder {
    /// Makes a folder a work folder if it is none. If another process or thread uses it, this
    /// waits until it has ended.
    ///
    /// # Errors
    /// If the folder cannot be used, or has something in it that would be in the way.
    pub fn hold(folder: &Path, notice: &impl Fn(Notice<'_>)) -> Result<Self, EmbeddedError> {
        let (lock, is_made) = lock(folder, notice)?;
        check_objects(folder)?;
        let failed = |source| io_error(folder, source);
        Ok(Self {
            path: fs::canonicalize(folder).map_err(failed)?,
            is_made,
            _lock: lock,
            handle: File::open(folder).map_err(failed)?,
        })
    }

    /// Returns where the objects are.
    pub fn objects(&self) -> PathBuf {
        self.path.join(OBJECTS)
    }

    /// Returns the queue's file by a name that a URL can have.
    ///
    /// # Errors
    /// If the folder has a name that is not UTF-8, and the system no other one.
    pub fn database(&self) -> Result<PathBuf, EmbeddedError> {
        let path = self.path.join(DATABASE);
        if path.to_str().is_some() {
            return Ok(path);
        }
        let handle = Path::new("/proc/self/fd").join(self.handle.as_raw_fd().to_string());
        if !handle.is_dir() {
            let folder = self.path.clone();
            return Err(EmbeddedError::NotUtf8 { folder });
        }
        Ok(handle.join(DATABASE))
    }

    /// Removes the queue's file, of which other runs make a new one.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove_database(&self) -> Result<(), EmbeddedError> {
        remove_database(&self.path)
    }

    /// Removes what was made in the folder, and the folder if it was made too. What others have
    /// put there stays.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn remove(self, objects: &Objects) -> Result<(), EmbeddedError> {
        self.remove_database()?;
        if !objects.remove_store()? {
            return Ok(());
        }
        let lock = self.path.join(LOCK);
        ignore_absent(fs::remove_file(&lock)).map_err(|source| io_error(&lock, source))?;
        if self.is_made {
            // What others put there stays.
            let _ = fs::remove_dir(&self.path);
        }
        Ok(())
    }
}

/// Looks whether a folder can be a work folder, without a change.
///
/// # Errors
/// If something in it would be in the way.
pub fn check(folder: &Path) -> Result<(), EmbeddedError> {
    match open_lock(folder)? {
        Some((_, _)) => check_objects(folder),
        None => in_the_way(folder).map_or(Ok(()), |found| Err(EmbeddedError::Foreign { found })),
    }
}

/// Returns what a work folder has: the queue's files, the objects, the lock.
pub fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let databases = ENDS.iter().map(|end| format!("{DATABASE}{end}"));
    let others = [OBJECTS, LOCK].map(str::to_owned);
    let names = databases.chain(others);
    names
        .map(|name| folder.join(name))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Returns whether a fleet is or was at work in a folder.
pub fn is_in(folder: &Path) -> bool {
    [DATABASE, OBJECTS]
        .iter()
        .any(|name| folder.join(name).exists())
}

/// Waits until no other process is in the folder. Returns the lock, and whether the folder was made
/// with it.
fn lock(folder: &Path, notice: &impl Fn(Notice<'_>)) -> Result<(File, bool), EmbeddedError> {
    let path = folder.join(LOCK);
    let failed = |source| io_error(&path, source);
    loop {
        let is_new = make(folder)?;
        let Some((file, is_made)) = open_lock(folder)? else {
            make_lock(folder, is_new)?;
            continue;
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                notice(Notice::Busy);
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The process before may have removed the file that was waited for.
        let own = file.metadata().map_err(failed)?;
        if fs::metadata(&path).is_ok_and(|there| there.ino() == own.ino()) {
            return Ok((file, is_made));
        }
    }
}

/// Makes the folder, and those above it, if it is not there. Returns whether it was made.
fn make(folder: &Path) -> Result<bool, EmbeddedError> {
    let failed = |source| io_error(folder, source);
    if folder.is_dir() {
        return Ok(false);
    }
    if let Some(above) = folder.parent() {
        folder::create(above).map_err(failed)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(false),
        made => made.map(|()| true).map_err(failed),
    }
}

/// Makes the lock where nothing is in the way, unless another process is faster.
fn make_lock(folder: &Path, is_new: bool) -> Result<(), EmbeddedError> {
    let path = folder.join(LOCK);
    if let Some(found) = in_the_way(folder) {
        // Another process may have made both just now.
        return match open_lock(folder)? {
            Some(_) => Ok(()),
            None => Err(EmbeddedError::Foreign { found }),
        };
    }
    let made = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        let second = if is_new { MADE } else { "" };
        file.write_all(format!("{HEADER}{second}").as_bytes())?;
        file.persist_noclobber(&path).map_err(|error| error.error)
    });
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // The process before has removed the folder just now.
        Err(error) if error.kind() == ErrorKind::NotFound && !folder.exists() => Ok(()),
        Err(source) => Err(io_error(&path, source)),
    }
}

/// The lock file, if it is there, and whether the folder was made with it. Fails if it is not
/// ours.
fn open_lock(folder: &Path) -> Result<Option<(File, bool)>, EmbeddedError> {
    let path = folder.join(LOCK);
    match fs::symlink_metadata(&path) {
        Ok(data) if data.is_file() => {}
        Ok(_) => return Err(EmbeddedError::Foreign { found: path }),
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(io_error(&path, source)),
    }
    let mut start = Vec::new();
    let opened = File::options().read(true).write(true).open(&path);
    let read = opened.and_then(|file| {
        (&file).take(100).read_to_end(&mut start)?;
        Ok(file)
    });
    match read {
        Ok(file) if start.starts_with(HEADER.as_bytes()) => {
            let is_made = start.ends_with(MADE.as_bytes());
            Ok(Some((file, is_made)))
        }
        Ok(_) => Err(EmbeddedError::Foreign { found: path }),
        Err(error) if is_absent(&error) => Ok(None),
        Err(source) => Err(io_error(&path, source)),
    }
}

/// Something without our lock beside it that has a name of ours.
fn in_the_way(folder: &Path) -> Option<PathBuf> {
    files(folder).find(|path| path.symlink_metadata().is_ok())
}

/// Fails for a folder of objects that is not ours.
fn check_objects(folder: &Path) -> Result<(), EmbeddedError> {
    let found = folder.join(OBJECTS);
    match objects::is_foreign(&found) {
        true => Err(EmbeddedError::Foreign { found }),
        false => Ok(()),
    }
}

pub fn remove_database(folder: &Path) -> Result<(), EmbeddedError> {
    for end in ENDS {
        let path = folder.join(format!("{DATABASE}{end}"));
        ignore_absent(fs::remove_file(&path)).map_err(|source| io_error(&path, source))?;
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

pub fn io_error(path: &Path, source: io::Error) -> EmbeddedError {
    EmbeddedError::Io {
        path: path.to_owned(),
        source,
    }
}
