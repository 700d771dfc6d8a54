//! One cached circuit as a file.
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 20 | the header of all files, [`shardfold_protocol::envelope`] |
//! | 32 | fingerprint of what determines the circuit |
//! | 32 | digest of the circuit |
//! | 32 | SHA-256 of the circuit's encoding |
//! | | the circuit's encoding |
//!
//! A file comes into being under a temporary name in the same folder, is flushed to the disk
//! and then renamed, so under its own name it is either whole or absent, whatever crashes and
//! however many processes write it at once.

use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shardfold_protocol::envelope::{Envelope, EnvelopeError, FileKind, HEADER_BYTES};

use super::Fingerprint;

/// How the file is marked. What is read is bounded by the file's size.
const ENVELOPE: Envelope = Envelope {
    kind: FileKind::Circuit,
    version: VERSION,
    max_bytes: u64::MAX,
};
/// Version of the file format.
pub(super) const VERSION: u16 = 2;
/// Bytes before the circuit's encoding.
const HEADER: usize = HEADER_BYTES + 32 + 32 + 32;

/// Why a cached file is not used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is none.
    #[error("not cached yet")]
    Absent,
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No whole file that is marked as a circuit of this version: torn, truncated, extended,
    /// or something else.
    #[error("not a circuit file: {0}")]
    Envelope(#[from] EnvelopeError),
    /// Too short for its header.
    #[error("not a circuit file: found its end within a header of {HEADER} bytes")]
    Truncated,
    /// Made from other parameters or other code.
    #[error("the fingerprint is that of other parameters or other code")]
    Fingerprint,
    /// A bit has flipped.
    #[error("the payload does not match its checksum")]
    Checksum,
    /// The payload is whole, but the circuit in it cannot be read.
    #[error("the payload does not decode")]
    Decode,
    /// The circuit is not the one that was stored.
    #[error("the circuit's digest is not the recorded one")]
    Digest,
}

/// A file's content once its checksum has been checked.
pub(super) struct Content {
    /// The circuit's digest as recorded.
    pub(super) digest: [u8; 32],
    /// The circuit.
    pub(super) payload: Vec<u8>,
}

/// Reads and checks a file.
pub(super) fn read(path: &Path, fingerprint: &Fingerprint) -> Result<Content, FileError> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FileError::Absent,
        _ => FileError::Io(error),
    })?;
    let mut header = [0; HEADER];
    file.read_exact(&mut header)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FileError::Truncated,
            _ => FileError::Io(error),
        })?;
    let (envelope, rest) = take(&header)?;
    let (found_fingerprint, rest) = take::<32>(rest)?;
    let (digest, rest) = take::<32>(rest)?;
    let (checksum, _) = take::<32>(rest)?;

    // The length on disk bounds the allocation, not the length in the header.
    let length = file.metadata()?.len();
    ENVELOPE.check(&envelope, length)?;
    if found_fingerprint != fingerprint.0 {
        return Err(FileError::Fingerprint);
    }
    let encoding = length.saturating_sub(HEADER as u64);
    let mut payload = Vec::with_capacity(usize::try_from(encoding).unwrap_or_default());
    file.read_to_end(&mut payload)?;
    if Sha256::digest(&payload).as_slice() != checksum {
        return Err(FileError::Checksum);
    }
    Ok(Content { digest, payload })
}

/// Splits off an array.
fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), FileError> {
    bytes
        .split_first_chunk()
        .map(|(head, tail)| (*head, tail))
        .ok_or(FileError::Truncated)
}

/// Writes a file whole or not at all.
pub(super) fn write(
    path: &Path,
    fingerprint: &Fingerprint,
    digest: &[u8; 32],
    payload: &[u8],
) -> io::Result<()> {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    remove_leftovers(folder);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{serial}.tmp", std::process::id()));
    let written = write_temporary(&temporary, fingerprint, digest, payload)
        .and_then(|()| fs::rename(&temporary, path))
        // The rename itself survives a power cut once the folder is flushed.
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // Best effort: the name is ours alone, and a leftover does no harm.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Where magic and kind end in the header of all files.
const KIND_END: usize = 10;
/// How earlier builds marked their circuits, which `setup --prune` removes.
const OLD_MAGIC: &[u8] = b"SFCIRCT\n";

/// Whether a file is one of ours, or the start of one.
pub(super) fn is_ours(path: &Path) -> bool {
    let header = ENVELOPE.header(0);
    let marks = [&header[..KIND_END], OLD_MAGIC];
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(KIND_END as u64).read_to_end(&mut start));
    read.is_ok()
        && marks
            .iter()
            .any(|mark| mark.starts_with(&start) || start.starts_with(mark))
}

/// Whether [`write`] gives such temporary names: `NAME.PROCESS-SERIAL.tmp`.
fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let numbers = name
        .strip_suffix(".tmp")
        .and_then(|name| name.rsplit_once('.'))
        .and_then(|(_, numbers)| numbers.split_once('-'));
    numbers.is_some_and(|(process, serial)| {
        [process, serial]
            .iter()
            .all(|number| number.parse::<u64>().is_ok())
    })
}

/// Removes temporary files that a killed process has left behind. No write takes an hour. What is
/// none of ours stays.
pub(super) fn remove_leftovers(folder: &Path) {
    let old = |path: &Path| {
        let age = path
            .metadata()
            .and_then(|data| data.modified())
            .map(|time| time.elapsed());
        matches!(age, Ok(Ok(age)) if age > Duration::from_secs(3600))
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if is_temporary(&path) && old(&path) && is_ours(&path) {
            // Best effort: it costs disk space and nothing else.
            let _ = fs::remove_file(&path);
        }
    }
}

fn write_temporary(
    path: &Path,
    fingerprint: &Fingerprint,
    digest: &[u8; 32],
    payload: &[u8],
) -> io::Result<()> {
    let mut file = File::create(path)?;
    let length = HEADER - HEADER_BYTES + payload.len();
    file.write_all(&ENVELOPE.header(length as u64))?;
    file.write_all(&fingerprint.0)?;
    file.write_all(digest)?;
    file.write_all(&Sha256::digest(payload))?;
    file.write_all(payload)?;
    file.sync_all()
}
