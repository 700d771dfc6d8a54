//! A small circuit over the tree's common data, a proof of it, and the circuit that verifies it.

use std::sync::LazyLock;

use plonky2::field::types::Field as _;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use crate::plonk::{
    Builder, Circuit, CommonData, Grinding, Nonces, PlonkField, PlonkParameters, PlonkProof,
    PlonkProofTarget, PlonkVerifyError, Poseidon2Hash, add_virtual_plonk_proof,
    set_plonk_proof_target, verify, verify_plonk_proof,
};
use crate::stark::tests::fixture::satisfies;
use crate::tree::{common_data, finish_leaf, gate_set};

pub const PARAMETERS: PlonkParameters = PlonkParameters::UNSOUND_TEST;

/// Two folds: to 2^6 and to 2^2 coefficients.
pub static COMMON: LazyLock<CommonData> =
    LazyLock::new(|| common_data(&PARAMETERS, 10, &gate_set(&PARAMETERS)));

/// A circuit that hashes its statement, and multiplies.
pub static INNER: LazyLock<(Circuit, [Target; STATEMENT_ELEMENTS])> = LazyLock::new(|| {
    let mut builder = Builder::new(COMMON.config.clone());
    let statement: [Target; STATEMENT_ELEMENTS] = builder.add_virtual_target_arr();
    let hash = builder.hash_n_to_hash_no_pad::<Poseidon2Hash>(statement[1..].to_vec());
    let product = builder.mul(hash.elements[0], hash.elements[1]);
    let half = builder.split_low_high(product, 32, 64);
    builder.connect(half.0, statement[0]);
    let circuit = finish_leaf(builder, &statement, &COMMON).unwrap();
    (circuit, statement)
});

/// What the inner circuit proves.
pub fn inputs() -> PartialWitness<PlonkField> {
    let (_, statement) = &*INNER;
    let mut witness = PartialWitness::new();
    for (i, &target) in statement.iter().enumerate().skip(1) {
        let value = PlonkField::from_canonical_usize(i * i);
        witness.set_target(target, value).unwrap();
    }
    witness
}

/// plonky2's own proof, which grinds before the queries only.
pub static PLAIN: LazyLock<PlonkProof> = LazyLock::new(|| {
    let plonky2 = INNER.0.prove(inputs()).unwrap();
    let rounds = COMMON.fri_params.reduction_arity_bits.len();
    let folds = vec![PlonkField::ZERO; rounds];
    let nonces = Nonces {
        folds,
        ..Nonces::default()
    };
    PlonkProof { plonky2, nonces }
});

pub fn native(grinding: Grinding, proof: &PlonkProof) -> Result<(), PlonkVerifyError> {
    verify(&INNER.0.verifier_only, &COMMON, grinding, proof)
}

/// The circuit that verifies a proof of the inner one under a key that it takes as a witness.
pub struct Outer {
    pub circuit: Circuit,
    pub proof: PlonkProofTarget,
    pub key: VerifierCircuitTarget,
}

impl Outer {
    pub fn new(grinding: Grinding) -> Self {
        let mut builder = Builder::new(COMMON.config.clone());
        let proof = add_virtual_plonk_proof(&mut builder, &COMMON);
        let key = builder.add_virtual_verifier_data(COMMON.config.fri_config.cap_height);
        verify_plonk_proof(&mut builder, &proof, &key, &COMMON, grinding).unwrap();
        let circuit = builder.build();
        Self {
            circuit,
            proof,
            key,
        }
    }

    pub fn witness(&self, proof: &PlonkProof) -> PartialWitness<PlonkField> {
        let mut witness = PartialWitness::new();
        set_plonk_proof_target(&mut witness, &self.proof, proof).unwrap();
        let key = &INNER.0.verifier_only;
        witness.set_verifier_data_target(&self.key, key).unwrap();
        witness
    }

    pub fn accepts(&self, proof: &PlonkProof) -> bool {
        satisfies(&self.circuit, self.witness(proof))
    }
}
