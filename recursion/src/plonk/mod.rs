//! plonky2 as the recursion uses it: the one configuration, behind type aliases, and its parameters;
//! our prover, and our verifier as code and as a circuit.
// The verifier's path runs through here.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::field::types::Field as _;
use plonky2::fri::FriConfig;
use plonky2::fri::reduction_strategies::FriReductionStrategy;
use plonky2::gates::gate::GateRef;
use plonky2::hash::merkle_tree::MerkleCap;
use plonky2::plonk::circuit_builder::CircuitBuilder;
use plonky2::plonk::circuit_data::{
    CircuitConfig, CircuitData, CommonCircuitData, VerifierOnlyCircuitData,
};
use plonky2::plonk::config::{GenericConfig, GenericHashOut as _, Hasher as _};

mod challenges;
mod circuit;
mod gates;
mod hash;
mod keccak;
pub mod onchain;
mod openings;
pub mod program;
mod proof;
mod prover;
mod shape;
mod sponge;
mod transcript;
mod trees;
mod vanishing;
mod verifier;

#[cfg(test)]
mod tests;

pub use circuit::{add_virtual_plonk_proof, set_plonk_proof_target, verify_plonk_proof};
pub use gates::UnsupportedCircuit;
pub use hash::{Poseidon2Config, Poseidon2Hash};
pub use keccak::{DIGEST_BYTES, KeccakConfig, KeccakDigest, KeccakTree};
pub use openings::oracle_sizes;
pub use proof::{Nonces, PlonkProof, PlonkProofTarget};
pub use prover::{prove, prove_keccak};
pub use sponge::GrindingError;
pub use trees::{Hash, Trees};
pub use verifier::{PlonkVerifyError, verify, verify_keccak};

/// Degree of the extension field from which plonky2 draws its evaluation points.
pub const D: usize = 2;
/// plonky2's type of the Goldilocks field; [`crate::convert`] leads to and from ours.
pub type PlonkField = GoldilocksField;
/// The extension field.
type Extension = QuadraticExtension<PlonkField>;
/// Field, hash and extension of every plonky2 proof of the system.
pub type PlonkConfig = Poseidon2Config;
/// A circuit under construction.
pub type Builder = CircuitBuilder<PlonkField, D>;
/// A built circuit with prover and verifier data.
pub type Circuit<C = PlonkConfig> = CircuitData<PlonkField, C, D>;
/// What all circuits of one proof tree share: degree, gates, configuration.
pub type CommonData = CommonCircuitData<PlonkField, D>;
/// What tells circuits of equal [`CommonData`] apart: digest and cap of the preprocessed
/// polynomials.
pub type VerifierKey<C = PlonkConfig> = VerifierOnlyCircuitData<C, D>;
/// A type of gate.
pub type Gate = GateRef<PlonkField, D>;

/// What plonky2 says when it refuses.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct PlonkError(pub anyhow::Error);

/// Grinding before the challenges where plonky2 itself has none, in bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grinding {
    /// Before the out-of-domain point.
    pub point: u32,
    /// Before the challenge that batches the openings.
    pub batch: u32,
    /// Before each folding challenge.
    pub fold: u32,
}

/// The parameters of plonky2 that trade prover time, proof size and security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlonkParameters {
    /// Name of the profile. A verification key holds this name and no parameter, so a key
    /// file cannot weaken a verifier.
    pub profile: &'static str,
    /// Challenges of each argument over the base field (copy constraints, constraints).
    pub challenges: usize,
    /// Wires of a row that copy constraints may join. At least 37, which a fold of 16 takes.
    pub routed_wires: usize,
    /// Bits of the trees' hash against collisions.
    pub collision_bits: usize,
    /// log2 of the inverse rate.
    pub log_blowup: usize,
    /// log2 of the digests that stand for one Merkle tree.
    pub cap_height: usize,
    /// Grinding before the queries are drawn, in bits.
    pub query_grinding: u32,
    /// Grinding before other challenges.
    pub grinding: Grinding,
    /// Queries of the low-degree test.
    pub queries: usize,
    /// log2 of the folding arity.
    pub log_arity: usize,
    /// log2 of the longest polynomial that is sent in full.
    pub log_final_poly_len: usize,
}

impl PlonkParameters {
    /// 100 proven bits: 58 queries at rate 1/8 by BCHKS25, with grinding before each challenge.
    pub const PROVEN_100: Self = Self {
        profile: "proven-100",
        challenges: 3,
        routed_wires: 80,
        collision_bits: 128,
        log_blowup: 3,
        cap_height: 4,
        query_grinding: 20,
        grinding: Grinding {
            point: 18,
            batch: 18,
            fold: 18,
        },
        queries: 58,
        log_arity: 4,
        log_final_poly_len: 5,
    };

    /// 100 conjectured bits. plonky2's own default, 28 queries and 2 challenges, gives 81.
    pub const CONJECTURED_100: Self = Self {
        profile: "conjectured-100",
        query_grinding: 16,
        grinding: Grinding {
            point: 4,
            batch: 4,
            fold: 4,
        },
        queries: 30,
        ..Self::PROVEN_100
    };

    /// 100 proven bits for a proof that nobody recurses on: at rate 1/16, 43 queries.
    pub const LAST_PROVEN_100: Self = Self {
        log_blowup: 4,
        queries: 43,
        ..Self::PROVEN_100
    };

    /// 100 conjectured bits for a proof that nobody recurses on.
    pub const LAST_CONJECTURED_100: Self = Self {
        log_blowup: 4,
        queries: 23,
        ..Self::CONJECTURED_100
    };

    /// 100 proven bits for the narrow circuit of the settlement proof: few queries at rate 1/32, so
    /// that the outer circuit has few rows.
    pub const NARROW_PROVEN_100: Self = Self {
        log_blowup: 5,
        queries: 35,
        ..Self::PROVEN_100
    };

    /// 100 conjectured bits for the narrow circuit.
    pub const NARROW_CONJECTURED_100: Self = Self {
        log_blowup: 5,
        queries: 19,
        ..Self::CONJECTURED_100
    };

    /// 100 proven bits for the outer circuit of the settlement proof, whose trees are Keccak's: a
    /// chain pays for each byte, so queries are few and much is ground.
    pub const OUTER_PROVEN_100: Self = Self {
        routed_wires: 37,
        collision_bits: 4 * DIGEST_BYTES,
        log_blowup: 7,
        query_grinding: 24,
        grinding: Grinding {
            point: 22,
            batch: 22,
            fold: 22,
        },
        queries: 23,
        ..Self::PROVEN_100
    };

    /// 100 conjectured bits for the outer circuit.
    pub const OUTER_CONJECTURED_100: Self = Self {
        routed_wires: 37,
        collision_bits: 4 * DIGEST_BYTES,
        log_blowup: 7,
        query_grinding: 20,
        queries: 12,
        ..Self::CONJECTURED_100
    };

    /// For tests only: proofs under it prove nothing.
    pub const UNSOUND_TEST: Self = Self {
        profile: "unsound-test",
        challenges: 2,
        query_grinding: 1,
        grinding: Grinding {
            point: 1,
            batch: 1,
            fold: 1,
        },
        queries: 2,
        ..Self::PROVEN_100
    };

    /// For tests only: the outer circuit.
    pub const OUTER_UNSOUND_TEST: Self = Self {
        routed_wires: 37,
        collision_bits: 4 * DIGEST_BYTES,
        ..Self::UNSOUND_TEST
    };

    /// plonky2's form of the parameters, on the standard rows of 135 wires.
    ///
    /// `security_bits` is zero because [`CircuitBuilder::new`] asserts it against the
    /// conjecture `queries * log_blowup + grinding`, which was refuted (ePrint 2025/2010);
    /// the bits of a profile are computed elsewhere.
    #[must_use]
    pub fn circuit_config(&self) -> CircuitConfig {
        CircuitConfig {
            security_bits: 0,
            num_challenges: self.challenges,
            num_routed_wires: self.routed_wires,
            fri_config: FriConfig {
                rate_bits: self.log_blowup,
                cap_height: self.cap_height,
                proof_of_work_bits: self.query_grinding,
                reduction_strategy: FriReductionStrategy::ConstantArityBits(
                    self.log_arity,
                    self.log_final_poly_len,
                ),
                num_query_rounds: self.queries,
            },
            ..CircuitConfig::standard_recursion_config()
        }
    }
}

/// Returns the digest of a circuit of `2^degree_bits` rows whose preprocessed polynomials have this
/// cap, as plonky2's builder computes it for an empty domain separator.
#[must_use]
pub fn circuit_digest<C: Trees>(
    cap: &MerkleCap<PlonkField, <C as GenericConfig<D>>::Hasher>,
    degree_bits: usize,
) -> Hash<C> {
    let mut parts = cap.flatten();
    parts.extend(<C as GenericConfig<D>>::Hasher::hash_pad(&[]).to_vec());
    parts.push(PlonkField::from_canonical_usize(degree_bits));
    <C as GenericConfig<D>>::Hasher::hash_no_pad(&parts)
}
