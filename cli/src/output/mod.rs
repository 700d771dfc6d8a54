//! What the commands print and write: plain lines, one JSON object for machines, and files that
//! appear whole or not at all.

mod place;
mod target;

use std::fmt::Arguments;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_fleet::printable::printable;

pub use place::{Output, Places, check_folder};
pub use target::STANDARD;

/// Where plain lines go: to standard output, or to standard error when standard output is
/// for machines or for a file's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    json: bool,
    is_aside: bool,
}

impl Printer {
    /// Lines for people, moved aside if `json` is asked for.
    pub const fn new(json: bool) -> Self {
        let is_aside = json;
        Self { json, is_aside }
    }

    /// Lines for people, on standard error: the other one takes bytes.
    pub const fn aside() -> Self {
        Self {
            json: false,
            is_aside: true,
        }
    }

    /// Prints one line. Proving goes on even if no process reads it any more (`| head`).
    pub fn line(self, text: Arguments<'_>) {
        if self.is_aside {
            warn(text);
        } else {
            let _ = writeln!(std::io::stdout(), "{}", shown(text));
        }
    }

    /// Prints a line that the user asked for, so that it must arrive.
    pub fn answer(self, text: Arguments<'_>) -> Result<()> {
        if self.is_aside {
            warn(text);
            return Ok(());
        }
        print(format!("{}\n", shown(text)).as_bytes())
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
    let _ = writeln!(std::io::stderr(), "{}", shown(text));
}

/// Returns text for people in which nothing but its line breaks acts on a terminal, whatever
/// names of files are in it. A name that may hold a line break is escaped where it is put in.
fn shown(text: Arguments<'_>) -> String {
    let text = text.to_string();
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    lines.join("\n")
}

/// Prints what the user asked for, so that it must arrive.
pub fn print(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

/// Reads a file or standard input, or the first `limit + 1` bytes: enough for a reader to see
/// that there are too many.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let read = match path == Path::new(STANDARD) {
        true => read_start(io::stdin().lock(), limit),
        false => File::open(path).and_then(|file| read_start(file, limit)),
    };
    read.with_context(|| format!("cannot read {}", path.display()))
}

fn read_start(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Returns the bytes in GiB, to be printed.
pub fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// Returns the most memory that this process has held at once, in bytes.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
