//! The last circuit: it takes one proof of the tree, whichever it is, and states what that proof
//! states and nothing else.
//!
//! It is not cyclic: all keys of the tree are its constants, so its own key is one fixed key for
//! batches of any size, and its proof needs no key slot.
//! Nobody recurses on it, so it has fewer rows and a lower rate than the circuits of the tree, and
//! its proofs are shorter.
//!
//! # Constraints
//!
//! 1. to 4. Those of a child of an [aggregation](crate::circuit), with the aggregation key a
//!    constant: the proof verifies under one of the tree's keys, and an aggregation's key slot
//!    holds the aggregation key.
//! 5. We state what the child states: chain id, head before, head after.
//!
//! Rule 4 is what the verifier of an aggregation must check outside: see there.

use plonky2::iop::target::Target;
use plonky2::iop::witness::PartialWitness;
use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};
use shardfold_protocol::head::STATEMENT_ELEMENTS;
use shardfold_recursion::plonk::{Builder, Circuit, PlonkProof, VerifierKey, prove};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::serializers::{Cached, Gates, Generators, checked_digest};
use shardfold_recursion::tree::{finish, last_common_data};

use crate::circuit::{AggregationCircuitError, ChildTargets, disk, flatten_keys};
use crate::tree::{Child, TreeKeys};

#[cfg(test)]
mod tests;

/// The last circuit, built.
#[derive(Debug, PartialEq, Eq)]
pub struct LastCircuit {
    circuit: Circuit,
    targets: ChildTargets,
    keys: TreeKeys,
    profile: Profile,
}

impl LastCircuit {
    /// Builds the circuit for proofs of this tree.
    ///
    /// # Errors
    /// If the tree has other parameters than the profile, the keys are not of the tree's form, or the
    /// circuit does not fit the profile's rows.
    pub fn build(profile: Profile, keys: TreeKeys) -> Result<Self, AggregationCircuitError> {
        let common = last_common_data(profile);
        if !keys.form.is_of(&profile.plonk()) {
            return Err(AggregationCircuitError::OtherProfile {
                profile: profile.name(),
            });
        }
        let leaf_keys = flatten_keys(&keys.form.common, &keys.leaves)?;
        let aggregation = flatten_keys(&keys.form.common, [&keys.aggregation])?;
        let mut builder = Builder::new(common.config.clone());
        let aggregation_key: Vec<Target> = aggregation
            .into_iter()
            .flatten()
            .map(|element| builder.constant(element))
            .collect();
        let targets = ChildTargets::add(&mut builder, &keys.form, &leaf_keys, &aggregation_key)?;
        // 5. We state what the child states.
        let statement = targets.public_inputs().iter().take(STATEMENT_ELEMENTS);
        builder.register_public_inputs(&statement.copied().collect::<Vec<_>>());
        Ok(Self {
            circuit: finish(builder, &common)?,
            targets,
            keys,
            profile,
        })
    }

    /// Returns the keys of the tree.
    #[must_use]
    pub fn keys(&self) -> &TreeKeys {
        &self.keys
    }

    /// Returns the profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Returns the circuit's own key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.circuit.verifier_only
    }

    /// Proves what a proof of the tree states.
    ///
    /// # Errors
    /// If it is no valid proof of the tree.
    pub fn prove(&self, child: &Child<'_>) -> Result<PlonkProof, AggregationCircuitError> {
        self.keys.check(0, child)?;
        let mut witness = PartialWitness::new();
        self.targets
            .set(&mut witness, child)
            .and_then(|()| prove(&self.circuit, self.profile.last().grinding, witness))
            .map_err(AggregationCircuitError::Prove)
    }
}

impl Cached for LastCircuit {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        write(self, &mut bytes).ok()?;
        Some(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        read(&mut Buffer::new(bytes)).ok()?
    }

    fn digest(&self) -> Option<[u8; 32]> {
        checked_digest(&self.circuit)
    }
}

fn write(last: &LastCircuit, bytes: &mut Vec<u8>) -> IoResult<()> {
    let position = Profile::ALL.iter().position(|known| *known == last.profile);
    bytes.write_usize(position.unwrap_or(Profile::ALL.len()))?;
    disk::write_child(&last.targets, bytes)?;
    disk::write_keys(&last.keys, bytes)?;
    bytes.write_circuit_data(&last.circuit, &Gates, &Generators)
}

/// `None` within if the profile is unknown, or the tree is not of its parameters.
fn read(bytes: &mut Buffer<'_>) -> IoResult<Option<LastCircuit>> {
    let position = bytes.read_usize()?;
    let targets = disk::read_child(bytes)?;
    let keys = disk::read_keys(bytes)?;
    let circuit = bytes.read_circuit_data(&Gates, &Generators)?;
    let profile = Profile::ALL.get(position).copied();
    Ok(profile
        .filter(|profile| keys.form.is_of(&profile.plonk()))
        .map(|profile| LastCircuit {
            circuit,
            targets,
            keys,
            profile,
        }))
}
