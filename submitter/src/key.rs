//! The settler's key: 64 hexadecimal digits in a file or a variable. It is never shown.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::B256;
use thiserror::Error;

/// Why there is no key. What was found is not repeated: it may be a key all the same.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A file that cannot be read.
    #[error("cannot read the key {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that others can read.
    #[error(
        "found the key {} with the mode {mode:03o}, so that others can read it; expected one that its \
         owner alone reads: chmod 600, and take another key if others may have seen it",
        path.display()
    )]
    Readable {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Text that is no key.
    #[error("{place} holds no key, expected 64 hexadecimal digits of a number that is one")]
    Form {
        /// Where it stands.
        place: String,
    },
}

/// Reads the key of a file.
///
/// # Errors
/// A file that cannot be read, that others can read, or that holds something else.
pub fn read(path: &Path) -> Result<PrivateKeySigner, KeyError> {
    let io = |source| KeyError::Io {
        path: path.to_owned(),
        source,
    };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(KeyError::Readable { path, mode });
    }
    let text = fs::read_to_string(path).map_err(io)?;
    parse(&text, path.display().to_string())
}

/// Reads a key that stands at a place.
///
/// # Errors
/// Text that is none.
pub fn parse(text: &str, place: String) -> Result<PrivateKeySigner, KeyError> {
    let mut bytes = B256::ZERO;
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let signer = match hex::decode_to_slice(digits, &mut bytes.0) {
        Ok(()) => PrivateKeySigner::from_bytes(&bytes).ok(),
        Err(_) => None,
    };
    signer.ok_or(KeyError::Form { place })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tempfile::NamedTempFile;

    use super::*;

    const KEY: &str = "0x0101010101010101010101010101010101010101010101010101010101010101\n";

    #[test]
    fn a_key_is_read_if_nobody_else_can_read_it() {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(KEY.as_bytes()).expect("it is written");
        let signer = read(file.path()).expect("it is one");
        assert_eq!(
            signer.address(),
            parse(KEY, "here".to_owned()).expect("too").address()
        );
        for mode in [0o640, 0o604, 0o644] {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(file.path(), permissions).expect("it is ours");
            let error = read(file.path()).expect_err("others can read it");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        for wrong in [
            "",
            "0x01",
            &"f".repeat(64),
            &"0".repeat(64),
            &"xy".repeat(32),
        ] {
            let error = parse(wrong, "KEY".to_owned()).expect_err("it is none");
            let text = error.to_string();
            assert!(wrong.is_empty() || !text.contains(wrong), "{text}");
        }
    }
}
