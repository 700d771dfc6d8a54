//! The prover of all tables: the protocol and the proof are those of `p3_batch_stark`, whose
//! verifier checks it.
//!
//! What is ours is how the same values are computed: a trace is extended in its own place, what
//! is said on the buses is compiled once, and rows are packed into lanes.

use p3_air::BaseAir as _;
use p3_batch_stark::{
    BatchCommitments, BatchProverTranscript, BatchShape, Commitment, StarkGenericConfig as _,
};
use p3_commit::{Mmcs as _, OpeningRequest, Pcs as _, PolynomialSpace as _, UnivariateStarkPcs};
use p3_dft::TwoAdicSubgroupDft as _;
use p3_field::Field as _;
use p3_fri::FriProverError;
use p3_lookup::{LogUpGadget, Lookup, LookupTerminal};
use p3_matrix::bitrev::BitReversibleMatrix as _;
use p3_matrix::dense::{RowMajorMatrix, RowMajorMatrixView};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use shardfold_protocol::field::F;
use shardfold_recursion::config::{Challenger, Config, EF, Pcs, StarkProof};
use tracing::info_span;

use super::Stark;
use super::fractions::Messages;
use super::opened::opened_values;
use super::quotient::{Committed, Quotient};
use super::table::Domain;
use crate::traces::Traces;

/// Matrices under one commitment.
type Tree = <Pcs as p3_commit::Pcs<EF, Challenger>>::ProverData;
type Transcript<'a> = BatchProverTranscript<'a, Challenger, F, EF, Commitment<Config>>;

/// Proves the traces, whose heights are those of the tables.
///
/// # Errors
/// If a matrix is too low to be opened.
pub(super) fn prove(stark: &Stark, traces: Traces) -> Result<StarkProof, FriProverError> {
    let run = Run {
        stark,
        public_values: traces.public_values,
    };
    let mut challenger = stark.config.initialise_challenger();
    let mut transcript = Transcript::new(&mut challenger, run.shape());
    let proof = run.prove(traces.traces, &mut transcript);
    match &proof {
        Ok(_) => transcript.finish(),
        Err(_) => transcript.abort(),
    }
    proof
}

/// One proof in the making.
struct Run<'a> {
    stark: &'a Stark,
    public_values: Vec<Vec<F>>,
}

/// What the columns of the buses are made with, and make.
struct Buses {
    /// The challenges of each table's columns.
    challenges: Vec<Vec<EF>>,
    /// What each table adds to all buses, if it says anything.
    sums: Vec<Option<EF>>,
}

impl Run<'_> {
    /// What both sides know of the proof before it is made.
    fn shape(&self) -> BatchShape {
        let Stark { chips, tables, .. } = self.stark;
        let config = &self.stark.config;
        BatchShape {
            trace_widths: chips.iter().map(|chip| chip.width()).collect(),
            public_value_counts: self.public_values.iter().map(Vec::len).collect(),
            preprocessed_widths: vec![0; tables.len()],
            has_preprocessed_commitment: false,
            num_lookup_instances: tables.iter().filter(|t| !t.lookups.is_empty()).count(),
            lookup_pow_bits: config.lookup_proof_of_work_bits(),
            has_randomization_commitment: false,
            ood_pow_bits: config.ood_proof_of_work_bits(),
        }
    }

    fn prove(
        &self,
        traces: Vec<RowMajorMatrix<F>>,
        transcript: &mut Transcript<'_>,
    ) -> Result<StarkProof, FriProverError> {
        let common = &self.stark.data.common;
        transcript.instance_bindings(&self.stark.log_heights);
        let messages = info_span!("messages").in_scope(|| self.messages(&traces));
        let (main_commitment, main) = info_span!("main").in_scope(|| self.extend(traces))?;
        transcript.main_phase(main_commitment.clone(), &self.public_values);
        transcript.preprocessed_phase(None);

        let lookups: Vec<&[Lookup<F>]> = common.lookups.iter().map(|l| &**l).collect();
        let (challenges, lookup_pow_witness) = info_span!("lookup grinding")
            .in_scope(|| transcript.lookup_phase(&lookups, &LogUpGadget::new()));
        let (columns, buses) =
            info_span!("buses").in_scope(|| self.bus_columns(messages, challenges));
        let permutation = info_span!("buses extended").in_scope(|| match columns.is_empty() {
            true => Ok(None),
            false => self.extend(columns).map(Some),
        })?;
        let (permutation_commitment, permutation) = permutation.unzip();
        let sums: Vec<EF> = buses.sums.iter().copied().flatten().collect();
        let alpha = transcript.permutation_phase(permutation_commitment.clone(), &sums);

        let chunks = info_span!("quotient")
            .in_scope(|| self.quotient_chunks(&main, permutation.as_ref(), &buses, alpha));
        let (quotient_commitment, quotient) =
            info_span!("quotient commitment").in_scope(|| self.commit(chunks))?;
        transcript.quotient_phase(quotient_commitment.clone(), None);

        let (zeta, ood_pow_witness) =
            info_span!("point grinding").in_scope(|| transcript.ood_phase());
        let rounds = self.rounds(&main, &quotient, permutation.as_ref(), zeta);
        let (opened, opening_proof) = info_span!("opening")
            .in_scope(|| transcript.delegate(|c| self.pcs().open(rounds, c)))?;
        Ok(StarkProof {
            commitments: BatchCommitments {
                main: main_commitment,
                permutation: permutation_commitment,
                quotient_chunks: quotient_commitment,
                random: None,
            },
            opened_values: opened_values(self.stark, opened),
            opening_proof,
            lookup_terminals: buses
                .sums
                .iter()
                .map(|sum| sum.map(LookupTerminal))
                .collect(),
            degree_bits: self.stark.log_heights.clone(),
            lookup_pow_witness,
            ood_pow_witness,
        })
    }

    fn pcs(&self) -> &Pcs {
        self.stark.config.pcs()
    }

    /// What is said on the buses: all that is kept of the traces.
    fn messages(&self, traces: &[RowMajorMatrix<F>]) -> Vec<Messages> {
        let tables = self.stark.tables.par_iter();
        tables
            .zip(traces)
            .zip(&self.public_values)
            .map(|((table, trace), public_values)| {
                Messages::new(&table.lookups, trace.as_view(), public_values)
            })
            .collect()
    }

    /// Extends columns, in their own place, and commits to them.
    fn extend(
        &self,
        columns: Vec<RowMajorMatrix<F>>,
    ) -> Result<(Commitment<Config>, Tree), FriProverError> {
        let extended = info_span!("extension").in_scope(|| {
            let columns = columns.into_par_iter();
            columns
                .map(|matrix| self.extended(matrix, F::GENERATOR))
                .collect()
        });
        self.commit(extended)
    }

    /// The values of columns, which are known on `x H`, on `shift x K`, K being larger than H by
    /// the blow-up; in bit-reversed order.
    fn extended(&self, columns: RowMajorMatrix<F>, shift: F) -> RowMajorMatrix<F> {
        let log_blowup = self.stark.parameters.log_blowup;
        let dft = &self.stark.dft;
        dft.coset_lde_batch(columns, log_blowup, shift)
            .bit_reverse_rows()
    }

    fn commit(
        &self,
        extended: Vec<RowMajorMatrix<F>>,
    ) -> Result<(Commitment<Config>, Tree), FriProverError> {
        info_span!("hashing")
            .in_scope(|| UnivariateStarkPcs::<EF, Challenger>::commit_ldes(self.pcs(), extended))
    }

    /// The columns of the buses of the tables that say something.
    fn bus_columns(
        &self,
        messages: Vec<Messages>,
        challenges: Vec<Vec<EF>>,
    ) -> (Vec<RowMajorMatrix<F>>, Buses) {
        let tables = self.stark.tables.par_iter().zip(messages).zip(&challenges);
        let columns: Vec<_> = tables
            .map(|((table, messages), challenges)| {
                let lookups = &table.lookups;
                (!lookups.is_empty()).then(|| messages.columns(lookups, challenges))
            })
            .collect();
        let sums = columns
            .iter()
            .map(|c| c.as_ref().map(|(_, sum)| *sum))
            .collect();
        let columns = columns.into_iter().flatten().map(|(columns, _)| columns);
        (columns.collect(), Buses { challenges, sums })
    }

    /// The chunks of all quotients, extended.
    fn quotient_chunks(
        &self,
        main: &Tree,
        permutation: Option<&Tree>,
        buses: &Buses,
        alpha: EF,
    ) -> Vec<RowMajorMatrix<F>> {
        let matrices = |tree| self.stark.mmcs.get_matrices(tree);
        let main = matrices(main);
        let mut permutation = permutation.map(matrices).unwrap_or_default().into_iter();
        let permutation: Vec<_> = buses
            .sums
            .iter()
            .map(|sum| sum.and_then(|_| permutation.next()))
            .collect();
        let tables = 0..self.stark.tables.len();
        let chunks = tables.into_par_iter().map(|i| {
            let committed = Committed {
                main: main[i].as_view(),
                permutation: permutation[i].map_or(nothing(), |matrix| matrix.as_view()),
                public_values: &self.public_values[i],
                challenges: &buses.challenges[i],
                sum: buses.sums[i].unwrap_or_default(),
                alpha,
            };
            let (table, chip) = (&self.stark.tables[i], &self.stark.chips[i]);
            let chunks = Quotient::new(self.pcs(), table, chip, committed).chunks();
            let extend =
                |(domain, chunk): (Domain, _)| self.extended(chunk, F::GENERATOR / domain.shift());
            chunks.into_iter().map(extend).collect::<Vec<_>>()
        });
        chunks.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// What is opened, and where: each matrix at the point and, if a constraint reads the next
    /// row, at the next one.
    fn rounds<'a>(
        &'a self,
        main: &'a Tree,
        quotient: &'a Tree,
        permutation: Option<&'a Tree>,
        zeta: EF,
    ) -> Vec<OpeningRequest<'a, Tree, EF>> {
        let Stark { chips, tables, .. } = self.stark;
        let points = |table: usize, with_next: bool| {
            let next = with_next.then(|| tables[table].domain().next_point(zeta));
            std::iter::once(zeta)
                .chain(next.flatten())
                .collect::<Vec<EF>>()
        };
        let all = || 0..tables.len();
        let main_points = all().map(|i| points(i, !chips[i].main_next_row_columns().is_empty()));
        let chunks = all().flat_map(|i| (0..1 << tables[i].log_chunks).map(|_| vec![zeta]));
        let mut rounds = vec![
            (main, main_points.collect::<Vec<_>>()),
            (quotient, chunks.collect()),
        ];
        if let Some(permutation) = permutation {
            let speaking = all().filter(|&i| !tables[i].lookups.is_empty());
            rounds.push((permutation, speaking.map(|i| points(i, true)).collect()));
        }
        rounds.into_iter().map(Into::into).collect()
    }
}

/// A matrix of no columns.
fn nothing() -> RowMajorMatrixView<'static, F> {
    RowMajorMatrixView::new(&[], 0)
}
