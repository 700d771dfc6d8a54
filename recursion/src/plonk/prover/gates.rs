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

use super::unsupported;
use crate::plonk::{CommonData, Gate, PlonkError, PlonkField};

/// Several points that are computed on at once.
pub type Packed = <PlonkField as Packable>::Packing;

/// The selector's value in rows of other groups.
const UNUSED: usize = u32::MAX as usize;

/// The gates of a circuit, each with its filter.
pub struct Gates<'a> {
    common: &'a CommonData,
    /// The indices of the gates that share each selector.
    groups: Vec<Range<usize>>,
}

impl<'a> Gates<'a> {
    /// Groups the gates as plonky2 does.
    pub fn new(common: &'a CommonData) -> Result<Self, PlonkError> {
        let gates = &common.gates;
        let max_degree = common.quotient_degree_factor + 1;
        let largest = gates.iter().map(|gate| gate.0.degree()).max();
        let mut groups = vec![];
        if largest.unwrap_or_default() + gates.len() <= max_degree + 1 {
            groups.push(0..gates.len());
        } else {
            let mut start = 0;
            while start < gates.len() {
                groups.push(group(gates, start, max_degree));
                start = groups.last().map_or(gates.len(), |group| group.end);
            }
        }
        let empty = groups.iter().any(Range::is_empty);
        if empty || groups.len() != common.selectors_info.num_selectors() {
            return Err(unsupported("gates in other groups than plonky2's"));
        }
        Ok(Self { common, groups })
    }

    /// Returns the constraints at the points of a batch: all values of the first, then those of
    /// the next. `constants` begins with the selectors.
    pub fn evaluate(&self, vars: EvaluationVarsBaseBatch<'_, PlonkField>) -> Vec<Packed> {
        let packs = vars.len() / Packed::WIDTH;
        let mut constraints = vec![Packed::ZEROS; self.common.num_gate_constraints * packs];
        let mut gate_vars = vars;
        gate_vars.remove_prefix(self.groups.len());
        let selectors = Packed::pack_slice(vars.local_constants).chunks_exact(packs);
        for (group, selector) in self.groups.iter().zip(selectors) {
            for index in group.clone() {
                let gate = &self.common.gates[index].0;
                if gate.num_constraints() == 0 {
                    continue;
                }
                let values = gate.eval_unfiltered_base_batch(gate_vars);
                let filter = self.filter(group, index, selector);
                let values = Packed::pack_slice(&values).chunks_exact(packs);
                for (sums, values) in constraints.chunks_exact_mut(packs).zip(values) {
                    let terms = values.iter().zip(&filter);
                    for (sum, (&value, &filter)) in sums.iter_mut().zip(terms) {
                        *sum += value * filter;
                    }
                }
            }
        }
        constraints
    }

    /// Returns the polynomial of gate `index` in its selector's values.
    fn filter(&self, group: &Range<usize>, index: usize, selector: &[Packed]) -> Vec<Packed> {
        let others = group.clone().filter(|&other| other != index);
        let unused = (self.groups.len() > 1).then_some(UNUSED);
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

/// Returns as many gates from `start` on as one selector can serve: with each, the degree of the
/// filter grows by one.
fn group(gates: &[Gate], start: usize, max_degree: usize) -> Range<usize> {
    let fits = |(size, gate): &(usize, &Gate)| size + gate.0.degree() < max_degree;
    let size = gates[start..].iter().enumerate().take_while(fits).count();
    start..start + size
}
