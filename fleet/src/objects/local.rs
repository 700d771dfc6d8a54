//! Removing what a store has put into a folder of this machine, and nothing else.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Folder, MARKER, MARKER_BYTES, ObjectName};

/// Returns whether something is there that is neither a store nor an empty folder.
#[must_use]
pub fn is_foreign(folder: &Path) -> bool {
    let is_store = fs::read(folder.join(MARKER)).is_ok_and(|found| found == MARKER_BYTES);
    let is_empty = || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    folder.symlink_metadata().is_ok() && !is_store && !is_empty()
}

/// Returns what has a name that a store would give, in a folder without this marker.
pub fn in_the_way(marker: &Path) -> Option<PathBuf> {
    let names = Folder::NAMES.iter().map(|name| marker.with_file_name(name));
    names
        .into_iter()
        .find(|path| path.symlink_metadata().is_ok())
}

/// Removes the store with this marker: its objects, the marker and its folder. Whatever else is
/// there stays, and the marker with it. Returns whether all is gone.
pub fn remove_store(marker: &Path) -> io::Result<bool> {
    let folder = marker.parent().unwrap_or(marker);
    for name in Folder::NAMES {
        let folder = folder.join(name);
        if name == Folder::OF_PARTS {
            for job in entries(&folder)? {
                remove_objects(&folder.join(job))?;
            }
            remove_empty(&folder)?;
        } else {
            remove_objects(&folder)?;
        }
    }
    if entries(folder)?.iter().any(|name| name != MARKER) {
        return Ok(false);
    }
    ignore_absent(fs::remove_file(marker))?;
    remove_empty(folder)
}

/// Removes the objects in a folder, whole or in the making, then the folder if nothing else is in
/// it. Returns whether it is gone.
pub fn remove_objects(folder: &Path) -> io::Result<bool> {
    for name in entries(folder)? {
        let path = folder.join(&name);
        if is_object(&name) && !path.is_dir() {
            ignore_absent(fs::remove_file(path))?;
        }
    }
    remove_empty(folder)
}

/// Removes the files that an object has until it is whole: `PATH#1`, `PATH#2`, and so on.
pub fn remove_unfinished(object: &Path) {
    for number in 1_u32.. {
        let mut name = object.as_os_str().to_owned();
        name.push(format!("#{number}"));
        if fs::remove_file(name).is_err() {
            return;
        }
    }
}

/// Whether a store gives such names: `NAME`, or `NAME#1` and so on until the object is whole.
fn is_object(name: &OsStr) -> bool {
    let name = name.to_str().unwrap_or_default();
    let (name, number) = name.split_once('#').unwrap_or((name, "0"));
    name.parse::<ObjectName>().is_ok() && number.parse::<u32>().is_ok()
}

/// The names in a folder; none if it is not there, or is none.
fn entries(folder: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        entries => entries?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<_>>(),
    }
}

/// Removes a folder unless something is in it, or it is a link or a file. Returns whether it is
/// gone.
fn remove_empty(folder: &Path) -> io::Result<bool> {
    match fs::remove_dir(folder) {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(true),
            ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory => Ok(false),
            _ => Err(error),
        },
    }
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
