//! The verifier of a proof as a circuit.

use plonky2::field::types::Field as _;
use plonky2::fri::proof::FriChallengesTarget;
use plonky2::fri::structure::{
    FriBatchInfoTarget, FriInstanceInfoTarget, FriOpeningBatchTarget, FriOpeningsTarget,
};
use plonky2::hash::hash_types::HashOutTarget;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use plonky2::plonk::vars::EvaluationTargets;

use super::challenges::{Challenges, Messages};
use super::gates::{Selectors, UnsupportedCircuit, gate_constraints_circuit};
use super::openings::{Openings, oracles, polynomials};
use super::sponge::TargetSponge;
use super::vanishing::{Targets, identities};
use super::{
    Builder, CommonData, D, Grinding, Nonces, PlonkConfig, PlonkError, PlonkField, PlonkProof,
    PlonkProofTarget, Poseidon2Hash,
};

/// Adds the targets of a proof over these common data.
#[must_use]
pub fn add_virtual_plonk_proof(builder: &mut Builder, common: &CommonData) -> PlonkProofTarget {
    let rounds = common.fri_params.reduction_arity_bits.len();
    PlonkProofTarget {
        plonky2: builder.add_virtual_proof_with_pis(common),
        nonces: Nonces {
            point: builder.add_virtual_target(),
            batch: builder.add_virtual_target(),
            folds: builder.add_virtual_targets(rounds),
        },
    }
}

/// Sets the targets of a proof to the values of one that the native verifier has accepted.
///
/// # Errors
/// If a target was set before.
///
/// # Panics
/// If the proof is not of the circuit's shape, which the native verifier checks.
pub fn set_plonk_proof_target(
    witness: &mut PartialWitness<PlonkField>,
    target: &PlonkProofTarget,
    proof: &PlonkProof,
) -> Result<(), PlonkError> {
    witness
        .set_proof_with_pis_target(&target.plonky2, &proof.plonky2)
        .map_err(PlonkError)?;
    for (&target, &nonce) in target.nonces.all().zip(proof.nonces.all()) {
        witness.set_target(target, nonce).map_err(PlonkError)?;
    }
    Ok(())
}

/// Lays out the verification of a proof under a key that the circuit holds.
///
/// # Errors
/// If the common data have blinded polynomials or lookups, as no circuit of the system has.
pub fn verify_plonk_proof(
    builder: &mut Builder,
    proof: &PlonkProofTarget,
    key: &VerifierCircuitTarget,
    common: &CommonData,
    grinding: Grinding,
) -> Result<(), UnsupportedCircuit> {
    let zero = builder.zero();
    for (_, bits, &nonce) in proof.nonces.sites(grinding) {
        if bits == 0 {
            builder.connect(nonce, zero);
        }
    }
    let public_inputs = proof.plonky2.public_inputs.clone();
    let public_inputs_hash = builder.hash_n_to_hash_no_pad::<Poseidon2Hash>(public_inputs);
    let challenges = derive_challenges(builder, proof, key, common, grinding, &public_inputs_hash);
    check_constraints(builder, proof, common, &public_inputs_hash, &challenges)?;
    check_low_degree(builder, proof, key, common, challenges);
    Ok(())
}

/// Plays the transcript in the circuit.
pub(super) fn derive_challenges(
    builder: &mut Builder,
    proof: &PlonkProofTarget,
    key: &VerifierCircuitTarget,
    common: &CommonData,
    grinding: Grinding,
    public_inputs_hash: &HashOutTarget,
) -> Challenges<Target> {
    let messages = Messages::of_targets(proof, key, public_inputs_hash);
    let Ok(challenges) = messages.challenges(TargetSponge::new(builder), common, grinding);
    challenges
}

/// Checks the identity at the out-of-domain point.
pub(super) fn check_constraints(
    builder: &mut Builder,
    proof: &PlonkProofTarget,
    common: &CommonData,
    public_inputs_hash: &HashOutTarget,
    challenges: &Challenges<Target>,
) -> Result<(), UnsupportedCircuit> {
    let selectors = Selectors::new(common)?;
    let openings = Openings::from(&proof.plonky2.proof.openings);
    let vars = EvaluationTargets {
        local_constants: openings.constants,
        local_wires: openings.wires,
        public_inputs_hash,
    };
    let gates = gate_constraints_circuit(builder, common, &selectors, vars);
    let sides = identities(&mut Targets(builder), common, &openings, challenges, &gates);
    for [left, right] in sides {
        builder.connect_extension(left, right);
    }
    Ok(())
}

/// Checks by plonky2's low-degree test that the openings are those of the committed polynomials.
fn check_low_degree(
    builder: &mut Builder,
    proof: &PlonkProofTarget,
    key: &VerifierCircuitTarget,
    common: &CommonData,
    challenges: Challenges<Target>,
) {
    let sent = &proof.plonky2.proof;
    let openings = Openings::from(&sent.openings);
    let caps = [
        key.constants_sigmas_cap.clone(),
        sent.wires_cap.clone(),
        sent.plonk_zs_partial_products_cap.clone(),
        sent.quotient_polys_cap.clone(),
    ];
    let instance = instance(builder, common, ExtensionTarget(challenges.zeta));
    builder.verify_fri_proof::<PlonkConfig>(
        &instance,
        &FriOpeningsTarget {
            batches: [openings.at_point(), openings.zs_next.to_vec()]
                .map(|values| FriOpeningBatchTarget { values })
                .into(),
        },
        &FriChallengesTarget {
            fri_alpha: ExtensionTarget(challenges.batch),
            fri_betas: challenges.folds.into_iter().map(ExtensionTarget).collect(),
            fri_pow_response: challenges.response,
            fri_query_indices: challenges.queries,
        },
        &caps,
        &sent.opening_proof,
        &common.fri_params,
    );
}

/// Which polynomials are opened at zeta and at the next row.
fn instance(
    builder: &mut Builder,
    common: &CommonData,
    zeta: ExtensionTarget<D>,
) -> FriInstanceInfoTarget<D> {
    let generator = PlonkField::primitive_root_of_unity(common.degree_bits());
    let next = builder.mul_const_extension(generator, zeta);
    let [all, zs] = polynomials(common);
    let batch = |point, polynomials| FriBatchInfoTarget { point, polynomials };
    FriInstanceInfoTarget {
        oracles: oracles(common),
        batches: vec![batch(zeta, all), batch(next, zs)],
    }
}
