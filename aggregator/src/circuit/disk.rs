//! The aggregation circuit as bytes for the [cache](Cached).

use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};

use super::AggregationCircuit;
use super::{AggregationTargets, Slot};
use shardfold_recursion::plonk::{Circuit, D};
use shardfold_recursion::serializers::{Cached, Gates, Generators};

impl Cached for AggregationCircuit {
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

fn write(circuit: &AggregationCircuit, bytes: &mut Vec<u8>) -> IoResult<()> {
    bytes.write_target_verifier_circuit(&circuit.targets.key)?;
    bytes.write_usize(circuit.targets.slots.len())?;
    for slot in &circuit.targets.slots {
        bytes.write_target_proof_with_public_inputs(&slot.proof)?;
        bytes.write_target_bool_vec(&slot.choice)?;
        bytes.write_target_bool(slot.present)?;
    }
    bytes.write_usize(circuit.leaf_keys.len())?;
    for key in &circuit.leaf_keys {
        bytes.write_verifier_only_circuit_data(key)?;
    }
    bytes.write_circuit_data(&circuit.circuit, &Gates, &Generators)
}

fn read(bytes: &mut Buffer<'_>) -> IoResult<AggregationCircuit> {
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
    Ok(AggregationCircuit {
        circuit,
        targets: AggregationTargets { slots, key },
        leaf_keys,
    })
}
