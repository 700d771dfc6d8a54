//! The aggregation circuit as bytes for the [cache](Cached).

use plonky2::iop::target::Target;
use plonky2::util::serialization::{Buffer, IoError, IoResult, Read as _, Write as _};

use super::AggregationCircuit;
use super::{AggregationTargets, Slot};
use shardfold_recursion::plonk::{Circuit, D, Grinding, Nonces, PlonkProofTarget};
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
        bytes.write_target_proof_with_public_inputs(&slot.proof.plonky2)?;
        let nonces: Vec<_> = slot.proof.nonces.all().copied().collect();
        bytes.write_target_vec(&nonces)?;
        bytes.write_target_bool_vec(&slot.choice)?;
        bytes.write_target_bool(slot.present)?;
    }
    bytes.write_usize(circuit.leaf_keys.len())?;
    for key in &circuit.leaf_keys {
        bytes.write_verifier_only_circuit_data(key)?;
    }
    let Grinding { point, batch, fold } = circuit.grinding;
    for bits in [point, batch, fold] {
        bytes.write_u32(bits)?;
    }
    bytes.write_circuit_data(&circuit.circuit, &Gates, &Generators)
}

fn read(bytes: &mut Buffer<'_>) -> IoResult<AggregationCircuit> {
    let key = bytes.read_target_verifier_circuit()?;
    let slots = (0..bytes.read_usize()?)
        .map(|_| {
            Ok(Slot {
                proof: PlonkProofTarget {
                    plonky2: bytes.read_target_proof_with_public_inputs::<D>()?,
                    nonces: read_nonces(bytes)?,
                },
                choice: bytes.read_target_bool_vec()?,
                present: bytes.read_target_bool()?,
            })
        })
        .collect::<IoResult<_>>()?;
    let leaf_keys = (0..bytes.read_usize()?)
        .map(|_| bytes.read_verifier_only_circuit_data())
        .collect::<IoResult<_>>()?;
    let grinding = Grinding {
        point: bytes.read_u32()?,
        batch: bytes.read_u32()?,
        fold: bytes.read_u32()?,
    };
    let circuit = bytes.read_circuit_data(&Gates, &Generators)?;
    Ok(AggregationCircuit {
        circuit,
        targets: AggregationTargets { slots, key },
        leaf_keys,
        grinding,
    })
}

fn read_nonces(bytes: &mut Buffer<'_>) -> IoResult<Nonces<Target>> {
    match bytes.read_target_vec()?.as_slice() {
        &[point, batch, ref folds @ ..] => Ok(Nonces {
            point,
            batch,
            folds: folds.to_vec(),
        }),
        _ => Err(IoError),
    }
}
