//! Where the results of a command go: looked at before the work, so that what took an hour to make
//! can be kept, and written whole.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shardfold_protocol::folder;

use super::target::{STANDARD, Target, existing, resolve, try_folder};
use super::{Printer, folder_of, gib};
use crate::exit::{cannot, usage};

/// The places of one run: what it reads, and where it writes.
pub struct Places {
    inputs: Vec<Identity>,
    outputs: Vec<Output>,
}

/// A place for a result that was looked at.
#[derive(Clone, Debug)]
pub struct Output {
    named: PathBuf,
    target: Target,
}

impl Places {
    /// For a run that reads these files, some of which may not be there.
    pub fn new(inputs: impl IntoIterator<Item = PathBuf>) -> Self {
        let inputs = inputs.into_iter();
        Self {
            inputs: inputs.filter_map(|path| Identity::of(&path)).collect(),
            outputs: Vec::new(),
        }
    }

    /// Returns a place for a result of at least so many bytes.
    ///
    /// # Errors
    /// If it cannot be written, has not so much space, is an input of the run or another output.
    pub fn output(&mut self, path: &Path, bytes: u64) -> Result<Output> {
        let target = resolve(path)
            .and_then(|target| target.check().map(|()| target))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let output = Output {
            named: path.to_owned(),
            target,
        };
        self.check_alone(&output)?;
        if let Some(file) = output.file() {
            check_space(file, bytes)?;
        }
        self.outputs.push(output.clone());
        Ok(output)
    }

    /// Returns where lines go while these outputs are made: standard output takes a result, or else
    /// what is said of it.
    ///
    /// # Errors
    /// If standard output should take a result and JSON.
    pub fn printer(&self, json: bool) -> Result<Printer> {
        let mut taken = self.outputs.iter();
        match taken.find(|output| output.target == Target::Stdout) {
            Some(output) if json => Err(usage(format!(
                "{} and --json both want standard output: name a file for one of them",
                output.named.display()
            ))),
            Some(_) => Ok(Printer::aside()),
            None => Ok(Printer::new(json)),
        }
    }

    fn check_alone(&self, output: &Output) -> Result<()> {
        let named = output.named.display();
        let identity = output.identity();
        let is_own = |input: &&Identity| identity.as_ref().is_some_and(|own| own.is(input));
        if let Some(input) = self.inputs.iter().find(is_own) {
            return Err(usage(format!(
                "{named} is {}, which this command reads: expected another file to write",
                input.path.display()
            )));
        }
        for other in &self.outputs {
            let both = (identity.as_ref(), other.identity());
            let is_same = match both {
                (Some(own), Some(other)) => own.is(&other),
                _ => output.target == Target::Stdout && other.target == Target::Stdout,
            };
            if is_same {
                return Err(usage(format!(
                    "{named} and {} are the same file, expected one for each output",
                    other.named.display()
                )));
            }
        }
        Ok(())
    }
}

impl Output {
    /// Writes the result: whole or not at all where the place is a file that can be replaced.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        let written = match &self.target {
            Target::Stdout => return super::print(bytes),
            Target::Stream(path) => append(path, bytes),
            Target::InPlace(path) => rewrite(path, bytes),
            Target::File(path) => replace(path, bytes),
        };
        written.with_context(|| format!("cannot write {}", self.named.display()))
    }

    /// Returns the file that is written, unless it is a stream.
    pub fn file(&self) -> Option<&Path> {
        match &self.target {
            Target::Stdout | Target::Stream(_) => None,
            Target::InPlace(path) | Target::File(path) => Some(path),
        }
    }

    /// What else may be the same file. Devices take what several write.
    fn identity(&self) -> Option<Identity> {
        match &self.target {
            Target::Stdout => None,
            Target::Stream(path) => {
                let kind = fs::metadata(path).ok()?.file_type();
                Identity::of(path).filter(|_| !kind.is_char_device())
            }
            Target::InPlace(path) | Target::File(path) => Identity::of(path),
        }
    }
}

/// As people know it.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            Target::Stdout => f.write_str("standard output"),
            _ => self.named.display().fmt(f),
        }
    }
}

/// What makes two names those of one file.
#[derive(Clone, Debug)]
struct Identity {
    /// Without links.
    path: PathBuf,
    /// Device and number, if it is there.
    inode: Option<(u64, u64)>,
}

impl Identity {
    /// `None` if it is no file.
    fn of(path: &Path) -> Option<Self> {
        if path == Path::new(STANDARD) {
            return None;
        }
        let data = fs::metadata(path).ok();
        Some(Self {
            path: without_links(path)?,
            inode: data.map(|data| (data.dev(), data.ino())),
        })
    }

    fn is(&self, other: &Self) -> bool {
        self.path == other.path || (self.inode.is_some() && self.inode == other.inode)
    }
}

/// The path from the root without links, as far as it is there.
fn without_links(path: &Path) -> Option<PathBuf> {
    if let Ok(whole) = fs::canonicalize(path) {
        return Some(whole);
    }
    let name = path.file_name()?;
    Some(without_links(folder_of(path))?.join(name))
}

/// Makes sure that files can be made in a folder, or in the nearest one above it that is there.
///
/// # Errors
/// If not, or if there is less space than so many bytes.
pub fn check_folder(folder: &Path, bytes: u64) -> Result<()> {
    try_folder(folder).with_context(|| format!("cannot write in {}", folder.display()))?;
    check_space(&folder.join("."), bytes)
}

/// Compares the space for a file with what it needs. What cannot be told is no reason to stop.
fn check_space(file: &Path, bytes: u64) -> Result<()> {
    match free_bytes(file) {
        Some(free) if free < bytes => Err(cannot(format!(
            "found {:.3} GiB of free space for {}, expected {:.3} GiB",
            gib(free),
            file.display(),
            gib(bytes)
        ))),
        _ => Ok(()),
    }
}

/// The free space where a file is or will be. A mounted file is not where its folder is.
fn free_bytes(file: &Path) -> Option<u64> {
    let there = if file.exists() {
        file
    } else {
        existing(folder_of(file)).ok()?
    };
    let space = rustix::fs::statvfs(there).ok()?;
    // Some file systems do not know their size.
    (space.f_blocks > 0).then(|| space.f_bavail.saturating_mul(space.f_frsize))
}

/// Writes to what is no file.
fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

/// Writes over the content of a file that keeps its place, unless it has not enough of it.
fn rewrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let old = file.metadata()?.len();
    let free = free_bytes(path).map(|free| free.saturating_add(old));
    if free.is_some_and(|free| free < bytes.len() as u64) {
        return Err(ErrorKind::StorageFull.into());
    }
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes to a temporary name in the same folder, then renames: what was there stays until the
/// new content is whole on disk.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    folder::create(folder)?;
    let old = fs::metadata(path).ok();
    // A new file is as the umask wants it; one that takes the place of another is private until
    // it has the other's mode.
    let mode = if old.is_some() { 0o600 } else { 0o666 };
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(old) = old {
        keep_owner_and_mode(file.as_file(), &old)?;
    }
    file.as_file().sync_all()?;
    match file.persist(path) {
        Ok(_) => {}
        // Something has been mounted on it since it was looked at.
        Err(refused) if is_held(&refused.error) => return rewrite(path, bytes),
        Err(refused) => return Err(refused.error),
    }
    // The rename itself is lost in a crash unless the folder is synced too.
    folder::sync(folder)
}

/// Whether a file cannot be replaced, though perhaps be written.
fn is_held(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices
    )
}

fn keep_owner_and_mode(file: &File, old: &fs::Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // Only root may give files to others; the content is there all the same.
        let _ = std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))
}
