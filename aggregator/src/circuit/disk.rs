//! The fold circuit as bytes for the [cache](Cached).

use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};

use super::FoldCircuit;
use super::{FoldTargets, Slot};
use shardfold_recursion::plonk::{Circuit, D};
use shardfold_recursion::serializers::{Cached, Gates, Generators};

impl Cached for FoldCircuit {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        write(self, &mut bytes).ok()?;
        Some(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        read(&mut Buffer::new(bytes)).ok()
    }

    fn circuit(&self) -> &Circuit {
        &self.circuit
    }
}

fn write(fold: &FoldCircuit, bytes: &mut Vec<u8>) -> IoResult<()> {
    bytes.write_target_verifier_circuit(&fold.targets.key)?;
    bytes.write_usize(fold.targets.slots.len())?;
    for slot in &fold.targets.slots {
        bytes.write_target_proof_with_public_inputs(&slot.proof)?;
        bytes.write_target_bool_vec(&slot.choice)?;
        bytes.write_target_bool(slot.present)?;
    }
    bytes.write_usize(fold.leaf_keys.len())?;
    for key in &fold.leaf_keys {
        bytes.write_verifier_only_circuit_data(key)?;
    }
    bytes.write_circuit_data(&fold.circuit, &Gates, &Generators)
}

fn read(bytes: &mut Buffer<'_>) -> IoResult<FoldCircuit> {
    let key = bytes.read_target_verifier_circuit()?;
    let slots = (0..bytes.read_usize()?)
        .map(|_| {
            Ok(Slot {
                proof: bytes.read_target_proof_with_public_inputs::<D>()?,
                choice: bytes.read_target_bool_vec()?,
                present: bytes.read_target_bool()?,
            })
        })
        .collect::<IoResult<_>>()?;
    let leaf_keys = (0..bytes.read_usize()?)
        .map(|_| bytes.read_verifier_only_circuit_data())
        .collect::<IoResult<_>>()?;
    let circuit = bytes.read_circuit_data(&Gates, &Generators)?;
    Ok(FoldCircuit {
        circuit,
        targets: FoldTargets { slots, key },
        leaf_keys,
    })
}
