//! Merkle proofs of single records.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{DEPTH, StateTree};
use crate::hash::{Digest, compress};
use crate::head::Head;
use crate::record::{Index, Record};
use crate::text::digest::{Text, to_hex};

/// That a record, an empty one too, is at an index of the tree with a certain root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordProof {
    /// Where the record lies.
    pub index: Index,
    /// The record.
    pub record: Record,
    /// The nodes beside the path, from the leaf's sibling up to a child of the root.
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub siblings: [Digest; DEPTH],
}

/// A proof of another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "found a record and siblings with state root {}, expected {}",
    to_hex(found),
    to_hex(expected)
)]
pub struct RecordProofError {
    /// The root that record and siblings make.
    pub found: Digest,
    /// The state root of the head.
    pub expected: Digest,
}

impl RecordProof {
    /// Returns the root of the tree in which the record has these siblings.
    pub fn root(&self) -> Digest {
        let mut digest = self.record.digest();
        for (level, sibling) in self.siblings.iter().enumerate() {
            digest = match self.index >> level & 1 {
                0 => compress(&digest, sibling),
                _ => compress(sibling, &digest),
            };
        }
        digest
    }

    /// Checks that the record is part of the state of this head.
    ///
    /// # Errors
    /// The proof's root is not the head's.
    pub fn check(&self, head: &Head) -> Result<(), RecordProofError> {
        let (found, expected) = (self.root(), head.state_root);
        if found == expected {
            Ok(())
        } else {
            Err(RecordProofError { found, expected })
        }
    }
}

impl StateTree {
    /// Proves the record at an index, be it empty or not.
    #[must_use]
    pub fn prove_record(&self, index: Index) -> RecordProof {
        RecordProof {
            index,
            record: self.get(index),
            siblings: core::array::from_fn(|level| self.node(level, index >> level ^ 1)),
        }
    }
}

fn to_text<S: Serializer>(digests: &[Digest; DEPTH], serializer: S) -> Result<S::Ok, S::Error> {
    digests.map(Text).serialize(serializer)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[Digest; DEPTH], D::Error> {
    let digests = <[Text; DEPTH]>::deserialize(deserializer)?;
    Ok(digests.map(|Text(digest)| digest))
}
