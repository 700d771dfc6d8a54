//! What the contract computes on its way through a proof, in Rust: the contract is compared with
//! it, number by number.

use plonky2::field::extension::FieldExtension as _;
use plonky2::field::types::PrimeField64 as _;
use plonky2::plonk::config::Hasher as _;

use crate::plonk::challenges::sent_values;
use crate::plonk::keccak::KeccakSponge;
use crate::plonk::openings::Openings;
use crate::plonk::program::{Inputs, Program, ProgramError};
use crate::plonk::sponge::check_response;
use crate::plonk::transcript::Pair;
use crate::plonk::{
    CommonData, Extension, Grinding, GrindingError, KeccakConfig, PlonkField, PlonkProof,
    Poseidon2Hash, VerifierKey,
};

/// Coordinates of an element of the extension.
pub type Coordinates = [u64; 2];

/// A proof on which the contract would stop early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// A nonce does not answer.
    #[error(transparent)]
    Grinding(#[from] GrindingError),
    /// The program does not run.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// What the contract has in its memory before the queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The slots of the program: inputs, constants, results.
    pub slots: Vec<Coordinates>,
    /// The out-of-domain point.
    pub zeta: Coordinates,
    /// What batches the openings.
    pub batch: Coordinates,
    /// What folds each codeword.
    pub folds: Vec<Coordinates>,
    /// Where each query opens.
    pub indices: Vec<u64>,
}

/// Returns what the contract has in its memory before the queries of this proof.
///
/// # Errors
/// If the contract would stop before.
pub fn trace(
    common: &CommonData,
    grinding: Grinding,
    key: &VerifierKey<KeccakConfig>,
    proof: &PlonkProof<KeccakConfig>,
) -> Result<Trace, TraceError> {
    let hash = Poseidon2Hash::hash_no_pad(proof.public_inputs());
    let messages = sent_values(proof, key, &hash);
    let challenges = messages.challenges(KeccakSponge::default(), common, grinding)?;
    check_response(
        common.config.fri_config.proof_of_work_bits,
        challenges.response,
    )?;
    let inputs = Inputs {
        openings: Openings::from(&proof.plonky2.proof.openings).all(),
        challenges: challenges.clone(),
        public_inputs_hash: hash.elements,
    };
    let slots = Program::new(common)?.run(&inputs.slots())?.slots;
    let coordinates = |pair: Pair<PlonkField>| pair.map(|word| word.to_canonical_u64());
    let mask = (1 << common.fri_params.lde_bits()) - 1;
    Ok(Trace {
        slots: slots
            .iter()
            .map(|&slot: &Extension| coordinates(slot.to_basefield_array()))
            .collect(),
        zeta: coordinates(challenges.zeta),
        batch: coordinates(challenges.batch),
        folds: challenges
            .folds
            .iter()
            .map(|&fold| coordinates(fold))
            .collect(),
        indices: challenges
            .queries
            .iter()
            .map(|query| query.to_canonical_u64() & mask)
            .collect(),
    })
}
