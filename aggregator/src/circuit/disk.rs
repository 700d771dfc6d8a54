//! The circuits as bytes for the [cache](Cached).

use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};
use shardfold_recursion::plonk::{D, Nonces, PlonkProofTarget};
use shardfold_recursion::serializers::{
    Cached, Gates, Generators, checked_digest, read_grinding, write_grinding,
};

use super::{AggregationCircuit, AggregationTargets, ChildTargets, Slot};
use crate::tree::{TreeForm, TreeKeys};

impl Cached for AggregationCircuit {
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

fn write(circuit: &AggregationCircuit, bytes: &mut Vec<u8>) -> IoResult<()> {
    bytes.write_target_verifier_circuit(&circuit.targets.key)?;
    bytes.write_usize(circuit.targets.slots.len())?;
    for slot in &circuit.targets.slots {
        write_child(&slot.child, bytes)?;
        bytes.write_target_bool(slot.present)?;
    }
    write_keys(&circuit.keys, bytes)?;
    bytes.write_circuit_data(&circuit.circuit, &Gates, &Generators)
}

fn read(bytes: &mut Buffer<'_>) -> IoResult<AggregationCircuit> {
    let key = bytes.read_target_verifier_circuit()?;
    let slots = (0..bytes.read_usize()?)
        .map(|_| {
            Ok(Slot {
                child: read_child(bytes)?,
                present: bytes.read_target_bool()?,
            })
        })
        .collect::<IoResult<_>>()?;
    Ok(AggregationCircuit {
        targets: AggregationTargets { slots, key },
        keys: read_keys(bytes)?,
        circuit: bytes.read_circuit_data(&Gates, &Generators)?,
    })
}

/// Writes the targets of one child.
pub(crate) fn write_child(child: &ChildTargets, bytes: &mut Vec<u8>) -> IoResult<()> {
    write_proof(&child.proof, bytes)?;
    bytes.write_target_bool_vec(&child.choice)
}

/// The inverse of [`write_child`].
pub(crate) fn read_child(bytes: &mut Buffer<'_>) -> IoResult<ChildTargets> {
    Ok(ChildTargets {
        proof: read_proof(bytes)?,
        choice: bytes.read_target_bool_vec()?,
    })
}

/// Writes the targets of a proof.
pub(crate) fn write_proof(proof: &PlonkProofTarget, bytes: &mut Vec<u8>) -> IoResult<()> {
    let PlonkProofTarget { plonky2, nonces } = proof;
    bytes.write_target_proof_with_public_inputs(plonky2)?;
    bytes.write_target(nonces.point)?;
    bytes.write_target(nonces.batch)?;
    bytes.write_target_vec(&nonces.folds)
}

/// The inverse of [`write_proof`].
pub(crate) fn read_proof(bytes: &mut Buffer<'_>) -> IoResult<PlonkProofTarget> {
    Ok(PlonkProofTarget {
        plonky2: bytes.read_target_proof_with_public_inputs::<D>()?,
        nonces: Nonces {
            point: bytes.read_target()?,
            batch: bytes.read_target()?,
            folds: bytes.read_target_vec()?,
        },
    })
}

/// Writes the keys of a tree.
pub(crate) fn write_keys(keys: &TreeKeys, bytes: &mut Vec<u8>) -> IoResult<()> {
    write_grinding(keys.form.grinding, bytes)?;
    bytes.write_common_circuit_data(&keys.form.common, &Gates)?;
    bytes.write_usize(keys.leaves.len())?;
    for key in keys.leaves.iter().chain([&keys.aggregation]) {
        bytes.write_verifier_only_circuit_data(key)?;
    }
    Ok(())
}

/// The inverse of [`write_keys`].
pub(crate) fn read_keys(bytes: &mut Buffer<'_>) -> IoResult<TreeKeys> {
    let grinding = read_grinding(bytes)?;
    let common = bytes.read_common_circuit_data(&Gates)?;
    Ok(TreeKeys {
        form: TreeForm { common, grinding },
        leaves: (0..bytes.read_usize()?)
            .map(|_| bytes.read_verifier_only_circuit_data())
            .collect::<IoResult<_>>()?,
        aggregation: bytes.read_verifier_only_circuit_data()?,
    })
}
