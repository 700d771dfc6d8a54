//! The header of every binary file of Shardfold: magic, kind, version and length of the
//! payload, integers little-endian.
// The verifier's path runs through here.
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

use core::fmt;

use thiserror::Error;

/// The first bytes of every binary file.
pub const MAGIC: [u8; 8] = *b"SHRDFOLD";
/// Bytes before the payload of a binary file.
pub const HEADER_BYTES: usize = 8 + 2 + 2 + 8;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum FileKind {
    /// A [`Batch`](crate::batch::Batch).
    Batch = 1,
    /// A [`StateFile`](crate::state::StateFile).
    State = 2,
    /// A [`ShardWitness`](crate::witness::ShardWitness).
    Witness = 3,
    /// An [`Inclusion`](crate::inclusion::Inclusion).
    Inclusion = 4,
    /// A validity proof.
    Proof = 5,
    /// A verification key.
    Key = 6,
    /// A built circuit.
    Circuit = 7,
    /// The manifest of a fleet's batch.
    Manifest = 8,
    /// A settlement proof.
    SettlementProof = 9,
    /// The key of settlement proofs.
    SettlementKey = 10,
    /// What a batch changes and owes.
    Changes = 11,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Batch,
        Self::State,
        Self::Witness,
        Self::Inclusion,
        Self::Proof,
        Self::Key,
        Self::Circuit,
        Self::Manifest,
        Self::SettlementProof,
        Self::SettlementKey,
        Self::Changes,
    ];

    /// Returns the format's name: in JSON files, and in errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Batch => "shardfold-batch",
            Self::State => "shardfold-state",
            Self::Witness => "shardfold-witness",
            Self::Inclusion => "shardfold-inclusion",
            Self::Proof => "shardfold-proof",
            Self::Key => "shardfold-key",
            Self::Circuit => "shardfold-circuit",
            Self::Manifest => "shardfold-manifest",
            Self::SettlementProof => "shardfold-settlement-proof",
            Self::SettlementKey => "shardfold-settlement-key",
            Self::Changes => "shardfold-changes",
        }
    }
}

/// What to do with a file of another version than the one that is read.
const fn advice(kind: FileKind, found: u64, expected: u16) -> &'static str {
    if found > expected as u64 {
        return "a later build wrote it, which is the one to read it with";
    }
    match kind {
        FileKind::Batch => {
            "its signatures are for owners without an exit address, so it cannot be converted; make \
             it anew with this build (`shardfold import`)"
        }
        FileKind::State if found == 2 => {
            "its assets had 32 bits, and those of pools and markets have more; make it anew with this \
             build: from its ledger's folder (`shardfold state export`), or with `shardfold import`"
        }
        FileKind::State => {
            "its owners have no exit address, so it cannot be converted; only the build that wrote \
             it reads and exports such ledgers (`shardfold state export`), and one of this build \
             starts from a genesis of its own (`shardfold import`)"
        }
        FileKind::Witness => "cut the batch into shards again with this build",
        FileKind::Inclusion => {
            "the build that wrote it checks it; this one proves records of its own ledgers \
             (`shardfold state prove`)"
        }
        FileKind::Proof => "the build that made it verifies it",
        FileKind::Key => {
            "take the key of this build (`shardfold key`), or verify with the build that made it"
        }
        FileKind::Circuit => "this build makes its own (`shardfold setup`)",
        FileKind::Manifest => "submit the batch again with this build (`shardfold submit`)",
        FileKind::SettlementProof => {
            "make it anew from the validity proof with this build (`shardfold wrap`)"
        }
        FileKind::SettlementKey => "take the key of this build (`shardfold wrap --settlement-key`)",
        FileKind::Changes => "settle with the build that wrote it, or make it anew with this build",
    }
}

/// The number of a kind, with its name if there is such a kind.
struct Number(u16);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = *self;
        match FileKind::ALL.iter().find(|kind| **kind as u16 == number) {
            Some(kind) => write!(f, "{number} ({})", kind.name()),
            None => write!(f, "{number}"),
        }
    }
}

/// Why bytes are no binary file of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// Other first bytes.
    #[error("found {found:02x?} at byte 0, expected {MAGIC:02x?} (\"SHRDFOLD\")")]
    Magic {
        /// The first bytes of the file.
        found: Vec<u8>,
    },
    /// A file that ends within its header.
    #[error("found the end of the file at byte {found}, expected a header of {HEADER_BYTES} bytes")]
    TruncatedHeader {
        /// Bytes of the file.
        found: usize,
    },
    /// A file of something else.
    #[error("found kind {} at byte 8, expected {}", Number(*found), Number(*expected as u16))]
    WrongKind {
        /// The kind's number in the file.
        found: u16,
        /// The kind that was asked for.
        expected: FileKind,
    },
    /// Another version of the format.
    #[error(
        "found version {found} of {}, expected {expected}: {}",
        kind.name(),
        advice(*kind, *found, *expected)
    )]
    WrongVersion {
        /// The kind of the file.
        kind: FileKind,
        /// The version of the file.
        found: u64,
        /// The version that can be read.
        expected: u16,
    },
    /// More bytes than such a file may have.
    #[error("found {found} bytes or more, expected at most {limit} in a {} file", kind.name())]
    TooLarge {
        /// What the file should hold.
        kind: FileKind,
        /// How many bytes there are at least.
        found: u64,
        /// The most bytes that such a file may have.
        limit: u64,
    },
    /// A payload that is shorter or longer than the header says.
    #[error("found a payload of {found} bytes at byte {HEADER_BYTES}, expected {expected}")]
    PayloadLength {
        /// How many bytes follow the header.
        found: u64,
        /// How many the header announces.
        expected: u64,
    },
}

/// What a file is marked as, and how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the file holds.
    pub kind: FileKind,
    /// The version of the format that is written, and the only one that is read.
    pub version: u16,
    /// The most bytes that a file may have.
    pub max_bytes: u64,
}

impl Envelope {
    /// Returns the header of a file whose payload has so many bytes.
    #[must_use]
    pub fn header(&self, length: u64) -> [u8; HEADER_BYTES] {
        let [k0, k1] = (self.kind as u16).to_le_bytes();
        let [v0, v1] = self.version.to_le_bytes();
        let [m0, m1, m2, m3, m4, m5, m6, m7] = MAGIC;
        let [l0, l1, l2, l3, l4, l5, l6, l7] = length.to_le_bytes();
        [
            m0, m1, m2, m3, m4, m5, m6, m7, k0, k1, v0, v1, l0, l1, l2, l3, l4, l5, l6, l7,
        ]
    }

    /// Returns the file of a payload.
    #[must_use]
    pub fn seal(&self, payload: &[u8]) -> Vec<u8> {
        [&self.header(payload.len() as u64), payload].concat()
    }

    /// Returns the payload of a file.
    ///
    /// # Errors
    /// Anything but one whole file of this kind, version and size.
    pub fn open<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], EnvelopeError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(EnvelopeError::Magic {
                found: bytes.iter().copied().take(MAGIC.len()).collect(),
            });
        }
        let truncated = EnvelopeError::TruncatedHeader { found: bytes.len() };
        let (header, payload) = bytes.split_first_chunk().ok_or(truncated)?;
        self.check(header, bytes.len() as u64)?;
        Ok(payload)
    }

    /// Checks the header of a file that has so many bytes in all.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn check(&self, header: &[u8; HEADER_BYTES], bytes: u64) -> Result<(), EnvelopeError> {
        let [magic @ .., k0, k1, v0, v1, _, _, _, _, _, _, _, _] = *header;
        if magic != MAGIC {
            let found = magic.to_vec();
            return Err(EnvelopeError::Magic { found });
        }
        let found = u16::from_le_bytes([k0, k1]);
        if found != self.kind as u16 {
            let expected = self.kind;
            return Err(EnvelopeError::WrongKind { found, expected });
        }
        self.check_version(u16::from_le_bytes([v0, v1]).into())?;
        self.check_size(bytes)?;
        let [_, _, _, _, _, _, _, _, _, _, _, _, length @ ..] = *header;
        let found = bytes.saturating_sub(HEADER_BYTES as u64);
        let expected = u64::from_le_bytes(length);
        if found != expected {
            return Err(EnvelopeError::PayloadLength { found, expected });
        }
        Ok(())
    }

    /// Refuses another version.
    pub(crate) fn check_version(&self, found: u64) -> Result<(), EnvelopeError> {
        if found != u64::from(self.version) {
            return Err(EnvelopeError::WrongVersion {
                kind: self.kind,
                found,
                expected: self.version,
            });
        }
        Ok(())
    }

    /// Refuses a file of too many bytes.
    pub(crate) fn check_size(&self, found: u64) -> Result<(), EnvelopeError> {
        let (kind, limit) = (self.kind, self.max_bytes);
        if found > limit {
            return Err(EnvelopeError::TooLarge { kind, found, limit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_version_is_refused_with_what_to_do() {
        for kind in FileKind::ALL {
            let envelope = |version| Envelope {
                kind,
                version,
                max_bytes: 100,
            };
            let refused = |version| {
                let bytes = envelope(version).seal(b"payload");
                envelope(2).open(&bytes).unwrap_err().to_string()
            };
            let (older, name) = (refused(1), kind.name());
            let start = format!("found version 1 of {name}, expected 2: ");
            assert!(older.starts_with(&start), "{older}");
            assert!(older.contains("build"), "{older}");
            let newer = refused(3);
            let end = "expected 2: a later build wrote it, which is the one to read it with";
            assert_eq!(newer, format!("found version 3 of {name}, {end}"));
        }
    }

    #[test]
    fn a_file_of_one_kind_is_named_where_another_is_expected() {
        for (number, kind) in (1..).zip(FileKind::ALL) {
            assert_eq!(kind as u16, number);
            let envelope = |kind| Envelope {
                kind,
                version: 3,
                max_bytes: 100,
            };
            let bytes = envelope(kind).seal(b"payload");
            assert_eq!(envelope(kind).open(&bytes).unwrap(), b"payload");
            for other in FileKind::ALL.into_iter().filter(|other| *other != kind) {
                let message = envelope(other).open(&bytes).unwrap_err().to_string();
                let found = format!("found kind {number} ({}) at byte 8", kind.name());
                let expected = format!("expected {} ({})", other as u16, other.name());
                assert_eq!(message, format!("{found}, {expected}"));
            }
        }
    }
}
