//! The one concrete STARK configuration, behind type aliases.

use p3_challenger::DuplexChallenger;
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::Field;
use p3_field::extension::BinomialExtensionField;
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{PaddingFreeSponge, TruncatedPermutation};

pub use crate::permutation::{Permutation12, permutation};
pub use shardfold_protocol::field::F;

/// The quadratic extension from which every challenge is drawn (X^2 = 7, as in plonky2).
pub type EF = BinomialExtensionField<F, 2>;
/// Hash of a row: sponge of rate 8, capacity 4; widths are fixed by the shape.
pub type RowHash = PaddingFreeSponge<Permutation12, 12, 8, 4>;
/// Hash of two digests: 8 elements and 4 zeros through one permutation.
pub type NodeHash = TruncatedPermutation<Permutation12, 2, 4, 12>;
/// Commitment to matrices of base-field elements, of different heights.
pub type ValMmcs =
    MerkleTreeMmcs<<F as Field>::Packing, <F as Field>::Packing, RowHash, NodeHash, 2, 4>;
/// Commitment to matrices of extension-field elements.
pub type ChallengeMmcs = ExtensionMmcs<F, EF, ValMmcs>;
/// The Fiat-Shamir transcript.
pub type Challenger = DuplexChallenger<F, Permutation12, 12, 8>;
/// The polynomial commitment scheme: FRI over two-adic cosets.
pub type Pcs = TwoAdicFriPcs<F, Radix2DitParallel<F>, ValMmcs, ChallengeMmcs>;
/// The STARK configuration.
pub type Config = p3_uni_stark::StarkConfig<Pcs, EF, Challenger>;
/// A proof of all chips of a shard.
pub type StarkProof = p3_batch_stark::BatchProof<Config>;

/// Returns the commitment scheme for base-field matrices: Merkle trees that end in a cap of
/// `2^log_cap` roots.
#[must_use]
pub fn mmcs(log_cap: usize) -> ValMmcs {
    let permutation = permutation();
    let rows = RowHash::new(permutation.clone());
    ValMmcs::new(rows, NodeHash::new(permutation), log_cap)
}

/// The parameters of the STARK that trade prover time, proof size and security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StarkParameters {
    /// log2 of the inverse rate.
    pub log_blowup: usize,
    /// Queries of the low-degree test.
    pub queries: usize,
    /// log2 of the largest folding arity.
    pub max_log_arity: usize,
    /// log2 of the length of the polynomial that is sent in full.
    pub log_final_poly_len: usize,
    /// log2 of the roots of each Merkle tree. No committed matrix may have fewer rows: see
    /// [`ProofShape::new`](crate::stark::ProofShape::new), which refuses it.
    pub log_cap: usize,
    /// Grinding before the queries are drawn, in bits.
    pub query_grinding: usize,
    /// Grinding before each folding challenge.
    pub fold_grinding: usize,
    /// Grinding before the challenge that batches the openings.
    pub batch_grinding: usize,
    /// Grinding before the out-of-domain point.
    pub point_grinding: usize,
    /// Grinding before the lookup challenges.
    pub lookup_grinding: usize,
}

impl StarkParameters {
    /// Returns the configuration that prover and native verifier share.
    #[must_use]
    pub fn config(&self) -> Config {
        let pcs = Pcs::new(Radix2DitParallel::default(), self.mmcs(), self.fri());
        Config::new(pcs, Challenger::new(permutation()))
            .with_ood_proof_of_work_bits(self.point_grinding)
            .with_lookup_proof_of_work_bits(self.lookup_grinding)
    }

    /// Returns the parameters of the low-degree test.
    #[must_use]
    pub fn fri(&self) -> FriParameters<ChallengeMmcs> {
        FriParameters {
            log_blowup: self.log_blowup,
            log_final_poly_len: self.log_final_poly_len,
            max_log_arity: self.max_log_arity,
            num_queries: self.queries,
            batch_proof_of_work_bits: self.batch_grinding,
            commit_proof_of_work_bits: self.fold_grinding,
            query_proof_of_work_bits: self.query_grinding,
            mmcs: ChallengeMmcs::new(self.mmcs()),
        }
    }

    /// Returns the [commitment scheme](mmcs) for base-field matrices.
    #[must_use]
    pub fn mmcs(&self) -> ValMmcs {
        mmcs(self.log_cap)
    }
}
