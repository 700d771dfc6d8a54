//! Tests of chips, alone or a few together, against the real prover and verifier.
//!
//! A chip alone leaves its buses unbalanced. A [`Counterparty`] stands in for all other
//! chips: it sends and receives exactly what is left over. With a counterparty made for the
//! corrupted trace only the chip's own constraints can refuse it; with one made for the
//! honest trace a corrupted one is refused by the bus.

use std::collections::BTreeMap;

use p3_air::symbolic::AirLayout;
use p3_air::{Air, BaseAir, WindowAccess};
use p3_batch_stark::symbolic::get_max_constraint_degree;
use p3_batch_stark::{
    BatchVerificationError, PcsError, ProverData, StarkInstance, VerificationError, prove_batch,
    verify_batch,
};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, LogUpGadget, LookupError};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_util::log2_strict_usize;

use crate::bus::ChipBuilder;
use crate::check::{Leftover, Report, Table, check};
use crate::chips::Chip;
use shardfold_protocol::field::F;
use shardfold_recursion::config::{Config, EF, StarkParameters};

/// Parameters that are sound for nobody: a wrong constraint still fails, since it is seen at
/// a random point, but a prover who cheats in FRI is hardly asked.
pub const UNSOUND: StarkParameters = StarkParameters {
    log_blowup: 1,
    queries: 2,
    max_log_arity: 3,
    log_final_poly_len: 0,
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

    /// One cell.
    pub fn cell_mut(&mut self, row: usize, column: usize) -> &mut F {
        &mut self.trace.row_mut(row)[column]
    }

    fn table(&self) -> Table<'_, Chip> {
        Table {
            name: self.chip.name(),
            air: &self.chip,
            trace: &self.trace,
            public_values: &self.public_values,
        }
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
/// If the preprocessed trace has another height.
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
    check(&chips.iter().map(ChipTrace::table).collect::<Vec<_>>())
}

/// All chips hold and the verifier accepts, given counterparties for what they leave over.
///
/// # Panics
///
/// If the checker or the verifier refuses.
pub fn accepts(chips: &[ChipTrace]) {
    let report = report(chips);
    assert!(report.violations.is_empty(), "{report}");
    let result = prove_and_verify(chips, &Counterparty::for_leftovers(&report.leftovers));
    assert!(result.is_ok(), "{result:?}");
}

/// A constraint of one of the chips refuses, with all buses balanced by counterparties.
///
/// # Panics
///
/// If the checker finds no violated constraint or the verifier accepts.
pub fn constraints_refuse(chips: &[ChipTrace]) {
    let report = report(chips);
    assert!(
        !report.violations.is_empty(),
        "all constraints hold\n{report}"
    );
    let result = prove_and_verify(chips, &Counterparty::for_leftovers(&report.leftovers));
    let refused = matches!(
        result,
        Err(BatchVerificationError::Verification(
            VerificationError::OodEvaluationMismatch { .. }
        ))
    );
    assert!(refused, "{result:?}\n{report}");
}

/// Every constraint of the mutated chips holds and every other bus balances, yet the verifier
/// refuses: on `bus` the others still say what they would say to the honest chips.
///
/// # Panics
///
/// If a constraint is violated, the bus balances, or the verifier accepts.
pub fn bus_refuses(bus: &str, honest: &[ChipTrace], mutated: &[ChipTrace]) {
    let (honest, report) = (report(honest), report(mutated));
    assert!(honest.violations.is_empty(), "honest: {honest}");
    assert!(report.violations.is_empty(), "{report}");
    let on_bus = |report: &Report| -> Vec<Leftover> {
        let leftovers = report.leftovers.iter();
        leftovers.filter(|l| l.bus == bus).cloned().collect()
    };
    let nets = |leftovers: &[Leftover]| -> Vec<(Vec<F>, F)> {
        let messages = leftovers.iter();
        messages.map(|l| (l.fields.clone(), l.net)).collect()
    };
    let answered = on_bus(&honest);
    assert_ne!(
        nets(&answered),
        nets(&on_bus(&report)),
        "the bus balances\n{report}"
    );

    let others = report.leftovers.iter().filter(|l| l.bus != bus).cloned();
    let leftovers: Vec<Leftover> = others.chain(answered).collect();
    let result = prove_and_verify(mutated, &Counterparty::for_leftovers(&leftovers));
    let refused = matches!(
        result,
        Err(BatchVerificationError::Lookup(
            LookupError::TerminalSumNonZero
        ))
    );
    assert!(refused, "{result:?}\n{report}");
}

/// Stands in for all other chips on one bus: arbitrary messages, nothing constrained.
#[derive(Clone, Debug)]
pub struct Counterparty {
    bus: String,
    width: usize,
    trace: RowMajorMatrix<F>,
}

impl Counterparty {
    /// One for each bus, which makes it balance.
    #[must_use]
    pub fn for_leftovers(leftovers: &[Leftover]) -> Vec<Self> {
        let mut rows: BTreeMap<&str, Vec<F>> = BTreeMap::new();
        let mut widths: BTreeMap<&str, usize> = BTreeMap::new();
        for left in leftovers {
            let bus = rows.entry(&left.bus).or_default();
            bus.extend(&left.fields);
            bus.push(-left.net);
            widths.insert(&left.bus, left.fields.len() + 1);
        }
        rows.into_iter()
            .map(|(bus, mut values)| {
                let width = widths[bus];
                // A power of two, and not too low for the low-degree test.
                let height = (values.len() / width).next_power_of_two().max(4);
                values.resize(height * width, F::ZERO);
                Self {
                    bus: bus.to_owned(),
                    width,
                    trace: RowMajorMatrix::new(values, width),
                }
            })
            .collect()
    }
}

/// What is proven in a test.
#[derive(Clone, Debug)]
enum TestAir {
    Chip(Chip),
    Counterparty(Counterparty),
}

impl TestAir {
    fn base(&self) -> &dyn BaseAir<F> {
        match self {
            Self::Chip(chip) => chip,
            Self::Counterparty(counterparty) => counterparty,
        }
    }
}

impl BaseAir<F> for Counterparty {
    fn width(&self) -> usize {
        self.width
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: ChipBuilder> Air<AB> for Counterparty {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let (multiplicity, fields) = main
            .current_slice()
            .split_last()
            .expect("the multiplicity is a column");
        // The bound feeds only the check against overflow, which a stand-in is not to fail.
        let count = Count::provided((*multiplicity).into());
        builder.push_interaction(&self.bus, fields.iter().copied(), count);
    }
}

impl BaseAir<F> for TestAir {
    fn width(&self) -> usize {
        self.base().width()
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        self.base().preprocessed_trace()
    }

    fn preprocessed_width(&self) -> usize {
        self.base().preprocessed_width()
    }

    fn num_periodic_columns(&self) -> usize {
        self.base().num_periodic_columns()
    }

    fn periodic_columns(&self) -> std::borrow::Cow<'_, [Vec<F>]> {
        self.base().periodic_columns()
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        self.base().main_next_row_columns()
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        self.base().preprocessed_next_row_columns()
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        self.base().max_constraint_degree()
    }

    fn num_public_values(&self) -> usize {
        self.base().num_public_values()
    }
}

impl<AB: ChipBuilder> Air<AB> for TestAir {
    fn eval(&self, builder: &mut AB) {
        match self {
            Self::Chip(chip) => chip.eval(builder),
            Self::Counterparty(counterparty) => counterparty.eval(builder),
        }
    }
}

fn test_airs(chips: &[ChipTrace], counterparties: &[Counterparty]) -> Vec<TestAir> {
    let chips = chips.iter().map(|chip| TestAir::Chip(chip.chip.clone()));
    let counterparties = counterparties.iter().cloned().map(TestAir::Counterparty);
    chips.chain(counterparties).collect()
}

/// Name, trace and public values, in the order of [`test_airs`].
fn parts<'a>(
    chips: &'a [ChipTrace],
    counterparties: &'a [Counterparty],
) -> impl Iterator<Item = (&'a str, &'a RowMajorMatrix<F>, &'a [F])> {
    let chips = chips
        .iter()
        .map(|c| (c.chip.name(), &c.trace, c.public_values.as_slice()));
    let counterparties = counterparties
        .iter()
        .map(|c| ("counterparty", &c.trace, [].as_slice()));
    chips.chain(counterparties)
}

/// Proves and verifies chips and counterparties in one STARK.
///
/// # Errors
///
/// What the verifier says.
///
/// # Panics
///
/// If the prover fails: it proves bad traces too, since the dependencies are built without
/// debug assertions.
pub fn prove_and_verify(
    chips: &[ChipTrace],
    counterparties: &[Counterparty],
) -> Result<(), BatchVerificationError<PcsError<Config>>> {
    let config = UNSOUND.config();
    let airs = test_airs(chips, counterparties);
    let instances: Vec<StarkInstance<'_, Config, TestAir>> = airs
        .iter()
        .zip(parts(chips, counterparties))
        .map(|(air, (_, trace, public_values))| StarkInstance {
            air,
            trace,
            public_values: public_values.to_vec(),
        })
        .collect();
    let degree_bits: Vec<usize> = instances
        .iter()
        .map(|instance| log2_strict_usize(instance.trace.height()))
        .collect();
    let data = ProverData::from_airs_and_degrees(&config, &airs, &degree_bits)
        .expect("preprocessed traces are committed to");
    let proof = prove_batch(&config, &instances, &data).expect("the prover does not look");
    let public_values: Vec<Vec<F>> = instances.into_iter().map(|i| i.public_values).collect();
    verify_batch(&config, &airs, &proof, &public_values, &data.common)
}

/// The constraints of one chip numbered `constraints` (its order of `eval`, from 0) refuse,
/// and no other constraint does: the mutation shows that just these are needed.
///
/// # Panics
///
/// If another constraint is violated too, or none, or the verifier accepts.
pub fn only_these_refuse(chips: &[ChipTrace], chip: &str, constraints: std::ops::Range<usize>) {
    let report = report(chips);
    let mut violations = report.violations.iter();
    let only = violations.all(|v| v.table == chip && constraints.contains(&v.constraint));
    assert!(only, "others than {constraints:?}\n{report}");
    constraints_refuse(chips);
}
