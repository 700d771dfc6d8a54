//! Ed25519 keys of workers, and what they sign.
//!
//! A key lies in a file as PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{self, DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use rand::TryRng as _;
use rand::rngs::{SysError, SysRng};
use shardfold_protocol::folder;

use crate::digits;
use crate::objects::ObjectName;

/// No key's file is longer, in bytes.
const MAX_FILE_BYTES: u64 = 4096;

/// Why a key cannot be made, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file that could not be used.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A secret that others on this machine can read.
    #[error(
        "{}: found mode {mode:03o}, expected a file that only its owner can read (chmod 600)",
        path.display()
    )]
    Readable {
        /// The file of the key.
        path: PathBuf,
        /// The permissions of the file.
        mode: u32,
    },
    /// A file of something else.
    #[error("{}: not an Ed25519 private key in PEM (PKCS#8): {source}", path.display())]
    Format {
        /// The file that is no key.
        path: PathBuf,
        /// What is wrong with it.
        source: pkcs8::Error,
    },
    /// Text that is no public key.
    #[error("found {found:?}, expected a worker's public key: 64 lowercase hexadecimal digits")]
    PublicKey {
        /// The text found.
        found: Box<str>,
    },
    /// Text that is no signature.
    #[error("found {found:?}, expected a signature: 128 lowercase hexadecimal digits")]
    Signature {
        /// The text found.
        found: Box<str>,
    },
    /// The operating system has no randomness.
    #[error("no randomness from the operating system: {0}")]
    Randomness(#[from] SysError),
    /// A key that has no form in PEM.
    #[error("the key cannot be written: {0}")]
    Encode(pkcs8::Error),
}

/// What a worker signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim<'a> {
    /// "This is the result of that job."
    Result {
        /// The batch's id.
        batch: &'a str,
        /// The job's id.
        job: &'a str,
        /// The result's object.
        result: ObjectName,
    },
    /// "I am here, and prove with these circuits."
    Registration {
        /// The worker's name for this run of it.
        instance: &'a str,
        /// The circuits' fingerprint.
        circuits: &'a str,
    },
}

impl Claim<'_> {
    /// The bytes that are signed: what kind of claim it is, then its fields, each after its
    /// length in bytes (u64, little-endian).
    fn message(&self) -> Vec<u8> {
        match self {
            Self::Result { batch, job, result } => joined(&[
                b"shardfold worker 1: result",
                batch.as_bytes(),
                job.as_bytes(),
                result.as_bytes(),
            ]),
            Self::Registration { instance, circuits } => joined(&[
                b"shardfold worker 1: hello",
                instance.as_bytes(),
                circuits.as_bytes(),
            ]),
        }
    }
}

fn joined(fields: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    for field in fields {
        message.extend_from_slice(&(field.len() as u64).to_le_bytes());
        message.extend_from_slice(field);
    }
    message
}

/// A worker's secret.
pub struct WorkerKey(SigningKey);

impl fmt::Debug for WorkerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkerKey(of {})", self.public())
    }
}

impl WorkerKey {
    /// Returns a new key, from the operating system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; ed25519_dalek::SECRET_KEY_LENGTH];
        SysRng.try_fill_bytes(&mut seed)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Returns the key in a file that only its owner can read; the group may too where the owner is
    /// root, which is how Kubernetes mounts a secret.
    ///
    /// # Errors
    /// [`KeyError::Io`], [`KeyError::Readable`] and [`KeyError::Format`].
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.mode() & 0o777;
        let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
        if mode & forbidden != 0 {
            return Err(KeyError::Readable {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = String::new();
        let mut start = file.take(MAX_FILE_BYTES);
        start.read_to_string(&mut text).map_err(failed)?;
        match SigningKey::from_pkcs8_pem(&text) {
            Ok(key) => Ok(Self(key)),
            Err(source) => Err(KeyError::Format {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Writes a file that only its owner can read: whole and on disk, or not at all.
    ///
    /// # Errors
    /// [`KeyError::Io`], also if there is a file already.
    pub fn to_file(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let text = self.0.to_pkcs8_pem(LineEnding::LF);
        let text = text.map_err(KeyError::Encode)?;
        let above = match path.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        // Such files are made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(above).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        let persisted = file.persist_noclobber(path);
        persisted.map_err(|error| failed(error.error))?;
        folder::sync(above).map_err(failed)
    }

    /// Returns the key to register.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Returns the signature of a claim.
    #[must_use]
    pub fn sign(&self, claim: &Claim<'_>) -> Signature {
        Signature(self.0.sign(&claim.message()))
    }
}

/// A worker's public key; as text, 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Returns whether this key's holder made this claim.
    #[must_use]
    pub fn verify(&self, claim: &Claim<'_>, signature: &Signature) -> bool {
        let verified = self.0.verify_strict(&claim.message(), &signature.0);
        verified.is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        digits::parse(text)
            .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
            // Under a key of small order one signature fits many claims.
            .filter(|key| !key.is_weak())
            .map(Self)
            .ok_or_else(|| KeyError::PublicKey { found: text.into() })
    }
}

/// A signature of a claim; as text, 128 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(ed25519_dalek::Signature);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.to_bytes()))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        digits::parse(text)
            .map(|bytes| Self(ed25519_dalek::Signature::from_bytes(&bytes)))
            .ok_or_else(|| KeyError::Signature { found: text.into() })
    }
}
