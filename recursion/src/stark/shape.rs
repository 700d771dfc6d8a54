//! Everything about a proof that is known before it exists.
//!
//! The shape comes from the chips, their heights, the parameters and the preprocessed data.
//! Nothing in it is read from a proof, so a verifier circuit is one circuit per shape.

use p3_air::symbolic::AirLayout;
use p3_air::{Air, BaseAir};
use p3_batch_stark::CommonData;
use p3_batch_stark::symbolic::get_log_num_quotient_chunks_for_domain;
use p3_commit::PeriodicColumns;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use p3_fri::fold_schedule;
use p3_lookup::{
    InteractionSymbolicBuilder, LogUpGadget, check_bus_widths, check_multiplicity_height_bound,
};

use super::error::{RecursionError, check_length, check_presence, check_range};
use super::layout::{
    Cap, CommitmentShape, MAX_LOG_CAP, MatrixShape, Oracle, TableShape, lookup_tables,
};
use super::seeds::Seeds;
use crate::config::{Config, EF, F, StarkParameters};

/// The most bits that one sample of the transcript gives: index bits or grinding bits.
pub(super) const MAX_SAMPLED_BITS: usize = 32;
/// The most rows of a table, in log2, before the blow-up.
const MAX_LOG_DEGREE: usize = 31;

/// The shape of a proof; see the module's documentation.
#[derive(Clone, Debug)]
pub struct ProofShape {
    /// The parameters of the STARK.
    pub parameters: StarkParameters,
    /// The tables, in order.
    pub tables: Vec<TableShape>,
    /// The commitments that are opened, in the order of their opening.
    pub commitments: Vec<CommitmentShape>,
    /// The cap of the tree over the preprocessed columns.
    pub preprocessed: Option<Cap<F>>,
    /// log2 of the folding arity of each round.
    pub log_arities: Vec<usize>,
    /// log2 of the tallest matrix: the bits of a query index.
    pub log_max_height: usize,
    /// What seeds the transcripts.
    pub(super) seeds: Seeds,
}

impl ProofShape {
    /// Returns the shape of the proofs of `airs` with `2^log_degrees` rows each.
    ///
    /// # Errors
    ///
    /// When the preprocessed data or the lookups in `common` were made for other tables or
    /// heights, when a number is outside what the circuit supports, or when a committed matrix
    /// has fewer rows than its tree has roots.
    pub fn new<A>(
        airs: &[A],
        log_degrees: &[usize],
        common: &CommonData<Config>,
        parameters: StarkParameters,
    ) -> Result<Self, RecursionError>
    where
        A: Air<InteractionSymbolicBuilder<F, EF>>,
    {
        check_parameters(&parameters)?;
        check_range("tables", airs.len(), 1..=usize::MAX)?;
        check_length("heights", airs.len(), log_degrees.len())?;
        check_length("tables with lookup data", airs.len(), common.lookups.len())?;
        for &log_degree in log_degrees {
            let minimum = parameters.log_final_poly_len.max(1);
            let maximum = MAX_LOG_DEGREE - parameters.log_blowup;
            check_range("log2 of a table's rows", log_degree, minimum..=maximum)?;
        }
        let heights: Vec<usize> = log_degrees.iter().map(|&log| 1 << log).collect();
        check_multiplicity_height_bound(&common.lookups, &heights)?;
        check_bus_widths(&common.lookups)?;

        let mut tables = Vec::with_capacity(airs.len());
        let mut chunks = 0;
        for (i, (air, &log_degree)) in airs.iter().zip(log_degrees).enumerate() {
            let mut table = table_shape(i, air, log_degree, common)?;
            let count = 1 << table.log_quotient_chunks;
            table.chunks = chunks..chunks + count;
            chunks += count;
            tables.push(table);
        }
        let commitments = commitment_shapes(airs, &tables, common, &parameters)?;
        let preprocessed = match &common.preprocessed {
            Some(global) => {
                let cap = global.commitment.roots();
                let roots = 1 << parameters.log_cap;
                check_length("roots of the preprocessed commitment", roots, cap.len())?;
                Some(cap.to_vec())
            }
            None => None,
        };

        let mut heights: Vec<usize> = log_degrees
            .iter()
            .map(|log_degree| log_degree + parameters.log_blowup)
            .collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.dedup();
        let log_arities = fold_schedule(
            &heights,
            parameters.log_blowup + parameters.log_final_poly_len,
            parameters.max_log_arity,
        );
        let log_max_height = heights.first().copied().unwrap_or_default();
        let batch = Seeds::batch(airs, &tables, preprocessed.is_some(), &parameters);
        let opening = Seeds::opening(&commitments, &parameters);
        let fri = Seeds::fri(&log_arities, log_max_height, &parameters);
        let shape = Self {
            parameters,
            tables,
            commitments,
            preprocessed,
            log_arities,
            log_max_height,
            seeds: Seeds {
                batch,
                opening,
                fri,
            },
        };
        shape.check_caps()?;
        Ok(shape)
    }

    /// Checks that no committed matrix has fewer rows than its tree has roots.
    ///
    /// Plonky3's prover hashes such a matrix into a layer above the cap, where no path leads:
    /// its verifier (p3-merkle-tree 0.8.0) then accepts any row of it.
    pub(super) fn check_caps(&self) -> Result<(), RecursionError> {
        let least = self.parameters.log_cap;
        for commitment in &self.commitments {
            let mut matrices = commitment.matrices.iter();
            if let Some(matrix) = matrices.find(|matrix| matrix.log_height < least) {
                return Err(RecursionError::TableBelowCap {
                    table: matrix.table,
                    oracle: commitment.oracle,
                    found: matrix.log_height,
                    least,
                });
            }
        }
        let mut rounds = self.round_heights().enumerate();
        match rounds.find(|&(_, found)| found < least) {
            Some((round, found)) => Err(RecursionError::RoundBelowCap {
                round,
                found,
                least,
            }),
            None => Ok(()),
        }
    }

    /// Returns log2 of the rows that each round of the low-degree test commits to: one for each
    /// group of values that it folds into one.
    pub fn round_heights(&self) -> impl Iterator<Item = usize> {
        let arities = self.log_arities.iter();
        arities.scan(self.log_max_height, |log_height, log_arity| {
            *log_height -= log_arity;
            Some(*log_height)
        })
    }

    /// Returns log2 of the domain on which the final polynomial is evaluated.
    #[must_use]
    pub fn log_final_height(&self) -> usize {
        self.parameters.log_blowup + self.parameters.log_final_poly_len
    }

    /// Tables that look something up; the lookup phase is skipped when there are none.
    #[must_use]
    pub fn lookup_tables(&self) -> usize {
        lookup_tables(&self.tables)
    }

    /// Returns where the matrix of a table is among the commitments. Of a quotient: its first
    /// chunk.
    #[must_use]
    pub fn position(&self, oracle: Oracle, table: usize) -> Option<(usize, usize)> {
        let mut commitments = self.commitments.iter();
        let commitment = commitments.position(|commitment| commitment.oracle == oracle)?;
        let mut matrices = self.commitments.get(commitment)?.matrices.iter();
        let matrix = matrices.position(|matrix| matrix.table == table)?;
        Some((commitment, matrix))
    }
}

/// What the native verifier refuses about parameters, and what the circuit cannot sample.
fn check_parameters(parameters: &StarkParameters) -> Result<(), RecursionError> {
    let StarkParameters {
        log_blowup,
        queries,
        max_log_arity,
        log_final_poly_len,
        log_cap,
        query_grinding,
        fold_grinding,
        batch_grinding,
        point_grinding,
        lookup_grinding,
    } = *parameters;
    check_range("log2 of the blow-up", log_blowup, 1..=8)?;
    check_range("queries", queries, 1..=1 << 12)?;
    check_range("log2 of the folding arity", max_log_arity, 1..=5)?;
    check_range("log2 of the final polynomial", log_final_poly_len, 0..=12)?;
    check_range("log2 of a tree's roots", log_cap, 0..=MAX_LOG_CAP)?;
    for bits in [
        query_grinding,
        fold_grinding,
        batch_grinding,
        point_grinding,
        lookup_grinding,
    ] {
        check_range("grinding bits", bits, 0..=MAX_SAMPLED_BITS)?;
    }
    Ok(())
}

/// The shape of table `i`, all but where its quotient is.
fn table_shape<A>(
    i: usize,
    air: &A,
    log_degree: usize,
    common: &CommonData<Config>,
) -> Result<TableShape, RecursionError>
where
    A: Air<InteractionSymbolicBuilder<F, EF>>,
{
    check_length("boundary values", 0, air.public_boundary_io().len())?;
    let rows = 1 << log_degree;
    let periodic = air.periodic_columns();
    if let Some(column) = periodic
        .iter()
        .find(|column| PeriodicColumns::new(core::slice::from_ref(*column), rows).is_err())
    {
        return Err(RecursionError::Period {
            table: i,
            period: column.len(),
        });
    }
    let meta = match &common.preprocessed {
        Some(global) => global.instances.get(i).cloned().flatten(),
        None => None,
    };
    let preprocessed_width = meta.map_or(0, |meta| meta.width);
    let lookups = &common.lookups[i];
    let layout = AirLayout {
        preprocessed_width,
        main_width: air.width(),
        num_public_values: air.num_public_values(),
        num_periodic_columns: air.num_periodic_columns(),
        ..Default::default()
    };
    let log_quotient_chunks = get_log_num_quotient_chunks_for_domain::<F, EF, A, _>(
        air,
        layout,
        trace_domain(log_degree),
        lookups,
        0,
        &LogUpGadget::new(),
    );
    Ok(TableShape {
        log_degree,
        log_quotient_chunks,
        public_values: air.num_public_values(),
        lookups: lookups.len(),
        preprocessed_width,
        chunks: 0..0,
    })
}

/// The subgroup of `2^log_degree` elements over which a table is interpolated.
pub(super) fn trace_domain(log_degree: usize) -> TwoAdicMultiplicativeCoset<F> {
    debug_assert!(log_degree <= F::TWO_ADICITY);
    TwoAdicMultiplicativeCoset::new(F::ONE, log_degree)
        .expect("the shape bounds the heights of its tables")
}

/// The commitments in the order in which `commitments_with_opening_points` lists them.
fn commitment_shapes<A: BaseAir<F>>(
    airs: &[A],
    tables: &[TableShape],
    common: &CommonData<Config>,
    parameters: &StarkParameters,
) -> Result<Vec<CommitmentShape>, RecursionError> {
    let matrix = |table: usize, width: usize, next: bool| MatrixShape {
        table,
        log_height: tables[table].log_degree + parameters.log_blowup,
        width,
        next,
    };
    let all = || airs.iter().zip(tables).enumerate();
    let main = all()
        .map(|(i, (air, _))| matrix(i, air.width(), !air.main_next_row_columns().is_empty()))
        .collect();
    let quotient = all()
        .flat_map(|(i, (_, table))| table.chunks.clone().map(move |_| i))
        .map(|i| matrix(i, 2, false))
        .collect();
    let mut commitments = vec![(Oracle::Main, main), (Oracle::Quotient, quotient)];

    if let Some(global) = &common.preprocessed {
        check_length(
            "tables with preprocessed data",
            airs.len(),
            global.instances.len(),
        )?;
        let mut preprocessed = Vec::new();
        for (index, &i) in global.matrix_to_instance.iter().enumerate() {
            check_range("preprocessed table", i, 0..=airs.len() - 1)?;
            let meta = global.instances[i].as_ref();
            check_presence("preprocessed data", true, meta.is_some())?;
            if let Some(meta) = meta {
                check_range("preprocessed matrix", meta.matrix_index, index..=index)?;
                let rows = tables[i].log_degree;
                check_range("log2 of preprocessed rows", meta.degree_bits, rows..=rows)?;
            }
            let next = !airs[i].preprocessed_next_row_columns().is_empty();
            preprocessed.push(matrix(i, tables[i].preprocessed_width, next));
        }
        commitments.push((Oracle::Preprocessed, preprocessed));
    }
    let permutation: Vec<_> = all()
        .filter(|(_, (_, table))| table.lookups > 0)
        .map(|(i, (_, table))| matrix(i, 2 * (table.lookups + 1), true))
        .collect();
    if !permutation.is_empty() {
        commitments.push((Oracle::Permutation, permutation));
    }

    let mut shapes = Vec::with_capacity(commitments.len());
    for (oracle, matrices) in commitments {
        for matrix in &matrices {
            check_range("columns of a table", matrix.width, 1..=1 << 16)?;
        }
        shapes.push(CommitmentShape { oracle, matrices });
    }
    Ok(shapes)
}
