//! What a batch's proof is made of, and the tree of jobs that makes it.
//!
//! A manifest is an object of the store; its SHA-256 is the batch's id. Everything that a
//! worker relies on is in it, so that a change of the database cannot change a job.

#[cfg(test)]
mod tests;
mod tree;

use serde::{Deserialize, Serialize};
use shardfold_protocol::data::POINT_LIMIT;
use shardfold_protocol::files::{self, FileContent, FileError, FileKind};
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::text::integer::Integer;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;

use crate::objects::ObjectName;

pub use tree::Job;

/// A batch that was executed and cut into shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The security profile's name.
    profile: String,
    /// The verification key of the circuits, 64 hexadecimal digits.
    circuits: String,
    /// The chain to which the transactions are bound.
    #[serde(with = "shardfold_protocol::text::element")]
    chain_id: u64,
    /// Where the ledger stands before the first shard and after each: one more than shards.
    heads: Vec<Head>,
    /// The shards in order.
    shards: Vec<Shard>,
    /// What is published of the batch, if a settlement proof is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published: Option<Published>,
}

/// A shard of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Its witness's object.
    pub witness: ObjectName,
    /// Its shape.
    pub shape: Shape,
}

/// What is published of a batch on the chain where it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The object of the batch's [differences](crate::differences).
    pub differences: ObjectName,
    /// The point that what is published gives: two words below 2^63.
    point: [Integer; 2],
}

impl Published {
    /// Returns what is published: the object of the differences, and the point, two words.
    #[must_use]
    pub fn new(differences: ObjectName, point: [u64; 2]) -> Self {
        let point = point.map(Integer);
        Self { differences, point }
    }

    /// Returns the point that what is published gives: two words below 2^63.
    #[must_use]
    pub fn point(&self) -> [u64; 2] {
        self.point.map(|Integer(word)| word)
    }
}

/// Why bytes are no manifest, or shards make none.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// No file that is marked as a manifest of this version, or not in its form.
    #[error("not a manifest: {0}")]
    File(#[from] FileError),
    /// This build knows no such profile.
    #[error("found the profile {found:?}, which this build does not know")]
    Profile {
        /// The profile's name in the manifest.
        found: Box<str>,
    },
    /// Heads that are not one more than the shards, or no shards.
    #[error("found {heads} heads of {shards} shards, expected one more, and at least one shard")]
    Heads {
        /// The heads found.
        heads: usize,
        /// The shards found.
        shards: usize,
    },
    /// A shard without transactions.
    #[error("shard {shard} leads from transaction {before} to {after}, expected a later one")]
    Order {
        /// Position of the shard in the batch, from 0.
        shard: usize,
        /// Transactions before it.
        before: u64,
        /// Transactions after it.
        after: u64,
    },
    /// A shape with numbers beyond all bounds.
    #[error("shard {shard} has the shape {found:?}, expected one within the bounds of a shape")]
    Shape {
        /// Position of the shard in the batch, from 0.
        shard: usize,
        /// The shape of the shard.
        found: Shape,
    },
    /// A point that no data have.
    #[error("found the point {found:?} of what is published, expected two words below 2^63")]
    Point {
        /// The words found.
        found: [u64; 2],
    },
    /// Shards that do not follow one another.
    #[error("shard {shard} does not start where the one before it ends")]
    Gap {
        /// Position of the shard in the batch, from 0.
        shard: usize,
    },
}

impl FileContent for Manifest {
    const KIND: FileKind = FileKind::Manifest;
    const VERSION: u16 = 4;
    const MAX_BYTES: u64 = Manifest::MAX_BYTES;
}

impl Manifest {
    /// The most bytes that a manifest may have: some 60,000 shards.
    pub const MAX_BYTES: u64 = 1 << 26;

    /// Returns the manifest of shards that follow one another, with the object of each one's
    /// witness.
    ///
    /// # Errors
    /// If the shards leave a gap, or there is none.
    pub fn new(
        profile: Profile,
        circuits: [u8; 32],
        shards: &[(ObjectName, &ShardWitness)],
    ) -> Result<Self, ManifestError> {
        let mut heads = Vec::with_capacity(shards.len() + 1);
        let mut chain_id = 0;
        for (shard, (_, witness)) in shards.iter().enumerate() {
            let Statement {
                chain_id: chain,
                before,
                after,
            } = witness.statement;
            match heads.last() {
                None => {
                    chain_id = chain;
                    heads.push(before);
                }
                Some(head) if *head == before && chain == chain_id => {}
                Some(_) => return Err(ManifestError::Gap { shard }),
            }
            heads.push(after);
        }
        let manifest = Self {
            profile: profile.name().to_owned(),
            circuits: hex::encode(circuits),
            chain_id,
            heads,
            shards: shards
                .iter()
                .map(|&(witness, shard)| Shard {
                    witness,
                    shape: shard.shape,
                })
                .collect(),
            published: None,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// Returns the same with a settlement proof, of what is published.
    ///
    /// # Errors
    /// A point with a word that is not below 2^63.
    pub fn with_settlement(self, published: Published) -> Result<Self, ManifestError> {
        let manifest = Self {
            published: Some(published),
            ..self
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// Returns the same without a settlement proof.
    #[must_use]
    pub fn without_settlement(self) -> Self {
        Self {
            published: None,
            ..self
        }
    }

    /// Returns the bytes that are stored; their SHA-256 is the batch's id.
    ///
    /// # Errors
    /// More shards than a manifest may have.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        Ok(files::to_json(self)?)
    }

    /// Inverts [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// If the bytes are no manifest of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = files::from_bytes(bytes)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        if Profile::named(&self.profile).is_none() {
            return Err(ManifestError::Profile {
                found: self.profile.as_str().into(),
            });
        }
        if let Some(found) = self.published.map(|published| published.point())
            && found.iter().any(|&word| word >= POINT_LIMIT)
        {
            return Err(ManifestError::Point { found });
        }
        let (heads, shards) = (self.heads.len(), self.shards.len());
        if shards == 0 || heads != shards + 1 {
            return Err(ManifestError::Heads { heads, shards });
        }
        for (shard, &Shard { shape, .. }) in self.shards.iter().enumerate() {
            if !shape.is_bounded() {
                return Err(ManifestError::Shape {
                    shard,
                    found: shape,
                });
            }
        }
        for (shard, (before, after)) in self.heads.iter().zip(self.heads.iter().skip(1)).enumerate()
        {
            let (before, after) = (before.tx_count, after.tx_count);
            if before >= after {
                return Err(ManifestError::Order {
                    shard,
                    before,
                    after,
                });
            }
        }
        Ok(())
    }

    /// Returns the same shards for these circuits.
    #[must_use]
    pub fn with_circuits(&self, circuits: [u8; 32]) -> Self {
        Self {
            circuits: hex::encode(circuits),
            ..self.clone()
        }
    }

    /// Returns the security profile's name.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Returns the verification key of the circuits, 64 hexadecimal digits.
    #[must_use]
    pub fn circuits(&self) -> &str {
        &self.circuits
    }

    /// Returns the shards in order.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// Returns what is published of the batch, if a settlement proof is asked for.
    #[must_use]
    pub const fn published(&self) -> Option<&Published> {
        self.published.as_ref()
    }

    /// Accepted transactions in the batch.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        let counts = self.heads.first().zip(self.heads.last());
        counts.map_or(0, |(first, last)| {
            last.tx_count.saturating_sub(first.tx_count)
        })
    }

    /// Returns what a proof of the shards from `first` to before `end` states; `None` if there are
    /// no such shards.
    #[must_use]
    pub fn statement(&self, first: usize, end: usize) -> Option<Statement> {
        if first >= end {
            return None;
        }
        Some(Statement {
            chain_id: self.chain_id,
            before: *self.heads.get(first)?,
            after: *self.heads.get(end)?,
        })
    }

    /// Returns what the batch's proof states.
    #[must_use]
    pub fn whole(&self) -> Option<Statement> {
        self.statement(0, self.shards.len())
    }

    /// Returns how many proofs one aggregation joins.
    #[must_use]
    pub fn arity(&self) -> usize {
        self.known_profile().arity()
    }

    /// The profile, which `check` has found; the one that takes most, if it had not.
    fn known_profile(&self) -> Profile {
        Profile::named(&self.profile).unwrap_or(Profile::Proven100)
    }
}
