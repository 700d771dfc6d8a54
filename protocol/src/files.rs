//! The files of Shardfold, in two forms that are told apart by their first bytes.
//!
//! For size: a header of 20 bytes (magic, kind, version, length of the payload, integers
//! little-endian) and the payload in bincode with integers of fixed width. For people: a JSON
//! object `{"format": "shardfold-batch", "version": 2, "content": {...}}`.
//!
//! Reading never allocates more than in proportion to the bytes that are there, refuses
//! anything after the end, and says where and what it found.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bincode::Options;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use crate::envelope::{FileKind, HEADER_BYTES, MAGIC};

use crate::envelope::{Envelope, EnvelopeError};
use crate::text::excerpt_of;

/// A byte order mark, which some editors write before JSON.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Content that has a file format.
pub trait FileContent: Serialize + DeserializeOwned {
    /// What the file is marked as.
    const KIND: FileKind;
    /// The version of the format that is written, and the only one that is read.
    const VERSION: u16;
    /// The most bytes that a file may have.
    const MAX_BYTES: u64;

    /// The content that the plain decoder would read from a binary payload, found faster;
    /// `None` where there is no faster way, or where the plain decoder would fail.
    #[must_use]
    fn decode_fast(_payload: &[u8]) -> Option<Self> {
        None
    }
}

/// Why a file cannot be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file that could not be used.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Another kind, version, size or length.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Neither of the two forms.
    #[error("found {found:02x?} at byte 0, expected {MAGIC:02x?} (\"SHRDFOLD\") or a JSON object")]
    UnknownForm {
        /// The first bytes of the file.
        found: Vec<u8>,
    },
    /// A JSON file of something else.
    #[error("found format {found:?}, expected {:?}", expected.name())]
    WrongFormat {
        /// The format's name in the file.
        found: Box<str>,
        /// The kind that was asked for.
        expected: FileKind,
    },
    /// A payload that does not decode.
    #[error("at byte {offset}: {source}")]
    Payload {
        /// Where reading stopped, from the start of the file.
        offset: usize,
        /// What is wrong at this byte.
        source: bincode::Error,
    },
    /// A payload with bytes after its end.
    #[error("found {found} bytes after the end of the content at byte {offset}, expected none")]
    TrailingBytes {
        /// Where the content ends, from the start of the file.
        offset: usize,
        /// Bytes after the content.
        found: usize,
    },
    /// Text in another encoding than UTF-8.
    #[error("found a byte order mark of {encoding} at byte 0, expected JSON in UTF-8")]
    Encoding {
        /// Name of the encoding found.
        encoding: &'static str,
    },
    /// JSON that does not decode.
    #[error("JSON: {0}")]
    Json(#[from] JsonError),
}

/// Why JSON text is not the content.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}{}{message} at line {line} column {column}", if path.is_empty() { "" } else { ": " })]
pub struct JsonError {
    /// Where in the content, as `content.transactions[2].deposit.amount`; may be empty.
    pub path: String,
    /// The line, from 1; a byte order mark does not count.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong at this line and column.
    pub message: String,
}

/// What is read first of a JSON file, whatever the content.
#[derive(Deserialize)]
struct JsonHeader {
    format: Box<str>,
    version: u64,
}

#[derive(Serialize)]
struct JsonOut<'a, T> {
    format: &'static str,
    version: u16,
    content: &'a T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonIn<T> {
    #[serde(rename = "format")]
    _format: IgnoredAny,
    #[serde(rename = "version")]
    _version: IgnoredAny,
    content: T,
}

/// Returns the binary form.
///
/// # Errors
/// Content that makes a file above the limit.
pub fn to_binary<T: FileContent>(content: &T) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Payload {
        offset: HEADER_BYTES,
        source,
    };
    let options = bincode::DefaultOptions::new().with_fixint_encoding();
    let length = options.serialized_size(content).map_err(failed)?;
    envelope::<T>().check_size(length.saturating_add(HEADER_BYTES as u64))?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + length as usize);
    bytes.extend(envelope::<T>().header(length));
    options
        .serialize_into(&mut bytes, content)
        .map_err(failed)?;
    Ok(bytes)
}

/// Returns the JSON form, indented.
///
/// # Errors
/// Content that makes a file above the limit.
pub fn to_json<T: FileContent>(content: &T) -> Result<Vec<u8>, FileError> {
    let (format, version) = (T::KIND.name(), T::VERSION);
    let file = JsonOut {
        format,
        version,
        content,
    };
    let mut bytes = serde_json::to_vec_pretty(&file)
        .map_err(|error| FileError::Json(JsonError::new(&error, String::new())))?;
    bytes.push(b'\n');
    envelope::<T>().check_size(bytes.len() as u64)?;
    Ok(bytes)
}

/// Reads either form.
///
/// # Errors
/// Anything but one well-formed file of this kind and version.
pub fn from_bytes<T: FileContent>(bytes: &[u8]) -> Result<T, FileError> {
    if bytes.starts_with(&MAGIC) {
        return from_binary(bytes);
    }
    if let Some(encoding) = other_encoding(bytes) {
        return Err(FileError::Encoding { encoding });
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => from_json(bytes),
        _ => Err(FileError::UnknownForm {
            found: bytes.iter().copied().take(MAGIC.len()).collect(),
        }),
    }
}

/// Reads a file of either form.
///
/// # Errors
/// Those of the operating system and of [`from_bytes`].
pub fn read<T: FileContent>(path: &Path) -> Result<T, FileError> {
    let failed = |source| FileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    envelope::<T>().check_size(length)?;
    let mut bytes = Vec::with_capacity(length as usize + 1);
    // A pipe has no size beforehand, and a file may grow: one byte too many is enough to see.
    file.take(T::MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    from_bytes(&bytes)
}

/// What files of this content are marked as.
const fn envelope<T: FileContent>() -> Envelope {
    Envelope {
        kind: T::KIND,
        version: T::VERSION,
        max_bytes: T::MAX_BYTES,
    }
}

fn from_binary<T: FileContent>(bytes: &[u8]) -> Result<T, FileError> {
    let payload = envelope::<T>().open(bytes)?;
    if let Some(content) = T::decode_fast(payload) {
        return Ok(content);
    }
    let mut rest = payload;
    // Trailing bytes are checked below, where their place is known.
    let options = bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_limit(payload.len() as u64);
    let content = options.deserialize_from(&mut rest);
    let offset = bytes.len() - rest.len();
    match content {
        Err(source) => Err(FileError::Payload { offset, source }),
        Ok(_) if !rest.is_empty() => Err(FileError::TrailingBytes {
            offset,
            found: rest.len(),
        }),
        Ok(content) => Ok(content),
    }
}

fn from_json<T: FileContent>(bytes: &[u8]) -> Result<T, FileError> {
    let header: JsonHeader = parse(bytes)?;
    if *header.format != *T::KIND.name() {
        return Err(FileError::WrongFormat {
            found: header.format,
            expected: T::KIND,
        });
    }
    envelope::<T>().check_version(header.version)?;
    envelope::<T>().check_size(bytes.len() as u64)?;
    let file: JsonIn<T> = parse(bytes)?;
    Ok(file.content)
}

/// The encoding whose byte order mark the bytes start with, if it is not UTF-8.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// Reads one JSON value and nothing after it. The path is looked for only where reading fails.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FileError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let path = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(error) if error.path().iter().len() > 0 => error.path().to_string(),
            _ => String::new(),
        };
        JsonError::new(&error, path).into()
    })
}

impl JsonError {
    fn new(error: &serde_json::Error, path: String) -> Self {
        let (line, column) = (error.line(), error.column());
        let place = format!(" at line {line} column {column}");
        let message = error.to_string();
        Self {
            path: shortened(&path),
            line,
            column,
            message: shortened(message.strip_suffix(&place).unwrap_or(&message)),
        }
    }
}

/// Names of members may be long.
fn shortened(text: &str) -> String {
    excerpt_of(text, 256)
}
