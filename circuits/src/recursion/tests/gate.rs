//! The Poseidon2 gate against plonky2's gate tests and Plonky3's permutation.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::default_goldilocks_poseidon2_12;
use p3_symmetric::Permutation;
use plonky2::field::types::Field;
use plonky2::gates::gate::Gate;
use plonky2::gates::gate_testing::{test_eval_fns, test_low_degree};
use plonky2::iop::generator::generate_partial_witness;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_data::CircuitConfig;
use plonky2::plonk::config::PoseidonGoldilocksConfig;

use crate::config::F;
use crate::recursion::{Builder, D, Poseidon2Gate, Word};

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
    test_eval_fns::<Word, PoseidonGoldilocksConfig, _, D>(Poseidon2Gate).unwrap();
}

#[test]
fn it_computes_plonky3s_permutation_with_and_without_the_swap() {
    for swap in [false, true] {
        let mut builder = Builder::new(CircuitConfig::standard_recursion_config());
        let row = builder.add_gate(Poseidon2Gate, vec![]);
        let circuit = builder.build_prover::<PoseidonGoldilocksConfig>();

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
        let expected = default_goldilocks_poseidon2_12().permute(input);
        for (i, x) in expected.iter().enumerate() {
            let output = witness.get_target(Target::wire(row, Poseidon2Gate::output(i)));
            assert_eq!(output.0, x.as_canonical_u64(), "output {i}, swap {swap}");
        }
    }
}
