//! What the prover knows of a table before it sees a trace.

use p3_air::BaseAir as _;
use p3_air::symbolic::{AirLayout, ConstraintLayout};
use p3_batch_stark::symbolic::{get_constraint_layout, get_max_constraint_degree};
use p3_commit::PolynomialSpace as _;
use p3_field::PrimeCharacteristicRing;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_lookup::{LogUpGadget, Lookup};
use shardfold_circuits::chips::Chip;
use shardfold_protocol::field::F;
use shardfold_recursion::config::{EF, StarkParameters};

use super::StarkError;
use super::lookups::Lookups;

/// The points at which a polynomial's values are known.
pub(super) type Domain = TwoAdicMultiplicativeCoset<F>;

/// One table of the STARK.
pub(super) struct Table {
    pub(super) log_height: usize,
    /// log2 of how many polynomials of the table's height the quotient is cut into.
    pub(super) log_chunks: usize,
    pub(super) lookups: Lookups,
    /// The order in which powers of the challenge are given to the constraints.
    pub(super) constraints: ConstraintLayout,
}

impl Table {
    /// Compiles a chip.
    pub(super) fn new(
        chip: &Chip,
        log_height: usize,
        lookups: &[Lookup<F>],
        parameters: &StarkParameters,
    ) -> Result<Self, StarkError> {
        let declared = chip.max_constraint_degree().unwrap_or_default();
        let degree = max_degree(chip, log_height, lookups).max(declared);
        let log_chunks = quotient_chunks(degree).ilog2() as usize;
        // The quotient is computed where the columns are known.
        if log_chunks > parameters.log_blowup {
            return Err(StarkError::Degree {
                chip: chip.name(),
                found: log_chunks,
                most: parameters.log_blowup,
            });
        }
        let layout = AirLayout::from_air(chip);
        Ok(Self {
            log_height,
            log_chunks,
            lookups: Lookups::new(lookups).ok_or(StarkError::Lookup { chip: chip.name() })?,
            constraints: get_constraint_layout::<F, EF, _, _>(
                chip,
                layout,
                lookups,
                &LogUpGadget::new(),
            ),
        })
    }

    /// The rows as points.
    pub(super) fn domain(&self) -> Domain {
        domain(F::ONE, self.log_height)
    }

    /// Where the quotient is computed: the first of the points of the extended columns.
    pub(super) fn quotient_domain(&self) -> Domain {
        let size = 1 << (self.log_height + self.log_chunks);
        self.domain().create_disjoint_domain(size)
    }
}

/// The greatest degree of a chip's constraints, those of its lookups among them.
pub(super) fn max_degree(chip: &Chip, log_height: usize, lookups: &[Lookup<F>]) -> usize {
    let gadget = LogUpGadget::new();
    let layout = AirLayout::from_air(chip);
    get_max_constraint_degree::<F, EF, _, _>(chip, layout, 1 << log_height, lookups, &gadget)
}

/// Into how many polynomials of a table's height the quotient of its constraints is cut.
pub(super) fn quotient_chunks(degree: usize) -> usize {
    (degree.max(2) - 1).next_power_of_two()
}

fn domain(shift: F, log_size: usize) -> Domain {
    TwoAdicMultiplicativeCoset::new(shift, log_size).expect("a table is below the field's limit")
}
