//! The STARK over some chips: prover and native verifier.

use p3_air::BaseAir;
use p3_air::symbolic::AirLayout;
use p3_batch_stark::symbolic::get_symbolic_constraints;
use p3_batch_stark::{ProverData, verify_batch};
use p3_dft::Radix2DitParallel;
use p3_lookup::LogUpGadget;
use shardfold_protocol::head::OutOfBounds;
use shardfold_protocol::shape::Shape;

use shardfold_circuits::chips::Chip;
use shardfold_protocol::field::F;
use shardfold_recursion::config::{Config, EF, StarkParameters, StarkProof, ValMmcs};
use shardfold_recursion::security::StarkSize;
use shardfold_recursion::stark::{ProofShape, RecursionError, StarkVerifier};

use crate::traces::Traces;

mod fractions;
mod lanes;
mod lookups;
mod opened;
mod program;
mod prove;
mod quotient;
mod shard;
mod table;
#[cfg(test)]
mod tests;

use prove::prove;
pub use shard::ShardStark;
use table::{Table, max_degree, quotient_chunks};

/// Prover and native verifier of the STARK over some chips at fixed heights.
pub struct Stark {
    parameters: StarkParameters,
    config: Config,
    chips: Vec<Chip>,
    log_heights: Vec<usize>,
    data: ProverData<Config>,
    tables: Vec<Table>,
    /// The factors of the transforms are kept from proof to proof.
    dft: Radix2DitParallel<F>,
    mmcs: ValMmcs,
}

/// What the prover commits to for each row of a chip's table, in elements of the base field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableWidth {
    /// The chip's own columns.
    pub main: usize,
    /// The columns of the buses: one for each lookup and a sum, two elements each.
    pub permutation: usize,
    /// The chunks of the quotient polynomial, two elements each.
    pub quotient: usize,
}

impl TableWidth {
    /// Returns the number of all columns.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.main + self.permutation + self.quotient
    }
}

/// Why a shard's STARK could not be made or is refused.
#[derive(Debug, thiserror::Error)]
pub enum StarkError {
    /// The shape is beyond all bounds.
    #[error("found the shape {found:?}, expected one within the bounds of a shape")]
    Shape {
        /// The shape found.
        found: Shape,
    },
    /// A table or a round is lower than the caps of the commitments, or the STARK is outside what
    /// its verifier supports in another way.
    #[error(transparent)]
    Unsupported(#[from] RecursionError),
    /// The prover gave up.
    #[error("the STARK cannot be proven: {0}")]
    Prove(Box<dyn std::error::Error + Send + Sync>),
    /// A chip has a table that is committed to before everything else, which this prover does not.
    #[error("`{chip}` has {found} preprocessed columns, expected none")]
    Preprocessed {
        /// Name of the chip.
        chip: &'static str,
        /// Its preprocessed columns.
        found: usize,
    },
    /// What a chip says depends on a column that only constraints may depend on.
    #[error("`{chip}` says on a bus what depends on a periodic column")]
    Lookup {
        /// Name of the chip.
        chip: &'static str,
    },
    /// The constraints of a chip are of too high a degree for the blow-up.
    #[error("the quotient of `{chip}` takes 2^{found} tables, expected at most 2^{most}")]
    Degree {
        /// Name of the chip.
        chip: &'static str,
        /// log2 of the polynomials into which the quotient is cut.
        found: usize,
        /// log2 of the blow-up.
        most: usize,
    },
    /// The traces are of another shape.
    #[error("the trace of `{chip}` has {found} rows, expected {expected}")]
    Height {
        /// Name of the chip.
        chip: &'static str,
        /// Rows of the trace.
        found: usize,
        /// Rows of the chip in the shape.
        expected: usize,
    },
    /// The proof claims other heights than the shape's.
    #[error("the proof is of heights (log2) {found:?}, expected {expected:?}")]
    Heights {
        /// log2 of the tables' heights in the proof.
        found: Vec<usize>,
        /// log2 of the tables' heights in the shape.
        expected: Vec<usize>,
    },
    /// The statement could be taken for another one.
    #[error(transparent)]
    Statement(#[from] OutOfBounds),
    /// The verifier refuses.
    #[error("the STARK does not verify: {0}")]
    Verify(Box<dyn std::error::Error + Send + Sync>),
}

impl Stark {
    /// Returns the STARK over chips, each with log2 of its rows.
    ///
    /// # Errors
    /// If a chip has preprocessed columns, or no circuit verifies such a STARK: see
    /// [`ProofShape::new`]. The native verifier has no check of its own that every matrix is as
    /// high as a cap.
    pub fn new(
        tables: Vec<(Chip, usize)>,
        parameters: StarkParameters,
    ) -> Result<Self, StarkError> {
        let config = parameters.config();
        let (chips, log_heights): (Vec<Chip>, Vec<usize>) = tables.into_iter().unzip();
        for chip in &chips {
            let found = chip.preprocessed_width();
            if found > 0 {
                let chip = chip.name();
                return Err(StarkError::Preprocessed { chip, found });
            }
        }
        let data = ProverData::from_airs_and_degrees(&config, &chips, &log_heights)
            .map_err(|error| StarkError::Prove(error.to_string().into()))?;
        ProofShape::new(&chips, &log_heights, &data.common, parameters)?;
        let tables = chips.iter().zip(&log_heights).zip(&data.common.lookups);
        let tables = tables
            .map(|((chip, &height), lookups)| Table::new(chip, height, lookups, &parameters))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            parameters,
            config,
            chips,
            log_heights,
            data,
            tables,
            dft: Radix2DitParallel::default(),
            mmcs: parameters.mmcs(),
        })
    }

    /// Returns the parameters.
    #[must_use]
    pub const fn parameters(&self) -> &StarkParameters {
        &self.parameters
    }

    /// Returns the chips, in the order of the proof's tables.
    #[must_use]
    pub fn chips(&self) -> &[Chip] {
        &self.chips
    }

    /// Returns log2 of each chip's height.
    #[must_use]
    pub fn log_heights(&self) -> &[usize] {
        &self.log_heights
    }

    /// Returns what prover and verifier share: the lookups.
    #[must_use]
    pub const fn common(&self) -> &p3_batch_stark::CommonData<Config> {
        &self.data.common
    }

    /// Returns its verifier in a circuit.
    ///
    /// # Errors
    /// None: what it could refuse was refused when this was made.
    pub fn verifier(&self) -> Result<StarkVerifier<'_, Chip>, RecursionError> {
        StarkVerifier::new(
            &self.chips,
            &self.log_heights,
            &self.data.common,
            self.parameters,
        )
    }

    /// Proves traces, which are used up.
    ///
    /// # Errors
    /// If a trace has another height than its table. Traces that break a constraint
    /// give a proof that does not verify.
    pub fn prove(&self, traces: Traces) -> Result<StarkProof, StarkError> {
        let tables = self.chips.iter().zip(&self.log_heights);
        for ((chip, &log_height), trace) in tables.zip(&traces.traces) {
            let found = trace.values.len() / trace.width;
            if found != 1 << log_height {
                return Err(StarkError::Height {
                    chip: chip.name(),
                    found,
                    expected: 1 << log_height,
                });
            }
        }
        prove(self, traces).map_err(|error| StarkError::Prove(error.to_string().into()))
    }

    /// Verifies a proof natively, with these public values, one list for each table.
    ///
    /// # Errors
    /// If it does not verify.
    pub fn verify(&self, proof: &StarkProof, public_values: &[Vec<F>]) -> Result<(), StarkError> {
        if proof.degree_bits != self.log_heights {
            return Err(StarkError::Heights {
                found: proof.degree_bits.clone(),
                expected: self.log_heights.clone(),
            });
        }
        verify_batch(
            &self.config,
            &self.chips,
            proof,
            public_values,
            &self.data.common,
        )
        .map_err(|error| StarkError::Verify(error.to_string().into()))
    }

    /// Returns the width of each chip's table, in the order of [`chips`](Self::chips).
    #[must_use]
    pub fn widths(&self) -> Vec<TableWidth> {
        let extension = 2;
        let tables = self.chips.iter().zip(&self.data.common.lookups);
        tables
            .zip(&self.log_heights)
            .map(|((chip, lookups), &log_height)| {
                let degree = max_degree(chip, log_height, lookups);
                let sum = usize::from(!lookups.is_empty());
                TableWidth {
                    main: chip.width(),
                    permutation: extension * (lookups.len() + sum),
                    quotient: extension * quotient_chunks(degree),
                }
            })
            .collect()
    }

    /// Returns what the security of this STARK depends on.
    #[must_use]
    pub fn size(&self) -> StarkSize {
        let gadget = LogUpGadget::new();
        let mut size = StarkSize {
            log_height: self.log_heights.iter().copied().max().unwrap_or_default(),
            batched_openings: 0,
            constraints: 0,
            constraint_degree: 2,
            messages: 0,
            message_width: 0,
        };
        let tables = self.chips.iter().zip(&self.data.common.lookups);
        for ((chip, lookups), &log_height) in tables.zip(&self.log_heights) {
            let (base, extension) = get_symbolic_constraints::<F, EF, _, _>(
                chip,
                AirLayout::from_air(chip),
                lookups,
                &gadget,
            );
            let degree = max_degree(chip, log_height, lookups);
            size.constraints += base.len() + extension.len();
            size.constraint_degree = size.constraint_degree.max(degree);
            size.batched_openings += self.openings(chip, lookups.len(), degree);
            for lookup in lookups.iter() {
                size.messages += lookup.elements.len() << log_height;
                let widest = lookup.elements.iter().map(Vec::len).max();
                size.message_width = size.message_width.max(widest.unwrap_or_default());
            }
        }
        size
    }

    fn openings(&self, chip: &Chip, lookups: usize, degree: usize) -> usize {
        let extension = 2;
        p3_batch_stark::num_batched_openings(
            chip.width(),
            !chip.main_next_row_columns().is_empty(),
            0,
            false,
            quotient_chunks(degree),
            lookups,
            extension,
            p3_uni_stark::OpeningShape::new(),
        )
    }
}
