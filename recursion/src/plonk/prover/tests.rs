//! Against plonky2's own prover and verifier.

use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::plonk::circuit_data::CircuitConfig;
use plonky2::plonk::config::Hasher as _;
use plonky2::plonk::prover::prove_with_partition_witness;
use plonky2::util::reducing::ReducingFactorTarget;
use plonky2::util::timing::TimingTree;
use rayon::ThreadPoolBuilder;

use super::*;
use crate::plonk::sponge::ValueSponge;
use crate::plonk::transcript::CopyChallenges;
use crate::plonk::{Builder, PlonkConfig, PlonkParameters, Poseidon2Hash};
use crate::stark::Poseidon2Gate;

/// A profile of tests, with other parameters.
fn config(challenges: usize, log_blowup: usize, cap_height: usize) -> CircuitConfig {
    PlonkParameters {
        challenges,
        log_blowup,
        cap_height,
        query_grinding: 3,
        queries: 4,
        ..PlonkParameters::UNSOUND_TEST
    }
    .circuit_config()
}

/// Some inputs of a circuit.
type Inputs = Vec<(Target, PlonkField)>;

fn witness(inputs: &Inputs) -> PartialWitness<PlonkField> {
    let mut witness = PartialWitness::new();
    for &(target, value) in inputs {
        witness.set_target(target, value).unwrap();
    }
    witness
}

/// A circuit with gates of many types.
fn many_gates(config: CircuitConfig) -> (Circuit, Inputs) {
    let mut builder = Builder::new(config);
    let [a, b] = core::array::from_fn(|_| builder.add_virtual_public_input());
    let product = builder.mul_add(a, b, a);
    let hash = builder.hash_n_to_hash_no_pad::<Poseidon2Hash>([a, b, product].repeat(7));
    let bits = builder.split_le(a, 40);
    let index = builder.le_sum(bits[..4].iter());
    let mut list = hash.elements.to_vec();
    list.extend([a, b, product].repeat(4));
    let chosen = builder.random_access(index, list);
    let power = builder.exp(chosen, b, 12);
    let element = builder.convert_to_ext(power);
    let [x, y] = [[a, b], [b, power]].map(ExtensionTarget);
    let x = builder.mul_add_extension(x, y, element);
    let x = builder.div_extension(y, x);
    let x = builder.mul_extension(x, x);
    let mut factor = ReducingFactorTarget::new(x);
    let y = factor.reduce_base(&[a, power].repeat(40), &mut builder);
    let z = factor.reduce(&[x, y].repeat(40), &mut builder);
    builder.register_public_inputs(&z.0);
    let inputs = vec![
        (a, PlonkField::from_canonical_u64(0xfe_dcba_9876)),
        (b, PlonkField::from_canonical_u64(0xabc)),
    ];
    (builder.build::<PlonkConfig>(), inputs)
}

/// Runs a circuit's generators; they set unused wires of the public inputs at random.
fn partition<'a>(circuit: &'a Circuit, inputs: &Inputs) -> PartitionWitness<'a, PlonkField> {
    generate_partial_witness(witness(inputs), &circuit.prover_only, &circuit.common).unwrap()
}

/// plonky2's own proof; on one thread it takes the least nonce.
fn plonky2s_proof(
    circuit: &Circuit,
    partition: PartitionWitness<'_, PlonkField>,
) -> ProofWithPublicInputs<PlonkField, PlonkConfig, D> {
    let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (prover, common) = (&circuit.prover_only, &circuit.common);
    let timing = &mut TimingTree::default();
    pool.install(|| prove_with_partition_witness(prover, common, partition, timing))
        .unwrap()
}

/// Asserts that this prover gives plonky2's proof, and returns it.
fn assert_same(circuit: &Circuit, inputs: &Inputs) -> PlonkProof {
    let partition = partition(circuit, inputs);
    let ours = prove_partition(circuit, Grinding::default(), &partition).unwrap();
    let theirs = plonky2s_proof(circuit, partition);
    let (proof, expected) = (&ours.plonky2.proof, &theirs.proof);
    assert_eq!(ours.plonky2.public_inputs, theirs.public_inputs);
    assert_eq!(proof.wires_cap, expected.wires_cap);
    assert_eq!(
        proof.plonk_zs_partial_products_cap,
        expected.plonk_zs_partial_products_cap
    );
    assert_eq!(proof.quotient_polys_cap, expected.quotient_polys_cap);
    assert_eq!(proof.openings, expected.openings);
    let (fri, expected) = (&proof.opening_proof, &expected.opening_proof);
    assert_eq!(
        fri.commit_phase_merkle_caps,
        expected.commit_phase_merkle_caps
    );
    assert_eq!(fri.final_poly, expected.final_poly);
    assert_eq!(fri.pow_witness, expected.pow_witness);
    assert_eq!(fri.query_round_proofs, expected.query_round_proofs);
    circuit.verify(ours.plonky2.clone()).unwrap();
    ours
}

#[test]
fn it_gives_plonky2s_proof() {
    for (challenges, log_blowup, cap_height) in [(2, 3, 0), (3, 3, 4), (2, 4, 4), (3, 4, 0)] {
        let (circuit, inputs) = many_gates(config(challenges, log_blowup, cap_height));
        assert!(circuit.common.gates.len() > 10);
        let proof = assert_same(&circuit, &inputs);
        let folds = circuit.common.fri_params.reduction_arity_bits.len();
        assert_eq!(proof.nonces.folds, vec![PlonkField::ZERO; folds]);
    }
}

#[test]
fn it_gives_plonky2s_proof_of_the_smallest_circuits() {
    for inputs in [0, 1, 9] {
        let mut builder = Builder::new(config(2, 3, 1));
        let targets = builder.add_virtual_targets(inputs);
        builder.register_public_inputs(&targets);
        let circuit = builder.build::<PlonkConfig>();
        let inputs = targets.into_iter().map(|target| (target, PlonkField::TWO));
        assert_same(&circuit, &inputs.collect());
    }
}

#[test]
fn it_gives_plonky2s_proof_of_a_verifier() {
    let (inner, inputs) = many_gates(config(2, 3, 1));
    let proof = assert_same(&inner, &inputs);
    let mut builder = Builder::new(config(3, 3, 4));
    let target = builder.add_virtual_proof_with_pis(&inner.common);
    let key = builder.constant_verifier_data(&inner.verifier_only);
    builder.verify_proof::<PlonkConfig>(&target, &key, &inner.common);
    let circuit = builder.build::<PlonkConfig>();
    let mut inputs = PartialWitness::new();
    inputs
        .set_proof_with_pis_target(&target, &proof.plonky2)
        .unwrap();
    let inputs = inputs.target_values.into_iter().collect();
    assert_same(&circuit, &inputs);
}

/// Replays the transcript of a proof with its nonces; returns the queries' elements, or which nonce
/// does not answer.
fn replay(
    circuit: &Circuit,
    grinding: Grinding,
    proof: &PlonkProof,
) -> Result<Vec<PlonkField>, GrindingError> {
    let (plonky2, nonces) = (&proof.plonky2.proof, &proof.nonces);
    let hash = Poseidon2Hash::hash_no_pad(proof.public_inputs());
    let mut transcript = Transcript::new(
        ValueSponge::default(),
        &circuit.common,
        grinding,
        &circuit.verifier_only.circuit_digest,
        hash.elements,
    );
    transcript.wires(&plonky2.wires_cap.0);
    transcript.products(&plonky2.plonk_zs_partial_products_cap.0);
    transcript.quotient(&plonky2.quotient_polys_cap.0, |_, _| nonces.point)?;
    let set = &plonky2.openings;
    let openings = [&set.constants, &set.plonk_sigmas, &set.wires, &set.plonk_zs];
    let openings = openings
        .into_iter()
        .chain([&set.partial_products, &set.quotient_polys]);
    let openings = openings.chain([&set.plonk_zs_next]).flatten();
    let openings: Vec<_> = openings.map(|value| value.0).collect();
    transcript.openings(&openings, |_, _| nonces.batch)?;
    let fri = &plonky2.opening_proof;
    for (root, &nonce) in fri.commit_phase_merkle_caps.iter().zip(&nonces.folds) {
        transcript.round(&root.0, |_, _| nonce)?;
    }
    let last: Vec<_> = fri.final_poly.coeffs.iter().map(|value| value.0).collect();
    let (_, queries) = transcript.queries(&last, |_, _| fri.pow_witness);
    Ok(queries)
}

#[test]
fn its_nonces_answer() {
    let (circuit, inputs) = many_gates(config(2, 3, 1));
    let grinding = Grinding {
        point: 5,
        batch: 6,
        fold: 7,
    };
    let proof = prove(&circuit, grinding, witness(&inputs)).unwrap();
    let queries = replay(&circuit, grinding, &proof).unwrap();
    let tree = &circuit.prover_only.constants_sigmas_commitment.merkle_tree;
    let answers = &proof.plonky2.proof.opening_proof.query_round_proofs;
    for (query, answer) in queries.iter().zip(answers) {
        let leaf = query.0 % (1 << circuit.common.fri_params.lde_bits());
        let (values, _) = &answer.initial_trees_proof.evals_proofs[0];
        assert_eq!(values, tree.get(usize::try_from(leaf).unwrap()));
    }
    let more = Grinding {
        batch: 40,
        ..grinding
    };
    assert_eq!(replay(&circuit, more, &proof).unwrap_err().bits, 40);
}

#[test]
fn contradicting_inputs_are_refused() {
    let (circuit, inputs) = many_gates(config(2, 3, 1));
    let [(a, _), (b, _)] = inputs[..] else {
        panic!("two inputs")
    };
    // `b` has 12 bits.
    let wrong = vec![
        (a, PlonkField::ONE),
        (b, PlonkField::from_canonical_u64(1 << 12)),
    ];
    for wrong in [wrong, vec![(a, PlonkField::ONE)], vec![]] {
        assert!(prove(&circuit, Grinding::default(), witness(&wrong)).is_err());
    }
}

#[test]
fn a_proof_of_a_broken_gate_is_refused() {
    let mut builder = Builder::new(config(2, 3, 1));
    let row = builder.add_gate(Poseidon2Gate, vec![]);
    let circuit = builder.build::<PlonkConfig>();
    for (flag, holds) in [(1, true), (2, false)] {
        let mut inputs: Inputs = (0..12)
            .map(|i| (Target::wire(row, Poseidon2Gate::input(i)), PlonkField::TWO))
            .collect();
        let swap = Target::wire(row, Poseidon2Gate::SWAP);
        inputs.push((swap, PlonkField::from_canonical_u64(flag)));
        let proof = prove(&circuit, Grinding::default(), witness(&inputs)).unwrap();
        assert_eq!(circuit.verify(proof.plonky2).is_ok(), holds);
    }
}

#[test]
fn broken_copy_constraints_are_refused() {
    let (circuit, inputs) = many_gates(config(2, 3, 1));
    let mut witness = Witness::new(&circuit, &partition(&circuit, &inputs)).unwrap();
    let challenges = CopyChallenges {
        betas: vec![PlonkField::from_canonical_u64(5); 2],
        gammas: vec![PlonkField::from_canonical_u64(7); 2],
    };
    assert!(products::products(&circuit, &witness.wires, &challenges).is_ok());
    // The first input is the first wire of the hash that row 0 compares with.
    witness.wires.values[0] += F::ONE;
    let error = products::products(&circuit, &witness.wires, &challenges).unwrap_err();
    assert_eq!(error.to_string(), "the constraints do not hold");
}

#[test]
fn what_it_lacks_is_refused() {
    let mut zero_knowledge = config(2, 3, 1);
    zero_knowledge.zero_knowledge = true;
    let low_rate = config(2, 2, 1);
    for config in [zero_knowledge, low_rate] {
        let mut common = many_gates(self::config(2, 3, 1)).0.common;
        common.config = config;
        assert!(check(&common).is_err());
    }
}
