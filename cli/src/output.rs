//! What the commands print and write: plain lines, one JSON object for machines, and files that
//! appear whole or not at all.

use std::fmt::Arguments;
use std::fs::{self, File};
use std::io::{Read as _, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::folder;

/// Where plain lines go: to standard output, or to standard error when standard output is
/// for machines.
#[derive(Clone, Copy, Debug)]
pub struct Say {
    json: bool,
}

impl Say {
    /// Lines for people, moved aside if `json` is asked for.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints one line. That nobody reads on (`| head`) is no reason to stop proving.
    pub fn line(self, text: Arguments<'_>) {
        if self.json {
            warn(text);
        } else {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }

    /// Prints a line that the user asked for, so that it must arrive.
    pub fn answer(self, text: Arguments<'_>) -> Result<()> {
        if self.json {
            warn(text);
            return Ok(());
        }
        print(format!("{text}\n").as_bytes())
    }

    /// The last line of a command: one object, if machines are listening.
    pub fn object(self, object: &impl Serialize) -> Result<()> {
        if self.json {
            print(format!("{}\n", serde_json::to_string(object)?).as_bytes())?;
        }
        Ok(())
    }
}

/// Prints one line to standard error, if anyone reads it.
pub fn warn(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints what the user asked for, so that it must arrive.
pub fn print(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

/// Reads a file, or its first `limit + 1` bytes: enough for a reader to see that there are too
/// many.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .with_context(failed)?;
    Ok(bytes)
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether something is there that is no regular file, as a pipe or a device: it is written
/// to, never replaced.
pub fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| !data.is_file())
}

/// Writes to a temporary name in the same folder, then renames: what was there stays until
/// the new content is whole on disk. A link stays one, what it points to is replaced.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if is_special(path) {
        return fs::write(path, bytes).with_context(failed);
    }
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(path);
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    let file = file
        .persist(path)
        .map_err(|error| error.error)
        .with_context(failed)?;
    set_readable(&file).with_context(failed)?;
    // The rename itself is lost in a crash unless the folder is synced too.
    folder::sync(folder).with_context(failed)
}

/// Temporary files are private; what the user asked for is not.
fn set_readable(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(())
    }
}

/// Bytes in GiB, to be printed.
pub fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// The most memory that this process has held at once, in bytes.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
