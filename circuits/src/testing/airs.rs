//! What is proven in a test: chips, perhaps with something taken out, and counterparties.

use std::borrow::Cow;
use std::collections::BTreeMap;

use p3_air::{Air, BaseAir, WindowAccess};
use p3_batch_stark::{
    BatchVerificationError, PcsError, ProverData, StarkInstance, prove_batch, verify_batch,
};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::Count;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_util::log2_strict_usize;

use super::removal::{Removal, eval_without, without_rule};
use super::{ChipTrace, UNSOUND};
use crate::bus::ChipBuilder;
use crate::check::{Leftover, Report, Table, check};
use crate::chips::Chip;
use shardfold_protocol::field::F;
use shardfold_recursion::config::Config;

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
    Chip(Chip, Option<Removal>),
    Counterparty(Counterparty),
}

impl TestAir {
    fn base(&self) -> &dyn BaseAir<F> {
        match self {
            Self::Chip(chip, _) => chip,
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

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
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
            Self::Chip(chip, removal) => eval_without(chip, builder, *removal),
            Self::Counterparty(counterparty) => counterparty.eval(builder),
        }
    }
}

/// What the checker finds wrong with these chips without what is taken out.
#[must_use]
pub fn report_without(chips: &[ChipTrace], removal: Option<Removal>) -> Report {
    let airs: Vec<TestAir> = test_airs(chips, &[], removal);
    let tables = airs.iter().zip(chips).map(|(air, chip)| Table {
        name: chip.chip.name(),
        air,
        trace: &chip.trace,
        public_values: &chip.public_values,
    });
    check(&tables.collect::<Vec<_>>())
}

fn test_airs(
    chips: &[ChipTrace],
    counterparties: &[Counterparty],
    removal: Option<Removal>,
) -> Vec<TestAir> {
    let chips = chips.iter();
    let chips = chips.map(|chip| TestAir::Chip(without_rule(&chip.chip, removal), removal));
    let counterparties = counterparties.iter().cloned().map(TestAir::Counterparty);
    chips.chain(counterparties).collect()
}

/// Trace and public values, in the order of [`test_airs`].
fn parts<'a>(
    chips: &'a [ChipTrace],
    counterparties: &'a [Counterparty],
) -> impl Iterator<Item = (&'a RowMajorMatrix<F>, &'a [F])> {
    let chips = chips.iter();
    let chips = chips.map(|chip| (&chip.trace, chip.public_values.as_slice()));
    let counterparties = counterparties.iter();
    chips.chain(counterparties.map(|counterparty| (&counterparty.trace, [].as_slice())))
}

/// Proves and verifies chips, without what is taken out, and counterparties in one STARK.
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
    removal: Option<Removal>,
) -> Result<(), BatchVerificationError<PcsError<Config>>> {
    let config = UNSOUND.config();
    let airs = test_airs(chips, counterparties, removal);
    let instances: Vec<StarkInstance<'_, Config, TestAir>> = airs
        .iter()
        .zip(parts(chips, counterparties))
        .map(|(air, (trace, public_values))| StarkInstance {
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
