//! The Poseidon2 gate against plonky2's gate tests and Plonky3's permutation.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_symmetric::Permutation;
use plonky2::field::types::Field;
use plonky2::gates::gate::Gate;
use plonky2::gates::gate_testing::{test_eval_fns, test_low_degree};
use plonky2::hash::hash_types::HashOut;
use plonky2::iop::generator::generate_partial_witness;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_data::CircuitConfig;
use plonky2::plonk::vars::EvaluationVars;

use crate::config::{F, permutation};
use crate::plonk::PlonkConfig;
use crate::stark::{Builder, D, FoldGate, Poseidon2Gate, Word};

#[test]
fn it_fills_a_row_of_the_standard_config() {
    assert_eq!(Gate::<Word, D>::num_wires(&Poseidon2Gate), 135);
}

#[test]
fn its_constraints_have_degree_seven() {
    test_low_degree::<Word, _, D>(Poseidon2Gate);
}

#[test]
fn its_three_evaluations_agree() {
    test_eval_fns::<Word, PlonkConfig, _, D>(Poseidon2Gate).unwrap();
}

#[test]
fn it_computes_plonky3s_permutation_with_and_without_the_swap() {
    for swap in [false, true] {
        let mut builder = Builder::new(CircuitConfig::standard_recursion_config());
        let row = builder.add_gate(Poseidon2Gate, vec![]);
        let circuit = builder.build_prover::<PlonkConfig>();

        let mut input: [F; 12] = core::array::from_fn(|i| -F::from_usize(1 << (5 * i)));
        let mut inputs = PartialWitness::new();
        for (i, x) in input.iter().enumerate() {
            let value = Word::from_canonical_u64(x.as_canonical_u64());
            let target = Target::wire(row, Poseidon2Gate::input(i));
            inputs.set_target(target, value).unwrap();
        }
        let flag = Target::wire(row, Poseidon2Gate::SWAP);
        inputs.set_target(flag, Word::from_bool(swap)).unwrap();
        let witness =
            generate_partial_witness(inputs, &circuit.prover_only, &circuit.common).unwrap();

        if swap {
            let (left, right) = input.split_at_mut(4);
            left.swap_with_slice(&mut right[..4]);
        }
        let expected = permutation().permute(input);
        for (i, x) in expected.iter().enumerate() {
            let output = witness.get_target(Target::wire(row, Poseidon2Gate::output(i)));
            assert_eq!(output.0, x.as_canonical_u64(), "output {i}, swap {swap}");
        }
    }
}

#[test]
fn the_folding_gates_are_well_formed() {
    for log_arity in 1..=5 {
        let gate = FoldGate { log_arity };
        test_low_degree::<Word, _, D>(gate);
        test_eval_fns::<Word, PlonkConfig, _, D>(gate).unwrap();
        assert!(Gate::<Word, D>::num_wires(&gate) <= 135);
        assert!(Gate::<Word, D>::degree(&gate) <= 7);
    }
}

/// The wires of an honest row of the gate, whose input wires are set to these values.
fn honest_row<G: Gate<Word, D> + Copy>(gate: G, inputs: &[(usize, Word)]) -> Vec<Word> {
    let mut builder = Builder::new(CircuitConfig::standard_recursion_config());
    let row = builder.add_gate(gate, vec![]);
    let circuit = builder.build_prover::<PlonkConfig>();
    let mut witness = PartialWitness::new();
    for &(column, value) in inputs {
        let target = Target::wire(row, column);
        witness.set_target(target, value).unwrap();
    }
    let full = generate_partial_witness(witness, &circuit.prover_only, &circuit.common).unwrap();
    (0..gate.num_wires())
        .map(|column| full.get_target(Target::wire(row, column)))
        .collect()
}

/// Whether all constraints of the gate hold on a row.
fn holds<G: Gate<Word, D>>(gate: G, row: &[Word]) -> bool {
    let wires: Vec<_> = row.iter().map(|&value| value.into()).collect();
    let vars = EvaluationVars {
        local_constants: &[],
        local_wires: &wires,
        public_inputs_hash: &HashOut::ZERO,
    };
    let values = gate.eval_unfiltered(vars);
    values.iter().all(Field::is_zero)
}

/// Asserts that an honest row holds and that none of its used wires can be another.
fn assert_no_wire_is_free<G: Gate<Word, D> + Copy>(gate: G, row: &[Word], used: usize) {
    assert!(holds(gate, row));
    for column in 0..used {
        let mut changed = row.to_vec();
        changed[column] += Word::ONE;
        assert!(!holds(gate, &changed), "wire {column} is free");
    }
}

#[test]
fn no_wire_of_the_permutation_gate_is_free() {
    for swap in [Word::ZERO, Word::ONE] {
        let mut inputs: Vec<_> = (0..12)
            .map(|i| (Poseidon2Gate::input(i), Word::from_canonical_usize(100 + i)))
            .collect();
        inputs.push((Poseidon2Gate::SWAP, swap));
        let row = honest_row(Poseidon2Gate, &inputs);
        assert_no_wire_is_free(Poseidon2Gate, &row, row.len());
    }
}

#[test]
fn no_wire_of_a_folding_gate_is_free() {
    for log_arity in 1..=3 {
        let gate = FoldGate { log_arity };
        let operations = gate.num_ops();
        let mut inputs = Vec::new();
        for operation in 0..operations {
            for j in 0..1 << log_arity {
                for k in 0..2 {
                    let value = Word::from_canonical_usize(1000 * operation + 10 * j + k + 7);
                    inputs.push((gate.value(operation, j) + k, value));
                }
            }
            // Position 1: the value that was folded so far.
            for i in 0..log_arity {
                inputs.push((gate.bit(operation, i), Word::from_bool(i == 0)));
            }
            for k in 0..2 {
                let folded = Word::from_canonical_usize(1000 * operation + 10 + k + 7);
                inputs.push((gate.folded(operation) + k, folded));
                let beta = Word::from_canonical_usize(31 + 17 * k);
                inputs.push((gate.beta(operation) + k, beta));
            }
            inputs.push((gate.point(operation), Word::from_canonical_usize(49)));
        }
        let row = honest_row(gate, &inputs);
        assert_no_wire_is_free(gate, &row, Gate::<Word, D>::num_wires(&gate));
    }
}
