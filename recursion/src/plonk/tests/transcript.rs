//! The challenges of values, of targets and of plonky2.

use plonky2::field::extension::FieldExtension as _;
use plonky2::field::types::{Field as _, PrimeField64 as _};
use plonky2::hash::hash_types::HashOut;
use plonky2::iop::generator::generate_partial_witness;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, Witness as _, WitnessWrite as _};
use plonky2::plonk::config::Hasher as _;

use super::fixture::{COMMON, GRINDING, INNER, PLAIN, nonce};
use crate::plonk::challenges::{Challenges, Messages, sent_values};
use crate::plonk::circuit::derive_challenges;
use crate::plonk::sponge::{GrindingError, Search as _, ValueSponge};
use crate::plonk::transcript::Transcript;
use crate::plonk::{
    Builder, Circuit, Grinding, PlonkField, PlonkProof, Poseidon2Hash, add_virtual_plonk_proof,
    set_plonk_proof_target,
};
use crate::stark::tests::fixture::satisfies;

/// All challenges in the order in which they are sampled, but for the query's response.
fn flat<W: Copy>(challenges: &Challenges<W>) -> Vec<W> {
    [
        challenges.copy.betas.as_slice(),
        &challenges.copy.gammas,
        &challenges.alphas,
        &challenges.zeta,
        &challenges.batch,
        challenges.folds.as_flattened(),
        &[challenges.response],
        &challenges.queries,
    ]
    .concat()
}

fn messages(proof: &PlonkProof) -> Messages<PlonkField, HashOut<PlonkField>> {
    let hash = Poseidon2Hash::hash_no_pad(proof.public_inputs());
    sent_values(proof, &INNER.0.verifier_only, &hash)
}

fn natively(
    proof: &PlonkProof,
    grinding: Grinding,
) -> Result<Challenges<PlonkField>, GrindingError> {
    messages(proof).challenges(ValueSponge::default(), &COMMON, grinding)
}

/// The plain proof's messages with nonces that answer, each of which is searched for. It is no
/// valid proof, since its challenges are others.
fn ground(grinding: Grinding) -> PlonkProof {
    let mut proof = PLAIN.clone();
    let sent = messages(&proof);
    let (digest, hash) = (&sent.circuit_digest, sent.public_inputs_hash);
    let sponge = ValueSponge::default();
    let mut transcript = Transcript::new(sponge, &COMMON, grinding, digest, hash);
    transcript.wires(&sent.wires);
    transcript.products(&sent.products);
    let nonces = &mut proof.nonces;
    let search = |nonce: &mut PlonkField, sponge: &ValueSponge, bits| {
        *nonce = sponge.search(bits);
        *nonce
    };
    let point = |sponge: &ValueSponge, bits| search(&mut nonces.point, sponge, bits);
    transcript.quotient(&sent.quotient, point).unwrap();
    let batch = |sponge: &ValueSponge, bits| search(&mut nonces.batch, sponge, bits);
    transcript.openings(&sent.openings, batch).unwrap();
    for (cap, nonce) in sent.rounds.iter().zip(&mut nonces.folds) {
        let fold = |sponge: &ValueSponge, bits| search(nonce, sponge, bits);
        transcript.round(cap, fold).unwrap();
    }
    proof
}

/// A circuit that plays the transcript and makes the challenges public.
fn circuit(proof: &PlonkProof, grinding: Grinding) -> (Circuit, PartialWitness<PlonkField>) {
    let mut builder = Builder::new(COMMON.config.clone());
    let target = add_virtual_plonk_proof(&mut builder, &COMMON);
    let key = builder.add_virtual_verifier_data(COMMON.config.fri_config.cap_height);
    let public_inputs = target.plonky2.public_inputs.clone();
    let hash = builder.hash_n_to_hash_no_pad::<Poseidon2Hash>(public_inputs);
    let challenges = derive_challenges(&mut builder, &target, &key, &COMMON, grinding, &hash);
    let challenges: Vec<Target> = flat(&challenges);
    builder.register_public_inputs(&challenges);
    let mut witness = PartialWitness::new();
    set_plonk_proof_target(&mut witness, &target, proof).unwrap();
    let values = &INNER.0.verifier_only;
    witness.set_verifier_data_target(&key, values).unwrap();
    (builder.build(), witness)
}

fn in_circuit(proof: &PlonkProof, grinding: Grinding) -> Vec<PlonkField> {
    let (circuit, witness) = circuit(proof, grinding);
    let prover = &circuit.prover_only;
    let witness = generate_partial_witness(witness, prover, &circuit.common).unwrap();
    witness.get_targets(&prover.public_inputs)
}

#[test]
fn without_grinding_the_challenges_are_plonky2s() {
    let ours = natively(&PLAIN, Grinding::default()).unwrap();
    let plonky2 = &PLAIN.plonky2;
    let hash = plonky2.get_public_inputs_hash();
    let digest = &INNER.0.verifier_only.circuit_digest;
    let theirs = plonky2.get_challenges(hash, digest, &COMMON).unwrap();
    let fri = theirs.fri_challenges;
    assert_eq!(ours.copy.betas, theirs.plonk_betas);
    assert_eq!(ours.copy.gammas, theirs.plonk_gammas);
    assert_eq!(ours.alphas, theirs.plonk_alphas);
    assert_eq!(ours.zeta, theirs.plonk_zeta.to_basefield_array());
    assert_eq!(ours.batch, fri.fri_alpha.to_basefield_array());
    let folds = fri.fri_betas.iter().map(|fold| fold.to_basefield_array());
    assert_eq!(ours.folds, folds.collect::<Vec<_>>());
    assert_eq!(ours.response, fri.fri_pow_response);
    let indices = ours.queries.iter();
    let indices = indices.map(|query| query.to_canonical_u64() as usize % COMMON.lde_size());
    assert_eq!(indices.collect::<Vec<_>>(), fri.fri_query_indices);
    assert_eq!(flat(&ours), in_circuit(&PLAIN, Grinding::default()));
}

#[test]
fn with_grinding_the_circuits_challenges_are_those_of_values() {
    let one_site = |point, batch, fold| Grinding { point, batch, fold };
    let mut seen = Vec::new();
    for grinding in [
        GRINDING,
        one_site(6, 0, 0),
        one_site(0, 6, 0),
        one_site(0, 0, 6),
    ] {
        let proof = ground(grinding);
        let challenges = flat(&natively(&proof, grinding).unwrap());
        assert_eq!(challenges, in_circuit(&proof, grinding), "{grinding:?}");
        seen.push(challenges);
    }
    // Each site changes what is sampled after it.
    seen.push(flat(&natively(&PLAIN, Grinding::default()).unwrap()));
    for (i, challenges) in seen.iter().enumerate() {
        assert!(!seen[..i].contains(challenges), "{i}");
    }
}

#[test]
fn a_nonce_that_does_not_answer_is_refused_at_its_site() {
    let honest = ground(GRINDING);
    let sites = 2 + honest.nonces.folds.len();
    for site in 0..sites {
        // The least nonce after the honest one that does not answer.
        let proof = (1..).map(|step| {
            let mut proof = honest.clone();
            *nonce(&mut proof, site) += PlonkField::from_canonical_u64(step);
            proof
        });
        let refused = |proof: &PlonkProof| natively(proof, GRINDING).is_err();
        let proof = proof.into_iter().find(refused).unwrap();
        let (circuit, witness) = circuit(&proof, GRINDING);
        assert!(!satisfies(&circuit, witness), "site {site}");
    }
    let (circuit, witness) = circuit(&honest, GRINDING);
    assert!(satisfies(&circuit, witness));
}
