//! A proof of the toy chips, its verifier circuit, and a check of witnesses without a proof.

use p3_batch_stark::{ProverData, StarkInstance, prove_batch, verify_batch};
use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::generator::generate_partial_witness;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_data::{CircuitConfig, CircuitData};
use plonky2::plonk::config::Hasher;
use plonky2::plonk::vars::EvaluationVarsBaseBatch;

use super::airs::Toy;
use crate::config::{Config, F, StarkParameters, StarkProof};
use crate::plonk::{PlonkConfig, Poseidon2Hash};
use crate::stark::{
    Builder, D, ProofParts, ProofShape, StarkProofTarget, StarkVerifier, Word, hash, word,
};

pub type Circuit = CircuitData<Word, PlonkConfig, D>;

/// Few queries, some grinding at every site, arities up to 8, a last round as low as the caps of
/// its four roots: at least one of them is above no query.
pub const PARAMETERS: StarkParameters = StarkParameters {
    log_blowup: 2,
    queries: 3,
    max_log_arity: 3,
    log_final_poly_len: 0,
    log_cap: 2,
    query_grinding: 5,
    fold_grinding: 2,
    batch_grinding: 3,
    point_grinding: 4,
    lookup_grinding: 3,
};

/// The toy chips at their heights.
pub const CHIPS: [Toy; 4] = [
    Toy::Counter { log_rows: 3 },
    Toy::Small { log_rows: 6 },
    Toy::Cubes { log_rows: 5 },
    Toy::Wide { log_rows: 5 },
];

/// Toy chips with all that proves and verifies them.
pub struct Fixture {
    pub chips: Vec<Toy>,
    pub parameters: StarkParameters,
    pub data: ProverData<Config>,
}

impl Fixture {
    pub fn new(chips: &[Toy], parameters: StarkParameters) -> Self {
        let log_rows: Vec<usize> = chips.iter().map(Toy::log_rows).collect();
        let config = parameters.config();
        let data = ProverData::from_airs_and_degrees(&config, chips, &log_rows).unwrap();
        // The native verifier takes any row of a matrix that is lower than the cap.
        ProofShape::new(chips, &log_rows, &data.common, parameters).unwrap();
        Self {
            chips: chips.to_vec(),
            parameters,
            data,
        }
    }

    /// A proof for a counter that starts at `first`, and its public values.
    pub fn prove(&self, first: usize) -> (StarkProof, Vec<Vec<F>>) {
        self.prove_with(first, |_| {})
    }

    /// The same after the traces were tampered with.
    pub fn prove_with(
        &self,
        first: usize,
        tamper: impl FnOnce(&mut [RowMajorMatrix<F>]),
    ) -> (StarkProof, Vec<Vec<F>>) {
        let counter = |chip: &&Toy| matches!(chip, Toy::Counter { .. });
        let count = self
            .chips
            .iter()
            .find(counter)
            .map_or(0, |chip| 1 << chip.log_rows());
        let mut instances = Vec::new();
        let mut traces: Vec<_> = self
            .chips
            .iter()
            .map(|chip| chip.trace(first, count))
            .collect();
        tamper(&mut traces);
        let mut public_values = Vec::new();
        for (air, trace) in self.chips.iter().zip(&traces) {
            let values = match air {
                Toy::Counter { .. } => {
                    vec![F::from_usize(first), F::from_usize(first + count - 1)]
                }
                _ => vec![],
            };
            public_values.push(values.clone());
            instances.push(StarkInstance {
                air,
                trace,
                public_values: values,
            });
        }
        let proof = prove_batch(&self.parameters.config(), &instances, &self.data).unwrap();
        (proof, public_values)
    }

    pub fn native_accepts(&self, proof: &StarkProof, public_values: &[Vec<F>]) -> bool {
        let config = self.parameters.config();
        let common = &self.data.common;
        verify_batch(&config, &self.chips, proof, public_values, common).is_ok()
    }

    pub fn verifier(&self) -> StarkVerifier<'_, Toy> {
        let log_rows: Vec<usize> = self.chips.iter().map(Toy::log_rows).collect();
        let common = &self.data.common;
        StarkVerifier::new(&self.chips, &log_rows, common, self.parameters).unwrap()
    }

    /// The circuit that verifies one proof and makes its public values public.
    pub fn circuit(&self) -> VerifierCircuit {
        let verifier = self.verifier();
        let mut builder = Builder::new(CircuitConfig::standard_recursion_config());
        let proof = verifier.add_proof(&mut builder);
        let tables = verifier.shape().tables.iter();
        let public_values: Vec<Vec<Target>> = tables
            .map(|table| builder.add_virtual_targets(table.public_values))
            .collect();
        for values in &public_values {
            builder.register_public_inputs(values);
        }
        let cost = verifier
            .verify(&mut builder, &proof, &public_values)
            .unwrap();
        assert!(cost.permutations < cost.rows);
        VerifierCircuit {
            circuit: builder.build(),
            proof,
            public_values,
        }
    }
}

/// A fixture with its circuit, a proof and the proof's parts.
pub struct Case {
    pub fixture: Fixture,
    pub circuit: VerifierCircuit,
    pub proof: StarkProof,
    pub public_values: Vec<Vec<F>>,
    pub parts: ProofParts<F>,
}

impl Case {
    pub fn new(fixture: Fixture) -> Self {
        let circuit = fixture.circuit();
        let (proof, public_values) = fixture.prove(5);
        let parts = fixture.verifier().unpack(&proof, &public_values).unwrap();
        Self {
            fixture,
            circuit,
            proof,
            public_values,
            parts,
        }
    }
}

/// A circuit that verifies one proof of the toy chips.
pub struct VerifierCircuit {
    pub circuit: Circuit,
    pub proof: StarkProofTarget,
    pub public_values: Vec<Vec<Target>>,
}

impl VerifierCircuit {
    pub fn witness(&self, parts: &ProofParts<F>, values: &[Vec<F>]) -> PartialWitness<Word> {
        let mut witness = PartialWitness::new();
        self.proof.set_witness(&mut witness, parts).unwrap();
        let targets = self.public_values.iter().flatten();
        for (&target, &value) in targets.zip(values.iter().flatten()) {
            witness.set_target(target, word(value)).unwrap();
        }
        witness
    }

    pub fn accepts(&self, parts: &ProofParts<F>, values: &[Vec<F>]) -> bool {
        satisfies(&self.circuit, self.witness(parts, values))
    }
}

/// Whether these inputs satisfy a circuit that `build` lays out.
pub(in crate::stark) fn holds(
    inputs: &[Word],
    build: impl FnOnce(&mut hash::Circuit, &[Target]),
) -> bool {
    let mut builder = Builder::new(CircuitConfig::standard_recursion_config());
    let targets = builder.add_virtual_targets(inputs.len());
    let mut circuit = hash::Circuit {
        builder: &mut builder,
        permutations: 0,
    };
    build(&mut circuit, &targets);
    let mut witness = PartialWitness::new();
    witness.set_target_arr(&targets, inputs).unwrap();
    satisfies(&builder.build(), witness)
}

/// Whether the inputs satisfy the circuit: the witness is generated, which fails on copy
/// constraints that do not hold, and each row's gate is evaluated on the wires. This checks
/// what a plonky2 proof proves, without the proof.
pub fn satisfies(circuit: &Circuit, inputs: PartialWitness<Word>) -> bool {
    let CircuitData {
        prover_only,
        common,
        ..
    } = circuit;
    let Ok(witness) = generate_partial_witness(inputs, prover_only, common) else {
        return false;
    };
    let public_inputs = witness.get_targets(&prover_only.public_inputs);
    let public_inputs_hash = Poseidon2Hash::hash_no_pad(&public_inputs);
    let polynomials = &prover_only.constants_sigmas_commitment.polynomials;
    let constants: Vec<Vec<Word>> = polynomials[..common.num_constants]
        .iter()
        .map(|polynomial| polynomial.clone().fft().values)
        .collect();
    let selectors = common.selectors_info.num_selectors();
    let matrix = witness.clone().full_witness();

    (0..common.degree()).all(|row| {
        let constants: Vec<Word> = constants.iter().map(|column| column[row]).collect();
        // A row's gate is named in one selector; the others hold a number above all gates.
        let (selectors, constants) = constants.split_at(selectors);
        let gates = selectors
            .iter()
            .filter_map(|s| common.gates.get(s.to_canonical_u64() as usize));
        let gates: Vec<_> = gates.collect();
        assert_eq!(gates.len(), 1, "row {row} has one gate");
        let gate = &gates[0].0;
        let columns = 0..common.config.num_wires;
        let wires: Vec<Word> = columns.map(|column| matrix.get_wire(row, column)).collect();
        let vars = EvaluationVarsBaseBatch::new(1, constants, &wires, &public_inputs_hash);
        let values = gate.eval_unfiltered_base_batch(vars);
        values.iter().all(|value| value.is_zero())
    })
}
