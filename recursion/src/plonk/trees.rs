//! What the Merkle trees and the transcript of a proof hash with: Poseidon2 where a circuit verifies
//! the proof, Keccak where an EVM chain does.

use p3_commit::Mmcs;
use p3_keccak::VECTOR_LEN;
use p3_merkle_tree::MerkleTreeMmcs;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::hash::hash_types::HashOut;
use plonky2::plonk::config::{GenericConfig, Hasher};

use super::keccak::{
    KeccakConfig, KeccakDigest, KeccakNodes, KeccakRows, KeccakSponge, digest_of_words,
};
use super::sponge::{Search, ValueSponge};
use super::{D, PlonkField, Poseidon2Config, Poseidon2Hash};
use crate::config::{F, ValMmcs, mmcs};
use crate::convert::to_plonk;

/// A digest in plonky2's type.
pub type Hash<C> = <<C as GenericConfig<D>>::Hasher as Hasher<PlonkField>>::Hash;

/// A configuration of plonky2 with Plonky3's trees of the same hash, and the transcript.
pub trait Trees:
    GenericConfig<D, F = PlonkField, FE = QuadraticExtension<PlonkField>, InnerHasher = Poseidon2Hash>
{
    /// The trees.
    type Mmcs: Mmcs<F> + Clone + Sync;
    /// The transcript.
    type Sponge: Search<Digest = Hash<Self>> + Default;

    /// Returns the trees, which end in a cap of `2^cap_height` roots.
    fn mmcs(cap_height: usize) -> Self::Mmcs;

    /// Returns the roots of a tree.
    fn roots(cap: &<Self::Mmcs as Mmcs<F>>::Commitment) -> Vec<Hash<Self>>;

    /// Returns the siblings of a path.
    fn path(proof: &<Self::Mmcs as Mmcs<F>>::Proof) -> Vec<Hash<Self>>;
}

impl Trees for Poseidon2Config {
    type Mmcs = ValMmcs;
    type Sponge = ValueSponge;

    fn mmcs(cap_height: usize) -> ValMmcs {
        mmcs(cap_height)
    }

    fn roots(cap: &<ValMmcs as Mmcs<F>>::Commitment) -> Vec<HashOut<PlonkField>> {
        cap.as_ref().iter().map(elements).collect()
    }

    fn path(proof: &<ValMmcs as Mmcs<F>>::Proof) -> Vec<HashOut<PlonkField>> {
        proof.iter().map(elements).collect()
    }
}

/// plonky2's type of a digest.
fn elements(digest: &[F; 4]) -> HashOut<PlonkField> {
    HashOut {
        elements: digest.map(to_plonk),
    }
}

/// Plonky3's Merkle trees over [`KeccakRows`] and [`KeccakNodes`].
pub type KeccakMmcs =
    MerkleTreeMmcs<[F; VECTOR_LEN], [u64; VECTOR_LEN], KeccakRows, KeccakNodes, 2, 4>;

impl Trees for KeccakConfig {
    type Mmcs = KeccakMmcs;
    type Sponge = KeccakSponge;

    fn mmcs(cap_height: usize) -> KeccakMmcs {
        KeccakMmcs::new(KeccakRows, KeccakNodes, cap_height)
    }

    fn roots(cap: &<KeccakMmcs as Mmcs<F>>::Commitment) -> Vec<KeccakDigest> {
        cap.as_ref().iter().map(digest_of_words).collect()
    }

    fn path(proof: &<KeccakMmcs as Mmcs<F>>::Proof) -> Vec<KeccakDigest> {
        proof.iter().map(digest_of_words).collect()
    }
}
