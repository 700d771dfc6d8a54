//! The values of all wires, in the order in which Plonky3's DFT takes them.

use p3_matrix::dense::RowMajorMatrix;
use plonky2::hash::hash_types::HashOut;
use plonky2::iop::witness::{PartitionWitness, Witness as _};
use plonky2::plonk::config::Hasher as _;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

use super::domain::to_plonky2;
use super::unsupported;
use crate::config::F;
use crate::convert::from_plonk;
use crate::plonk::{Circuit, PlonkError, PlonkField, Poseidon2Hash, Trees};

/// What the prover knows of a circuit's instance.
pub struct Witness {
    /// A row of wires for each point of Plonky3's domain.
    pub wires: RowMajorMatrix<F>,
    /// What the proof states.
    pub public_inputs: Vec<PlonkField>,
    /// Its hash, which the circuit has in its first gate.
    pub public_inputs_hash: HashOut<PlonkField>,
}

impl Witness {
    /// Reads what the circuit's generators have set.
    pub fn new<C: Trees>(
        circuit: &Circuit<C>,
        partition: &PartitionWitness<'_, PlonkField>,
    ) -> Result<Self, PlonkError> {
        let targets = circuit.prover_only.public_inputs.iter();
        let public_inputs = targets
            .map(|&target| partition.try_get_target(target))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| unsupported("a public input without a value"))?;
        Ok(Self {
            wires: rows(partition, circuit.common.degree_bits()),
            public_inputs_hash: Poseidon2Hash::hash_no_pad(&public_inputs),
            public_inputs,
        })
    }
}

/// Lays the wires out; one that nothing sets is zero. A wire's value is that of its class of
/// equal wires, which is how copy constraints hold.
fn rows(partition: &PartitionWitness<'_, PlonkField>, log_rows: usize) -> RowMajorMatrix<F> {
    let width = partition.num_wires;
    let mut values = vec![F::default(); width << log_rows];
    values
        .par_chunks_exact_mut(width)
        .enumerate()
        .for_each(|(index, row)| {
            let start = to_plonky2(index, log_rows) * width;
            let classes = &partition.representative_map[start..start + width];
            for (place, &class) in row.iter_mut().zip(classes) {
                *place = partition.values[class].map_or_else(F::default, from_plonk);
            }
        });
    RowMajorMatrix::new(values, width)
}
