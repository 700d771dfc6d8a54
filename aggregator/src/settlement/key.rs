//! The key of settlement proofs.

use plonky2::hash::hash_types::BytesHash;
use plonky2::hash::merkle_tree::MerkleCap;
use sha2::{Digest as _, Sha256};
use shardfold_protocol::envelope::{Envelope, EnvelopeError, FileKind};
use shardfold_recursion::plonk::onchain::{OnChainError, verifier_data};
use shardfold_recursion::plonk::{
    CommonData, DIGEST_BYTES, Grinding, KeccakConfig, KeccakDigest, VerifierKey, circuit_digest,
};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::tree::outer_common_data;

use crate::key::{profile_bytes, split_profile};

/// How the file is marked.
const ENVELOPE: Envelope = Envelope {
    kind: FileKind::SettlementKey,
    version: 2,
    max_bytes: 1 << 12,
};
/// What a key's id hashes before its content, so that no other kind of key has it.
const ID_DOMAIN: [u8; 12] = *b"SFSKEY\n\0\x02\0\0\0";

/// The outer circuit's key with the profile that its parameters come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementKey {
    profile: Profile,
    pub(super) common: CommonData,
    pub(super) key: VerifierKey<KeccakConfig>,
}

/// Why bytes are no settlement key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettlementKeyError {
    /// No whole file that is marked as a settlement key of this version.
    #[error("not a settlement key: {0}")]
    Envelope(#[from] EnvelopeError),
    /// The content ends too early or too late.
    #[error("not a settlement key: the content is not of the length of its profile")]
    Format,
    /// This build knows no such profile.
    #[error("the key's security profile is unknown to this build")]
    Profile,
    /// The circuit digest is not that of the cap beside it.
    #[error("the key's digest is not that of its content")]
    Digest,
}

impl SettlementKey {
    /// The key of the outer circuit of this profile.
    pub(super) fn new(profile: Profile, key: VerifierKey<KeccakConfig>) -> Self {
        Self {
            profile,
            common: outer_common_data(profile),
            key,
        }
    }

    /// Returns the security profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Returns how the circuit grinds where plonky2 itself does not.
    pub(super) fn grinding(&self) -> Grinding {
        self.profile.outer().grinding
    }

    /// Returns the data that make the on-chain verifier that of this key: see
    /// `docs/settlement-verifier.md`.
    ///
    /// # Errors
    /// If the profile's parameters do not give the bits that its name promises.
    pub fn verifier_data(&self) -> Result<Vec<u8>, OnChainError> {
        verifier_data(self.profile, &self.key)
    }

    /// Returns the SHA-256 of a constant and the key's content.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        let domain = Sha256::new_with_prefix(ID_DOMAIN);
        domain.chain_update(self.content()).finalize().into()
    }

    /// Returns the key as a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        ENVELOPE.seal(&self.content())
    }

    /// The profile, the circuit digest and the cap.
    fn content(&self) -> Vec<u8> {
        let roots = self.key.constants_sigmas_cap.0.iter();
        let mut bytes = profile_bytes(self.profile);
        bytes.extend(self.key.circuit_digest.0);
        bytes.extend(roots.flat_map(|root| root.0));
        bytes
    }

    /// Inverts [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// If the bytes are no key of this format, of a profile that this build knows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SettlementKeyError> {
        let content = ENVELOPE.open(bytes)?;
        let (profile, rest) = split_profile(content).ok_or(SettlementKeyError::Format)?;
        let profile = profile.ok_or(SettlementKeyError::Profile)?;
        let (digests, tail) = rest.as_chunks::<DIGEST_BYTES>();
        let (&digest, roots) = digests.split_first().ok_or(SettlementKeyError::Format)?;
        if !tail.is_empty() || roots.len() != 1 << profile.outer().cap_height {
            return Err(SettlementKeyError::Format);
        }
        let cap = MerkleCap(roots.iter().map(|&root| BytesHash(root)).collect());
        let expected: KeccakDigest =
            circuit_digest::<KeccakConfig>(&cap, profile.outer_degree_bits());
        if expected != BytesHash(digest) {
            return Err(SettlementKeyError::Digest);
        }
        let key = VerifierKey {
            constants_sigmas_cap: cap,
            circuit_digest: expected,
        };
        Ok(Self::new(profile, key))
    }
}
