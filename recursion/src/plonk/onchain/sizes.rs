//! The sizes of a settlement proof and the numbers of its domains, from the common data.

use plonky2::field::types::{Field as _, PrimeField64 as _};

use super::OnChainError;
use crate::plonk::openings::oracle_sizes;
use crate::plonk::{CommonData, DIGEST_BYTES, Grinding, PlonkField};

/// Bytes of an element, and of one of the extension.
const ELEMENT_BYTES: usize = 8;
const EXTENSION_BYTES: usize = 16;
/// The most bits of grinding that anybody would pay for.
const MAX_GRINDING: u32 = 32;

/// Sizes of a circuit's proofs; the names are those of the contract's parameters.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    pub statement: usize,
    pub challenges: usize,
    /// Digests of a cap.
    pub cap: usize,
    pub oracles: [usize; 4],
    pub log_size: usize,
    pub depth: usize,
    pub folds: usize,
    pub log_arity: usize,
    pub final_length: usize,
    pub queries: usize,
    pub grinding: Grinding,
    pub query_grinding: u32,
    pub next_row: u64,
    /// The first point of the codewords' domain, and its inverse.
    pub shift: [u64; 2],
    pub arity_inverse: u64,
}

impl Sizes {
    pub fn new(common: &CommonData, grinding: Grinding) -> Result<Self, OnChainError> {
        let fri = &common.fri_params;
        let config = &fri.config;
        let query_grinding = config.proof_of_work_bits;
        for (site, found) in [
            ("the out-of-domain point", grinding.point),
            ("what batches the openings", grinding.batch),
            ("a folding challenge", grinding.fold),
            ("the queries", query_grinding),
        ] {
            if !(1..=MAX_GRINDING).contains(&found) {
                return Err(OnChainError::Grinding { site, found });
            }
        }
        let arities = &fri.reduction_arity_bits;
        let log_arity = arities.first().copied().unwrap_or_default();
        if log_arity == 0 || arities.iter().any(|&other| other != log_arity) {
            let found = arities.clone();
            return Err(OnChainError::Folds { found });
        }
        let (log_size, expected) = (fri.lde_bits(), config.cap_height);
        let found = log_size.saturating_sub(fri.total_arities());
        if found < expected {
            return Err(OnChainError::Depth { found, expected });
        }
        let shift = PlonkField::MULTIPLICATIVE_GROUP_GENERATOR;
        let arity = PlonkField::from_canonical_usize(1 << log_arity);
        let next_row = PlonkField::primitive_root_of_unity(common.degree_bits());
        Ok(Self {
            statement: common.num_public_inputs,
            challenges: common.config.num_challenges,
            cap: 1 << config.cap_height,
            oracles: oracle_sizes(common),
            log_size,
            depth: log_size - config.cap_height,
            folds: arities.len(),
            log_arity,
            final_length: fri.final_poly_len(),
            queries: config.num_query_rounds,
            grinding,
            query_grinding,
            next_row: next_row.to_canonical_u64(),
            shift: [shift, shift.inverse()].map(|element| element.to_canonical_u64()),
            arity_inverse: arity.inverse().to_canonical_u64(),
        })
    }

    /// Polynomials of all oracles.
    fn columns(&self) -> usize {
        self.oracles.iter().sum()
    }

    /// Bytes of a proof.
    pub fn proof_length(&self) -> usize {
        let cap = self.cap * DIGEST_BYTES;
        let nonces = (3 + self.folds) * ELEMENT_BYTES;
        let openings = self.columns() + self.challenges;
        let elements = openings + self.final_length;
        self.statement * ELEMENT_BYTES
            + (3 + self.folds) * cap
            + nonces
            + elements * EXTENSION_BYTES
            + self.queries * self.query_length()
    }

    /// Bytes of a query.
    fn query_length(&self) -> usize {
        let rows = self.columns() * ELEMENT_BYTES + self.oracles.len() * self.path(0);
        let values = EXTENSION_BYTES << self.log_arity;
        let folds = (1..=self.folds).map(|fold| values + self.path(fold));
        rows + folds.sum::<usize>()
    }

    /// Bytes of a path in the tree after so many folds.
    fn path(&self, folds: usize) -> usize {
        (self.depth - folds * self.log_arity) * DIGEST_BYTES
    }
}
