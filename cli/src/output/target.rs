//! What is behind the name of an output.

use anyhow::anyhow;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, StatxAttributes, StatxFlags};

use super::folder_of;

/// The name of standard output, and of standard input.
pub const STANDARD: &str = "-";

/// Links that lead to links, before they count as a circle.
const MAX_LINKS: usize = 40;

/// How a result is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To standard output, as it was opened.
    Stdout,
    /// To a pipe, a device or a descriptor that another program has opened: added to it.
    Stream(PathBuf),
    /// Over the content of a file that cannot be replaced, as one that is mounted.
    InPlace(PathBuf),
    /// As a file that takes the place of what has its name. Its folder is made if it is not there.
    File(PathBuf),
}

/// Follows links, also to what is not there.
pub fn resolve(named: &Path) -> io::Result<Target> {
    if named == Path::new(STANDARD) {
        return Ok(Target::Stdout);
    }
    let mut path = named.to_owned();
    for _ in 0..MAX_LINKS {
        if let Some(target) = descriptor(&path) {
            return Ok(target);
        }
        match fs::symlink_metadata(&path) {
            Ok(data) if data.is_symlink() => path = folder_of(&path).join(fs::read_link(&path)?),
            Ok(data) => return of_existing(path, &data),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                check_name(&path)?;
                return Ok(Target::File(path));
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

/// An open descriptor of this process or another. Its name leads to the file that was opened, but
/// not to how: at its end perhaps.
fn descriptor(path: &Path) -> Option<Target> {
    if path == Path::new("/dev/stdout") {
        return Some(Target::Stdout);
    }
    let folder = fs::canonicalize(folder_of(path)).ok()?;
    if !folder.starts_with("/proc") || !folder.ends_with("fd") {
        return None;
    }
    let is_own = fs::canonicalize("/proc/self/fd").is_ok_and(|own| own == folder);
    Some(match path.file_name()?.to_str() {
        Some("1") if is_own => Target::Stdout,
        _ => Target::Stream(path.to_owned()),
    })
}

fn of_existing(path: PathBuf, data: &Metadata) -> io::Result<Target> {
    check_name(&path)?;
    if !data.is_file() && !data.file_type().is_fifo() {
        return Ok(Target::Stream(path));
    }
    if is_stdout(data) {
        return Ok(Target::Stdout);
    }
    if !data.is_file() {
        return Ok(Target::Stream(path));
    }
    let can_replace = !is_mounted(&path) && !is_stuck(&path, data);
    match can_replace && try_folder(folder_of(&path)).is_ok() {
        true => Ok(Target::File(path)),
        false => Ok(Target::InPlace(path)),
    }
}

/// Whether standard output was sent to this file: then its lines must not be between the bytes.
fn is_stdout(data: &Metadata) -> bool {
    rustix::fs::fstat(io::stdout())
        .is_ok_and(|out| (out.st_dev, out.st_ino) == (data.dev(), data.ino()))
}

/// Whether something is mounted on the file, as `docker run -v FILE:FILE` does.
fn is_mounted(path: &Path) -> bool {
    let found = rustix::fs::statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS);
    found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Whether the file is another user's in a folder like /tmp, where only its owner may rename it.
fn is_stuck(path: &Path, data: &Metadata) -> bool {
    const STICKY: u32 = 0o1000;
    let user = rustix::process::geteuid();
    fs::metadata(folder_of(path)).is_ok_and(|folder| {
        let own = user.as_raw();
        folder.mode() & STICKY != 0 && !user.is_root() && ![data.uid(), folder.uid()].contains(&own)
    })
}

impl Target {
    /// Checks that it can be written, as far as that can be told without a change.
    pub fn check(&self) -> io::Result<()> {
        match self {
            Self::Stdout => Ok(()),
            // To open a pipe is to wait for its reader.
            Self::Stream(path) => {
                if fs::metadata(path)?.file_type().is_socket() {
                    return Err(io::Error::other(
                        "it is a socket, expected a file or a pipe",
                    ));
                }
                Ok(rustix::fs::access(path, Access::WRITE_OK)?)
            }
            Self::InPlace(path) => OpenOptions::new().write(true).open(path).map(drop),
            Self::File(path) => {
                try_folder(folder_of(path))?;
                match OpenOptions::new().write(true).open(path) {
                    // Not for its mode: it is one that no process may change or replace.
                    Err(error) if error.raw_os_error() == Some(EPERM) => Err(error),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// "Operation not permitted": what a file's attribute forbids, not its mode.
const EPERM: i32 = rustix::io::Errno::PERM.raw_os_error();

/// Makes a file without a name in a folder, or in the nearest one above it that is there.
pub(super) fn try_folder(folder: &Path) -> io::Result<()> {
    let made = existing(folder)?;
    tempfile::tempfile_in(made).map(drop)
}

/// The folder itself, or the nearest one above it that is there.
pub(super) fn existing(folder: &Path) -> io::Result<&Path> {
    match fs::metadata(folder) {
        Ok(data) if data.is_dir() => Ok(folder),
        Ok(_) => Err(ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == ErrorKind::NotFound && folder.parent().is_some() => {
            existing(folder_of(folder))
        }
        Err(error) => Err(error),
    }
}

/// Fails for what can be no file's name.
pub(super) fn check_name(path: &Path) -> Result<(), io::Error> {
    let is_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_folder || path.file_name().is_none() || path.is_dir() {
        let text = "it is a folder, expected the name of a file";
        return Err(io::Error::new(ErrorKind::IsADirectory, anyhow!(text)));
    }
    Ok(())
}
