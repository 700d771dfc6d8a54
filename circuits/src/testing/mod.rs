//! Tests of chips, alone or a few together, against the real prover and verifier.
//!
//! A chip alone leaves its buses unbalanced. A [`Counterparty`] stands in for all other
//! chips: it sends and receives exactly what is left over. With a counterparty made for the
//! corrupted trace only the chip's own constraints can refuse it; with one made for the
//! honest trace a corrupted one is refused by the bus.
//!
//! `README.md` says how constraints are taken out one at a time.

use p3_air::BaseAir;
use p3_air::symbolic::AirLayout;
use p3_batch_stark::ProverData;
use p3_batch_stark::symbolic::get_max_constraint_degree;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::LogUpGadget;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::hash::compress_block;

use crate::check::Report;
use crate::chips::Chip;
use shardfold_protocol::field::F;
use shardfold_recursion::config::{EF, StarkParameters};

mod airs;
mod cheat;
mod points;
mod refusals;
mod removal;

pub use airs::report_without;
pub use cheat::{Cheat, RefusedBy, cheats_of, is_served, nets};
pub use points::{COEFFICIENTS, beside, nth, unit};
pub use refusals::{
    accepts, bus_refuses, checker_refuses, constraints_refuse, one_constraint_refuses,
    only_these_refuse, table_refuses,
};
pub use removal::{Inventory, MessageKind, Removal, Said};

/// Parameters without soundness: a wrong constraint still fails, since it is seen at
/// a random point, but a prover who cheats in FRI is hardly asked. Trees of one root: a table of
/// any height is looked at.
pub const UNSOUND: StarkParameters = StarkParameters {
    log_blowup: 1,
    queries: 2,
    max_log_arity: 3,
    log_final_poly_len: 0,
    log_cap: 0,
    query_grinding: 0,
    fold_grinding: 0,
    batch_grinding: 0,
    point_grinding: 0,
    lookup_grinding: 0,
};

/// A chip with a trace.
#[derive(Clone, Debug)]
pub struct ChipTrace {
    /// The chip.
    pub chip: Chip,
    /// Its rows.
    pub trace: RowMajorMatrix<F>,
    /// Its public values.
    pub public_values: Vec<F>,
}

impl ChipTrace {
    /// A chip without public values.
    #[must_use]
    pub fn new(chip: Chip, trace: RowMajorMatrix<F>) -> Self {
        Self::with_public_values(chip, trace, vec![])
    }

    /// A chip with public values.
    #[must_use]
    pub fn with_public_values(chip: Chip, trace: RowMajorMatrix<F>, public_values: Vec<F>) -> Self {
        Self {
            chip,
            trace,
            public_values,
        }
    }

    /// A copy in which one cell is overwritten.
    #[must_use]
    pub fn with_cell(&self, row: usize, column: usize, value: F) -> Self {
        let mut copy = self.clone();
        *copy.cell_mut(row, column) = value;
        copy
    }

    /// Whether each row has at most one selector: the prover stops at others.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        let Chip::Transaction(chip) = &self.chip else {
            return true;
        };
        let layout = chip.contracts.layout();
        let selectors = layout.selector(0)..layout.carried_at();
        let mut rows = self.trace.values.chunks_exact(self.trace.width);
        rows.all(|row| {
            let mut set = row[selectors.clone()]
                .iter()
                .filter(|&&flag| flag != F::ZERO);
            set.next().is_none_or(|&flag| flag == F::ONE) && set.next().is_none()
        })
    }

    /// One cell.
    pub fn cell_mut(&mut self, row: usize, column: usize) -> &mut F {
        &mut self.trace.row_mut(row)[column]
    }
}

/// What a chip costs: a row has `main + 2 * permutation` cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Columns of the main trace.
    pub main: usize,
    /// Columns over the extension field, two cells each, for the buses.
    pub permutation: usize,
    /// The largest degree of a constraint, those of the buses included.
    pub degree: usize,
}

/// Measures a chip of a given height.
///
/// # Panics
///
/// If the chip has a preprocessed trace, of another height.
#[must_use]
pub fn cost(chip: &Chip, log_height: usize) -> Cost {
    let airs = [chip.clone()];
    let data = ProverData::from_airs_and_degrees(&UNSOUND.config(), &airs, &[log_height])
        .expect("preprocessed traces are committed to");
    let lookups = &data.common.lookups[0];
    let layout = AirLayout::from_air(chip);
    let gadget = LogUpGadget::new();
    let height = 1 << log_height;
    Cost {
        main: chip.width(),
        permutation: if lookups.is_empty() {
            0
        } else {
            lookups.len() + 1
        },
        degree: get_max_constraint_degree::<F, EF, _, _>(chip, layout, height, lookups, &gadget),
    }
}

/// What is wrong with these chips, as seen by the checker, without counterparties.
#[must_use]
pub fn report(chips: &[ChipTrace]) -> Report {
    report_without(chips, None)
}

/// Computes anew the digests in some cells of a row, one after the other, from what the row
/// hashes into each of them.
///
/// # Panics
///
/// If the row does not ask for one of the digests.
pub fn rehash(chip: &mut ChipTrace, row: usize, digests: &[[usize; 4]]) {
    for cells in digests {
        let digest = cells.map(|cell| *chip.cell_mut(row, cell));
        let asked = report(std::slice::from_ref(chip)).leftovers;
        let asked = asked.iter().find(|left| {
            left.bus == "hash" && left.fields[8..] == digest && left.touches[0].row == row
        });
        let fields = &asked.expect("the row asks for it").fields;
        let input = core::array::from_fn(|i| fields[i]);
        for (cell, value) in cells.iter().zip(compress_block(&input)) {
            *chip.cell_mut(row, *cell) = value;
        }
    }
}
