//! The plonky2 circuit that verifies the STARK of one shape and states what it proves.

use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};
use shardfold_protocol::field::F;
use shardfold_protocol::head::{STATEMENT_ELEMENTS, Statement};

use shardfold_recursion::config::StarkProof;
use shardfold_recursion::convert::to_plonk;
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, Grinding, PlonkError, PlonkField, PlonkParameters, PlonkProof,
    PlonkVerifyError, VerifierKey, prove, verify,
};
use shardfold_recursion::serializers::{
    Cached, Gates, Generators, checked_digest, read_grinding, write_grinding,
};
use shardfold_recursion::stark::{Cost, RecursionError};
use shardfold_recursion::tree::{TreeError, finish_leaf};

use crate::stark::{ShardStark, Stark};
use crate::traces::{public_values, public_values_of};

/// The circuit of one shape, built.
#[derive(Debug, PartialEq, Eq)]
pub struct ShardCircuit {
    circuit: Circuit,
    targets: Targets,
    grinding: Grinding,
}

/// What the witness sets.
#[derive(Debug, PartialEq, Eq)]
struct Targets {
    /// The elements of the statement.
    statement: Vec<Target>,
    /// The elements of the STARK's proof, in the order of its parts.
    proof: Vec<Target>,
}

/// Why a shard's proof could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ShardCircuitError {
    /// The STARK's proof is not of the shape, or is found wrong on the way.
    #[error("the STARK's proof is refused: {0}")]
    Recursion(#[from] RecursionError),
    /// The STARK is not that of the circuit.
    #[error("the STARK's proof has {found} elements, the circuit expects {expected}")]
    OtherStark {
        /// Elements of the proof.
        found: usize,
        /// Elements that the circuit takes.
        expected: usize,
    },
    /// The circuit could not be built.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The shard proof does not verify.
    #[error("the shard proof does not verify: {0}")]
    Verify(#[from] PlonkVerifyError),
    /// The circuit refuses: the STARK does not prove the statement.
    #[error("the shard circuit refuses the STARK: {0}")]
    Prove(#[source] PlonkError),
}

impl ShardCircuit {
    /// Builds the circuit over the tree's common data.
    ///
    /// # Errors
    /// If it does not fit them.
    pub fn build(
        stark: &ShardStark,
        parameters: &PlonkParameters,
        common: &CommonData,
    ) -> Result<Self, ShardCircuitError> {
        let (builder, targets, _) = assemble(stark, parameters)?;
        let statement = targets
            .statement
            .as_slice()
            .try_into()
            .expect("a statement has its number of elements");
        let circuit = finish_leaf(builder, statement, common)?;
        Ok(Self {
            circuit,
            targets,
            grinding: parameters.grinding,
        })
    }

    /// Returns the rows that the circuit takes before padding, and what verifying costs of them.
    ///
    /// # Errors
    /// If the STARK is outside what the verifier supports.
    pub fn cost(
        stark: &ShardStark,
        parameters: &PlonkParameters,
    ) -> Result<(usize, Cost), ShardCircuitError> {
        let (builder, _, cost) = assemble(stark, parameters)?;
        Ok((builder.num_gates(), cost))
    }

    /// Returns the key under which this shape's shard proofs verify.
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
        stark: &ShardStark,
        proof: &StarkProof,
        statement: &Statement,
    ) -> Result<PlonkProof, ShardCircuitError> {
        let witness = self.witness(stark, proof, statement)?;
        prove(&self.circuit, self.grinding, witness).map_err(ShardCircuitError::Prove)
    }

    /// Verifies a shard proof of this shape.
    ///
    /// # Errors
    /// If it does not verify.
    pub fn verify(&self, proof: &PlonkProof) -> Result<(), ShardCircuitError> {
        Ok(verify(
            self.key(),
            &self.circuit.common,
            self.grinding,
            proof,
        )?)
    }

    fn witness(
        &self,
        stark: &ShardStark,
        proof: &StarkProof,
        statement: &Statement,
    ) -> Result<PartialWitness<PlonkField>, ShardCircuitError> {
        let stark = stark.stark();
        let public_values = public_values(stark.chips(), statement);
        let stated = self.targets.statement.iter().copied();
        let stated = stated.zip(statement.elements());
        stark_witness(stark, proof, &public_values, &self.targets.proof, stated)
    }
}

/// Returns the inputs of a circuit that verifies a STARK: its proof, in these targets, and whatever
/// else is set.
pub(crate) fn stark_witness(
    stark: &Stark,
    proof: &StarkProof,
    public_values: &[Vec<F>],
    targets: &[Target],
    others: impl Iterator<Item = (Target, F)>,
) -> Result<PartialWitness<PlonkField>, ShardCircuitError> {
    let parts = stark.verifier()?.unpack(proof, public_values)?;
    let parts = parts.elements();
    if parts.len() != targets.len() {
        return Err(ShardCircuitError::OtherStark {
            found: parts.len(),
            expected: targets.len(),
        });
    }
    let mut witness = PartialWitness::new();
    let parts = targets.iter().copied().zip(parts.into_iter().copied());
    for (target, value) in others.chain(parts) {
        witness
            .set_target(target, to_plonk(value))
            .map_err(|error| ShardCircuitError::Prove(PlonkError(error)))?;
    }
    Ok(witness)
}

/// Lays out everything but the public inputs and the padding.
///
/// The statement's targets are the public values of the chips: they are absorbed into the
/// transcript, enter the constraints, and become public inputs of the circuit.
fn assemble(
    stark: &ShardStark,
    parameters: &PlonkParameters,
) -> Result<(Builder, Targets, Cost), ShardCircuitError> {
    let mut builder = Builder::new(parameters.circuit_config());
    let statement = builder.add_virtual_targets(STATEMENT_ELEMENTS);
    let verifier = stark.stark().verifier()?;
    let proof = verifier.add_proof(&mut builder);
    let public_values = public_values_of(stark.stark().chips(), &statement);
    let cost = verifier.verify(&mut builder, &proof, &public_values)?;
    let targets = Targets {
        statement,
        proof: proof.targets(),
    };
    Ok((builder, targets, cost))
}

impl Cached for ShardCircuit {
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

fn write(shard: &ShardCircuit, bytes: &mut Vec<u8>) -> IoResult<()> {
    bytes.write_target_vec(&shard.targets.statement)?;
    bytes.write_target_vec(&shard.targets.proof)?;
    write_grinding(shard.grinding, bytes)?;
    bytes.write_circuit_data(&shard.circuit, &Gates, &Generators)
}

fn read(bytes: &mut Buffer<'_>) -> IoResult<ShardCircuit> {
    let targets = Targets {
        statement: bytes.read_target_vec()?,
        proof: bytes.read_target_vec()?,
    };
    Ok(ShardCircuit {
        targets,
        grinding: read_grinding(bytes)?,
        circuit: bytes.read_circuit_data(&Gates, &Generators)?,
    })
}
