//! The verifier of a proof.

use std::panic::{AssertUnwindSafe, catch_unwind};

use plonky2::field::types::{Field as _, PrimeField64 as _};
use plonky2::fri::proof::FriChallenges;
use plonky2::fri::structure::{FriBatchInfo, FriInstanceInfo, FriOpeningBatch, FriOpenings};
use plonky2::fri::verifier::verify_fri_proof;
use plonky2::hash::hash_types::HashOut;
use plonky2::plonk::config::Hasher as _;
use plonky2::plonk::vars::EvaluationVars;

use super::challenges::{Challenges, sent_values};
use super::gates::{Selectors, UnsupportedCircuit, gate_constraints};
use super::openings::{Openings, oracles, polynomials};
use super::shape::check_shape;
use super::sponge::GrindingError;
use super::vanishing::{Algebra as _, Values, identities};
use super::{
    CommonData, D, Extension, Grinding, KeccakConfig, Nonces, PlonkError, PlonkField, PlonkProof,
    Poseidon2Hash, Trees, VerifierKey,
};

/// Why a proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlonkVerifyError {
    /// The circuit is not of a kind that the verifier knows.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedCircuit),
    /// A list of another length than the circuit's.
    #[error("{part}: {expected} expected, found {found}")]
    Length {
        /// What the list holds.
        part: &'static str,
        /// The length found.
        found: usize,
        /// The length that the common data give.
        expected: usize,
    },
    /// A nonce where there is no grinding: nothing else would fix it.
    #[error("the nonce before {site} should be zero, since nothing is ground there, found {found}")]
    Nonce {
        /// The challenge that the nonce stands before.
        site: &'static str,
        /// The nonce.
        found: u64,
    },
    /// A nonce does not answer.
    #[error(transparent)]
    Grinding(#[from] GrindingError),
    /// The point is an element of the base field, so it may be one of those that the polynomials
    /// are committed on: one in 2^64 honest proofs would be refused for this.
    #[error("the out-of-domain point is an element of the base field")]
    Point,
    /// The constraints do not hold.
    #[error("the constraints do not hold: the quotient of challenge {challenge} is another")]
    Constraints {
        /// Which of the challenges that combine the constraints.
        challenge: usize,
    },
    /// The openings are not those of the committed polynomials.
    #[error("the low-degree test refuses the openings: {0}")]
    LowDegree(#[source] PlonkError),
    /// plonky2 panicked. No input is known to do this.
    #[error("plonky2's part of the verifier gave up on the proof")]
    Panicked,
}

/// Verifies a proof: that there is a witness of the key's circuit with these public inputs.
///
/// # Errors
/// If it does not verify. Does not panic, whatever the proof: no input is known that would, and a
/// panic of plonky2 would be caught (unless the program is built with `panic = "abort"`).
pub fn verify(
    key: &VerifierKey,
    common: &CommonData,
    grinding: Grinding,
    proof: &PlonkProof,
) -> Result<(), PlonkVerifyError> {
    verify_with(key, common, grinding, proof)
}

/// [`verify`] for a proof that has Keccak's trees.
///
/// # Errors
/// As [`verify`].
pub fn verify_keccak(
    key: &VerifierKey<KeccakConfig>,
    common: &CommonData,
    grinding: Grinding,
    proof: &PlonkProof<KeccakConfig>,
) -> Result<(), PlonkVerifyError> {
    verify_with(key, common, grinding, proof)
}

fn verify_with<C: Trees>(
    key: &VerifierKey<C>,
    common: &CommonData,
    grinding: Grinding,
    proof: &PlonkProof<C>,
) -> Result<(), PlonkVerifyError> {
    let selectors = Selectors::new(common)?;
    check_shape(key, common, proof)?;
    check_unused_nonces(grinding, &proof.nonces)?;
    let public_inputs_hash = Poseidon2Hash::hash_no_pad(proof.public_inputs());
    let messages = sent_values(proof, key, &public_inputs_hash);
    let challenges = messages.challenges(C::Sponge::default(), common, grinding)?;
    check_point(challenges.zeta)?;
    catch_unwind(AssertUnwindSafe(|| {
        check_constraints(common, &selectors, proof, &public_inputs_hash, &challenges)?;
        check_low_degree(key, common, proof, &challenges)
    }))
    .unwrap_or(Err(PlonkVerifyError::Panicked))
}

/// Checks that the point is not in the base field, where rows of the trace lie.
pub(super) fn check_point([_, imaginary]: [PlonkField; D]) -> Result<(), PlonkVerifyError> {
    if imaginary.is_zero() {
        return Err(PlonkVerifyError::Point);
    }
    Ok(())
}

/// Checks that a nonce is zero where nothing is ground, so that a proof has one form.
fn check_unused_nonces(
    grinding: Grinding,
    nonces: &Nonces<PlonkField>,
) -> Result<(), PlonkVerifyError> {
    for (site, bits, nonce) in nonces.sites(grinding) {
        if bits == 0 && !nonce.is_zero() {
            let found = nonce.to_canonical_u64();
            return Err(PlonkVerifyError::Nonce { site, found });
        }
    }
    Ok(())
}

/// Checks the identity at the out-of-domain point.
fn check_constraints<C: Trees>(
    common: &CommonData,
    selectors: &Selectors,
    proof: &PlonkProof<C>,
    public_inputs_hash: &HashOut<PlonkField>,
    challenges: &Challenges<PlonkField>,
) -> Result<(), PlonkVerifyError> {
    let openings = Openings::from(&proof.plonky2.proof.openings);
    let vars = EvaluationVars {
        local_constants: openings.constants,
        local_wires: openings.wires,
        public_inputs_hash,
    };
    let gates = gate_constraints(common, selectors, vars);
    let sides = identities(&mut Values, common, &openings, challenges, &gates);
    match sides.iter().position(|[left, right]| left != right) {
        None => Ok(()),
        Some(challenge) => Err(PlonkVerifyError::Constraints { challenge }),
    }
}

/// Checks by plonky2's low-degree test that the openings are those of the committed polynomials.
fn check_low_degree<C: Trees>(
    key: &VerifierKey<C>,
    common: &CommonData,
    proof: &PlonkProof<C>,
    challenges: &Challenges<PlonkField>,
) -> Result<(), PlonkVerifyError> {
    let sent = &proof.plonky2.proof;
    let openings = Openings::from(&sent.openings);
    let zeta = Values.pair(challenges.zeta);
    let caps = [
        key.constants_sigmas_cap.clone(),
        sent.wires_cap.clone(),
        sent.plonk_zs_partial_products_cap.clone(),
        sent.quotient_polys_cap.clone(),
    ];
    verify_fri_proof::<PlonkField, C, D>(
        &instance(common, zeta),
        &FriOpenings {
            batches: [openings.at_point(), openings.zs_next.to_vec()]
                .map(|values| FriOpeningBatch { values })
                .into(),
        },
        &fri_challenges(common, challenges),
        &caps,
        &sent.opening_proof,
        &common.fri_params,
    )
    .map_err(|error| PlonkVerifyError::LowDegree(PlonkError(error)))
}

/// Which polynomials are opened at zeta and at the next row.
pub(super) fn instance(common: &CommonData, zeta: Extension) -> FriInstanceInfo<PlonkField, D> {
    let generator = PlonkField::primitive_root_of_unity(common.degree_bits());
    let next = Values.mul(Extension::from(generator), zeta);
    let [all, zs] = polynomials(common);
    let batch = |point, polynomials| FriBatchInfo { point, polynomials };
    FriInstanceInfo {
        oracles: oracles(common),
        batches: vec![batch(zeta, all), batch(next, zs)],
    }
}

/// The challenges of the low-degree test, each query's element cut to its index.
fn fri_challenges(
    common: &CommonData,
    challenges: &Challenges<PlonkField>,
) -> FriChallenges<PlonkField, D> {
    let size = common.lde_size();
    let index = |query: &PlonkField| {
        // Below the size, a power of two.
        let mask = u64::try_from(size.saturating_sub(1)).unwrap_or(u64::MAX);
        usize::try_from(query.to_canonical_u64() & mask).unwrap_or_default()
    };
    FriChallenges {
        fri_alpha: Values.pair(challenges.batch),
        fri_betas: challenges
            .folds
            .iter()
            .map(|&fold| Values.pair(fold))
            .collect(),
        fri_pow_response: challenges.response,
        fri_query_indices: challenges.queries.iter().map(index).collect(),
    }
}
