//! The plonky2 circuit that verifies the STARK over a batch's differences.
//!
//! # Constraints
//!
//! 1. The STARK verifies, with these public values.
//! 2. The point's words are made of limbs of 16 bits, the highest of each of 15: so they are below
//!    2^63, and the chip's limbs are those of the stated point and no other.
//! 3. We state both commitments, the point and the value: what the chip's public values are.

use plonky2::field::types::Field as _;
use plonky2::iop::target::Target;
use plonky2::iop::witness::PartialWitness;
use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};
use shardfold_protocol::data::{DATA_STATEMENT_ELEMENTS, DataStatement, POINT_LIMBS};
use shardfold_recursion::config::StarkProof;
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, Grinding, PlonkField, PlonkParameters, PlonkProof, VerifierKey,
    prove, verify,
};
use shardfold_recursion::serializers::{
    Cached, Gates, Generators, checked_digest, read_grinding, write_grinding,
};
use shardfold_recursion::stark::Cost;
use shardfold_recursion::tree::finish;

use super::{point_limbs, public_values, public_values_of};
use crate::circuit::{ShardCircuitError, stark_witness};
use crate::stark::Stark;

/// The circuit, built.
#[derive(Debug, PartialEq, Eq)]
pub struct DataCircuit {
    pub(super) circuit: Circuit,
    pub(super) targets: Targets,
    pub(super) grinding: Grinding,
}

/// What the witness sets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Targets {
    /// The elements of the statement.
    pub(super) statement: Vec<Target>,
    /// The limbs of the point.
    pub(super) limbs: Vec<Target>,
    /// The elements of the STARK's proof, in the order of its parts.
    pub(super) proof: Vec<Target>,
}

impl DataCircuit {
    /// Builds the circuit over its common data.
    ///
    /// # Errors
    /// If it does not fit them.
    pub fn build(
        stark: &Stark,
        parameters: &PlonkParameters,
        common: &CommonData,
    ) -> Result<Self, ShardCircuitError> {
        let (mut builder, targets, _) = assemble(stark, parameters)?;
        // 3. We state what the chip states.
        builder.register_public_inputs(&targets.statement);
        Ok(Self {
            circuit: finish(builder, common)?,
            targets,
            grinding: parameters.grinding,
        })
    }

    /// Returns the rows that the circuit takes before padding, and what verifying costs of them.
    ///
    /// # Errors
    /// If the STARK is outside what the verifier supports.
    pub fn cost(
        stark: &Stark,
        parameters: &PlonkParameters,
    ) -> Result<(usize, Cost), ShardCircuitError> {
        let (builder, _, cost) = assemble(stark, parameters)?;
        Ok((builder.num_gates(), cost))
    }

    /// Returns the key under which its proofs verify.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.circuit.verifier_only
    }

    /// Proves that the STARK's proof verifies for this statement.
    ///
    /// # Errors
    /// If it does not.
    pub fn prove(
        &self,
        stark: &Stark,
        proof: &StarkProof,
        statement: &DataStatement,
    ) -> Result<PlonkProof, ShardCircuitError> {
        let witness = self.witness(stark, proof, statement)?;
        prove(&self.circuit, self.grinding, witness).map_err(ShardCircuitError::Prove)
    }

    /// Verifies a proof of this circuit.
    ///
    /// # Errors
    /// If it does not verify.
    pub fn verify(&self, proof: &PlonkProof) -> Result<(), ShardCircuitError> {
        let common = &self.circuit.common;
        Ok(verify(self.key(), common, self.grinding, proof)?)
    }

    pub(super) fn witness(
        &self,
        stark: &Stark,
        proof: &StarkProof,
        statement: &DataStatement,
    ) -> Result<PartialWitness<PlonkField>, ShardCircuitError> {
        let limbs = point_limbs(statement.evaluation.point);
        let values = statement.elements().into_iter().chain(limbs);
        let stated = self.targets.statement.iter().chain(&self.targets.limbs);
        let stated = stated.copied().zip(values);
        let public_values = public_values(statement);
        stark_witness(stark, proof, &public_values, &self.targets.proof, stated)
    }
}

/// Lays out everything but the public inputs and the padding.
fn assemble(
    stark: &Stark,
    parameters: &PlonkParameters,
) -> Result<(Builder, Targets, Cost), ShardCircuitError> {
    let mut builder = Builder::new(parameters.circuit_config());
    let statement: [Target; DATA_STATEMENT_ELEMENTS] = builder.add_virtual_target_arr();
    let limbs: [Target; POINT_LIMBS] = builder.add_virtual_target_arr();
    // 1. The STARK verifies.
    let verifier = stark.verifier()?;
    let proof = verifier.add_proof(&mut builder);
    let public_values = public_values_of(&statement, &limbs);
    let cost = verifier.verify(&mut builder, &proof, &public_values)?;
    // 2. The point's words are made of the limbs.
    let words = statement.iter().skip(8);
    for (&word, limbs) in words.zip(limbs.as_chunks::<4>().0) {
        check_word(&mut builder, word, limbs);
    }
    let targets = Targets {
        statement: statement.to_vec(),
        limbs: limbs.to_vec(),
        proof: proof.targets(),
    };
    Ok((builder, targets, cost))
}

/// A word is below 2^63, and these are its limbs of 16 bits, the lowest first.
fn check_word(builder: &mut Builder, word: Target, limbs: &[Target; 4]) {
    for (limb, bits) in limbs.iter().zip([16, 16, 16, 15]) {
        builder.range_check(*limb, bits);
    }
    let base = builder.constant(PlonkField::from_canonical_u64(1 << 16));
    let zero = builder.zero();
    let sum = limbs
        .iter()
        .rev()
        .fold(zero, |sum, &limb| builder.mul_add(sum, base, limb));
    builder.connect(sum, word);
}

impl Cached for DataCircuit {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        write(self, &mut bytes).ok()?;
        Some(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        read(&mut Buffer::new(bytes)).ok()
    }

    fn digest(&self) -> Option<[u8; 32]> {
        checked_digest(&self.circuit)
    }
}

fn write(data: &DataCircuit, bytes: &mut Vec<u8>) -> IoResult<()> {
    bytes.write_target_vec(&data.targets.statement)?;
    bytes.write_target_vec(&data.targets.limbs)?;
    bytes.write_target_vec(&data.targets.proof)?;
    write_grinding(data.grinding, bytes)?;
    bytes.write_circuit_data(&data.circuit, &Gates, &Generators)
}

fn read(bytes: &mut Buffer<'_>) -> IoResult<DataCircuit> {
    let targets = Targets {
        statement: bytes.read_target_vec()?,
        limbs: bytes.read_target_vec()?,
        proof: bytes.read_target_vec()?,
    };
    Ok(DataCircuit {
        targets,
        grinding: read_grinding(bytes)?,
        circuit: bytes.read_circuit_data(&Gates, &Generators)?,
    })
}
