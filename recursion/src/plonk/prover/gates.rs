//! The gates' constraints at a batch of points.
//!
//! plonky2 puts the gates, by rising degree, into groups, each with one selector: a column of
//! constants that holds the gate's index in the rows of the group's gates and [`UNUSED`] in the
//! others. A gate's constraints are multiplied by a polynomial in its selector that is zero for
//! every other value, so a group may be as large as the degree of the constraints allows.

use core::ops::Range;

use plonky2::field::packable::Packable;
use plonky2::field::packed::PackedField;
use plonky2::field::types::Field as _;
use plonky2::plonk::vars::EvaluationVarsBaseBatch;

use crate::plonk::gates::{Selectors, UnsupportedCircuit};
use crate::plonk::{CommonData, PlonkField};

/// Several points that are computed on at once.
pub type Packed = <PlonkField as Packable>::Packing;

/// The selector's value in rows of other groups.
const UNUSED: usize = u32::MAX as usize;

/// The gates of a circuit, each with its filter.
pub struct Gates<'a> {
    common: &'a CommonData,
    selectors: Selectors,
}

impl<'a> Gates<'a> {
    /// Reads the gates' groups.
    pub fn new(common: &'a CommonData) -> Result<Self, UnsupportedCircuit> {
        let selectors = Selectors::new(common)?;
        Ok(Self { common, selectors })
    }

    /// Returns the constraints at the points of a batch: all values of the first, then those of
    /// the next. `constants` begins with the selectors.
    pub fn evaluate(&self, vars: EvaluationVarsBaseBatch<'_, PlonkField>) -> Vec<Packed> {
        let packs = vars.len() / Packed::WIDTH;
        let mut constraints = vec![Packed::ZEROS; self.common.num_gate_constraints * packs];
        let mut gate_vars = vars;
        gate_vars.remove_prefix(self.selectors.count);
        let selectors = Packed::pack_slice(vars.local_constants);
        for (index, gate, selector, group) in self.selectors.gates(self.common) {
            if gate.0.num_constraints() == 0 {
                continue;
            }
            let values = gate.0.eval_unfiltered_base_batch(gate_vars);
            let filter = self.filter(&group, index, &selectors[selector * packs..][..packs]);
            let values = Packed::pack_slice(&values).chunks_exact(packs);
            for (sums, values) in constraints.chunks_exact_mut(packs).zip(values) {
                let terms = values.iter().zip(&filter);
                for (sum, (&value, &filter)) in sums.iter_mut().zip(terms) {
                    *sum += value * filter;
                }
            }
        }
        constraints
    }

    /// Returns the polynomial of gate `index` in its selector's values.
    fn filter(&self, group: &Range<usize>, index: usize, selector: &[Packed]) -> Vec<Packed> {
        let others = group.clone().filter(|&other| other != index);
        let unused = (self.selectors.count > 1).then_some(UNUSED);
        let values: Vec<_> = others
            .chain(unused)
            .map(PlonkField::from_canonical_usize)
            .collect();
        let product = |&selector: &Packed| {
            let factors = values.iter().map(|&value| Packed::from(value) - selector);
            factors.fold(Packed::ONES, |product, factor| product * factor)
        };
        selector.iter().map(product).collect()
    }
}
