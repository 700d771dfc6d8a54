//! The constraints of the gates, each times its selector's filter: plonky2 evaluates them one gate
//! at a time, and adds them up in functions that it does not export.

use core::ops::Range;

use plonky2::field::types::Field as _;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::plonk::vars::{EvaluationTargets, EvaluationVars};
use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};

use super::vanishing::{Algebra as _, Values};
use super::{Builder, CommonData, D, Extension, Gate};

/// A circuit that blinds its polynomials or looks values up; the system has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the circuit has blinded polynomials or lookups, which no circuit of the system has")]
pub struct UnsupportedCircuit;

/// Where each gate's selector stands.
#[derive(Clone, Debug)]
pub(super) struct Selectors {
    /// For each gate in order, its selector polynomial and the gates that share it.
    of_gates: Vec<(usize, Range<usize>)>,
    /// How many selector polynomials there are.
    pub count: usize,
}

impl Selectors {
    /// Reads the selectors from common data, which the system knows: without blinding or lookups.
    pub fn new(common: &CommonData) -> Result<Self, UnsupportedCircuit> {
        if common.fri_params.hiding || common.num_lookup_polys != 0 {
            return Err(UnsupportedCircuit);
        }
        let selectors = Self::read(common).map_err(|_| UnsupportedCircuit)?;
        match selectors.of_gates.len() == common.gates.len() {
            true => Ok(selectors),
            false => Err(UnsupportedCircuit),
        }
    }

    /// plonky2 shows these fields as bytes only.
    fn read(common: &CommonData) -> IoResult<Self> {
        let mut bytes = Vec::new();
        bytes.write_selectors_info(&common.selectors_info)?;
        let mut bytes = Buffer::new(&bytes);
        let indices = bytes.read_usize_vec()?;
        let count = bytes.read_usize()?;
        let groups = (0..count)
            .map(|_| Ok(bytes.read_usize()?..bytes.read_usize()?))
            .collect::<IoResult<Vec<_>>>()?;
        let group = |&index: &usize| Some((index, groups.get(index)?.clone()));
        let of_gates = indices.iter().filter_map(group).collect();
        Ok(Self { of_gates, count })
    }

    /// Returns each gate with its number, its selector and the gates that share it.
    pub fn gates<'a>(
        &'a self,
        common: &'a CommonData,
    ) -> impl Iterator<Item = (usize, &'a Gate, usize, Range<usize>)> {
        let gates = common.gates.iter().zip(&self.of_gates).enumerate();
        gates.map(|(i, (gate, (selector, group)))| (i, gate, *selector, group.clone()))
    }
}

/// Returns the constraints of all gates, added up place by place.
pub(super) fn gate_constraints(
    common: &CommonData,
    selectors: &Selectors,
    vars: EvaluationVars<'_, super::PlonkField, D>,
) -> Vec<Extension> {
    let mut sums = vec![Extension::ZERO; common.num_gate_constraints];
    for (i, gate, selector, group) in selectors.gates(common) {
        let values = gate
            .0
            .eval_filtered(vars, i, selector, group, selectors.count, 0);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = Values.add(*sum, value);
        }
    }
    sums
}

/// Lays out the constraints of all gates, added up place by place.
pub(super) fn gate_constraints_circuit(
    builder: &mut Builder,
    common: &CommonData,
    selectors: &Selectors,
    vars: EvaluationTargets<'_, D>,
) -> Vec<ExtensionTarget<D>> {
    let mut sums = vec![builder.zero_extension(); common.num_gate_constraints];
    for (i, gate, selector, group) in selectors.gates(common) {
        let count = selectors.count;
        let sums = &mut sums;
        gate.0
            .eval_filtered_circuit(builder, vars, i, selector, group, count, 0, sums);
    }
    sums
}
