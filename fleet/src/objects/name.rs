//! What objects are called, and where they lie.

use std::fmt;
use std::str::FromStr;

use object_store::path::Path;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::digits;

/// The SHA-256 of an object's bytes; as text, 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName([u8; 32]);

/// Text that names no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found {found:?}, expected an object's name: 64 lowercase hexadecimal digits")]
pub struct NameError {
    found: Box<str>,
}

impl ObjectName {
    /// Returns the name of an object of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the hash itself.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectName({self})")
    }
}

impl FromStr for ObjectName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        digits::parse(text)
            .map(Self)
            .ok_or_else(|| NameError { found: text.into() })
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Where an object lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder<'a> {
    /// What a batch is made of: `manifest/NAME`.
    Manifest,
    /// What proofs are made from, witnesses of shards and differences of batches: `witness/NAME`.
    Witness,
    /// Results of one job, from as many workers as have done it: `part/JOB/NAME`.
    Part {
        /// The job's id.
        job: &'a str,
    },
    /// Validity proofs: `proof/NAME`.
    Proof,
}

impl Folder<'_> {
    /// What lies at a store's root.
    pub(super) const NAMES: [&'static str; 4] = ["manifest", "witness", Self::OF_PARTS, "proof"];
    /// The one that has a folder for each job.
    pub(super) const OF_PARTS: &'static str = "part";

    /// The path below the store's root. A job's id is one part of it, whatever is in it.
    pub(super) fn path(self) -> Path {
        match self {
            Self::Manifest => Path::from("manifest"),
            Self::Witness => Path::from("witness"),
            // An empty part would be none.
            Self::Part { job: "" } => Path::from("part").join("-"),
            Self::Part { job } => Path::from("part").join(job),
            Self::Proof => Path::from("proof"),
        }
    }

    /// The path of an object in it.
    pub(super) fn object(self, name: ObjectName) -> Path {
        self.path().join(name.to_string())
    }
}
