//! The reference that every ratio is taken against: permutations in plonky2 alone.

use plonky2::field::types::{Field, PrimeField64};
use plonky2::hash::hashing::PlonkyPermutation;
use plonky2::hash::poseidon::{PoseidonHash, PoseidonPermutation};
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use plonky2::plonk::circuit_builder::CircuitBuilder;
use plonky2::plonk::circuit_data::{CircuitConfig, CircuitData};
use plonky2::plonk::config::{GenericConfig, PoseidonGoldilocksConfig};

/// plonky2's usual configuration.
pub type Config = PoseidonGoldilocksConfig;
/// Its field.
pub type Field64 = <Config as GenericConfig<2>>::F;

/// A chain of Poseidon permutations as rows of a plain plonky2 circuit: what proving would
/// cost without the STARK. Its configuration gives about 100 conjectured bits.
pub struct Reference {
    circuit: CircuitData<Field64, Config, 2>,
    inputs: Vec<plonky2::iop::target::Target>,
}

impl Reference {
    /// A circuit of `2^log_rows` rows, nearly all of them permutations.
    #[must_use]
    pub fn new(log_rows: u32) -> Self {
        let mut builder =
            CircuitBuilder::<Field64, 2>::new(CircuitConfig::standard_recursion_config());
        let inputs = builder.add_virtual_targets(12);
        let mut state = PlonkyPermutation::new(inputs.iter().copied());
        for _ in 0..Self::permutations(log_rows) {
            state = builder.permute::<PoseidonHash>(state);
        }
        builder.register_public_inputs(&state.as_ref()[..4]);
        Self {
            circuit: builder.build::<Config>(),
            inputs,
        }
    }

    /// How many permutations a circuit of `2^log_rows` rows proves.
    #[must_use]
    pub const fn permutations(log_rows: u32) -> usize {
        // A few rows go to constants and public inputs.
        (1 << log_rows) - 16
    }

    /// Proves it for inputs made of `seed`, and checks the proof's output natively.
    ///
    /// # Panics
    /// If the proof says anything else than the permutations do.
    pub fn prove(&self, seed: u64, log_rows: u32) {
        let mut witness = PartialWitness::new();
        let mut native = PoseidonPermutation::<Field64>::new(
            (0..12).map(|i| Field64::from_canonical_u64(seed + i)),
        );
        for (&target, &value) in self.inputs.iter().zip(native.as_ref()) {
            witness.set_target(target, value).expect("fresh target");
        }
        let proof = self
            .circuit
            .prove(witness)
            .expect("the chain can be proven");
        for _ in 0..Self::permutations(log_rows) {
            native.permute();
        }
        let expected: Vec<u64> = native.as_ref()[..4]
            .iter()
            .map(PrimeField64::to_canonical_u64)
            .collect();
        let found: Vec<u64> = proof
            .public_inputs
            .iter()
            .map(PrimeField64::to_canonical_u64)
            .collect();
        assert_eq!(found, expected);
    }
}
