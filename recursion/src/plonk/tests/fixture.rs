//! A small circuit over the tree's common data, a proof of it, and the circuit that verifies it.

use std::sync::LazyLock;

use plonky2::field::types::Field as _;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use crate::plonk::circuit::{check_constraints, derive_challenges};
use crate::plonk::{
    Builder, Circuit, CommonData, Grinding, Nonces, PlonkField, PlonkParameters, PlonkProof,
    PlonkProofTarget, PlonkVerifyError, Poseidon2Hash, UnsupportedCircuit, add_virtual_plonk_proof,
    prove, set_plonk_proof_target, verify, verify_plonk_proof,
};
use crate::stark::tests::fixture::satisfies;
use crate::tree::{common_data, finish_leaf, gate_set};

pub const PARAMETERS: PlonkParameters = PlonkParameters::UNSOUND_TEST;

/// More bits than those of the tests' profile, so that a wrong nonce rarely answers.
pub const GRINDING: Grinding = Grinding {
    point: 5,
    batch: 6,
    fold: 7,
};

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

/// A circuit over a proof of the inner one, and over its key.
pub struct Outer {
    circuit: Circuit,
    proof: PlonkProofTarget,
    key: VerifierCircuitTarget,
}

impl Outer {
    fn new(
        lay_out: impl FnOnce(
            &mut Builder,
            &PlonkProofTarget,
            &VerifierCircuitTarget,
        ) -> Result<(), UnsupportedCircuit>,
    ) -> Self {
        let mut builder = Builder::new(COMMON.config.clone());
        let proof = add_virtual_plonk_proof(&mut builder, &COMMON);
        let key = builder.add_virtual_verifier_data(COMMON.config.fri_config.cap_height);
        lay_out(&mut builder, &proof, &key).unwrap();
        let circuit = builder.build();
        Self {
            circuit,
            proof,
            key,
        }
    }

    pub fn accepts(&self, proof: &PlonkProof) -> bool {
        let mut witness = PartialWitness::new();
        set_plonk_proof_target(&mut witness, &self.proof, proof).unwrap();
        let key = &INNER.0.verifier_only;
        witness.set_verifier_data_target(&self.key, key).unwrap();
        satisfies(&self.circuit, witness)
    }
}

/// The part of the verifier circuit that checks the constraints at the point, without grinding.
pub static CONSTRAINTS: LazyLock<Outer> = LazyLock::new(|| {
    Outer::new(|builder, proof, key| {
        let public_inputs = proof.plonky2.public_inputs.clone();
        let hash = builder.hash_n_to_hash_no_pad::<Poseidon2Hash>(public_inputs);
        let grinding = Grinding::default();
        let challenges = derive_challenges(builder, proof, key, &COMMON, grinding, &hash);
        check_constraints(builder, proof, &COMMON, &hash, &challenges)
    })
});

/// A valid proof with the two verifiers of its grinding.
pub struct Case {
    pub grinding: Grinding,
    pub proof: PlonkProof,
    outer: Outer,
}

impl Case {
    fn new(grinding: Grinding, proof: PlonkProof) -> Self {
        let outer = Outer::new(|builder, proof, key| {
            verify_plonk_proof(builder, proof, key, &COMMON, grinding)
        });
        Self {
            grinding,
            proof,
            outer,
        }
    }

    pub fn native(&self, proof: &PlonkProof) -> Result<(), PlonkVerifyError> {
        self.native_with(self.grinding, proof)
    }

    pub fn native_with(
        &self,
        grinding: Grinding,
        proof: &PlonkProof,
    ) -> Result<(), PlonkVerifyError> {
        verify(&INNER.0.verifier_only, &COMMON, grinding, proof)
    }

    pub fn circuit_accepts(&self, proof: &PlonkProof) -> bool {
        self.outer.accepts(proof)
    }
}

/// The nonce of a site, in the order of the transcript.
pub fn nonce(proof: &mut PlonkProof, site: usize) -> &mut PlonkField {
    match site {
        0 => &mut proof.nonces.point,
        1 => &mut proof.nonces.batch,
        _ => &mut proof.nonces.folds[site - 2],
    }
}

/// Our own proof, ground at every site.
pub static GROUND_CASE: LazyLock<Case> = LazyLock::new(|| {
    let proof = prove(&INNER.0, GRINDING, inputs()).unwrap();
    Case::new(GRINDING, proof)
});

/// plonky2's own proof.
pub static PLAIN_CASE: LazyLock<Case> =
    LazyLock::new(|| Case::new(Grinding::default(), PLAIN.clone()));
