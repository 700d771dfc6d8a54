//! The verifier of one shape of proofs: a port of `p3_batch_stark::verify_batch`.

use p3_air::Air;
use p3_batch_stark::CommonData;
use p3_commit::PolynomialSpace;
use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{Field as _, PrimeCharacteristicRing, TwoAdicField};
use p3_lookup::InteractionSymbolicBuilder;
use plonky2::field::types::Field;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::target::{BoolTarget, Target};
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use plonky2::util::reducing::ReducingFactorTarget;

use super::constraints::{TableRow, constant, folded_constraints, lookup_challenges};
use super::error::{RecursionError, check_length};
use super::fri::Queries;
use super::hash::Circuit;
use super::layout::{Cap, Oracle, TableShape};
use super::parts::ProofParts;
use super::shape::{ProofShape, trace_domain};
use super::transcript::{Challenges, TargetTranscript, derive_challenges};
use super::unpack::unpack;
use super::{Builder, D, Word, word};
use crate::config::{Config, EF, F, StarkParameters, StarkProof};

type Extension = ExtensionTarget<D>;

/// Verifies proofs of one shape: of these chips, at these heights, with these parameters.
pub struct StarkVerifier<'a, A> {
    airs: &'a [A],
    common: &'a CommonData<Config>,
    shape: ProofShape,
}

/// The targets of a proof in a circuit.
pub struct StarkProofTarget {
    parts: ProofParts<Target>,
}

/// What verifying one proof takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Rows of the circuit, permutations included.
    pub rows: usize,
    /// Poseidon2 permutations, a row each.
    pub permutations: usize,
}

impl StarkProofTarget {
    /// Returns the targets of the proof's elements, in the order of [`ProofParts::elements`].
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        self.parts.elements().into_iter().copied().collect()
    }

    /// Sets the proof in a witness.
    ///
    /// # Errors
    ///
    /// When the parts are of another shape, or the witness holds another value already.
    pub fn set_witness(
        &self,
        witness: &mut PartialWitness<Word>,
        parts: &ProofParts<F>,
    ) -> Result<(), RecursionError> {
        let targets = self.parts.elements();
        let values = parts.elements();
        check_length("elements of the proof", targets.len(), values.len())?;
        for (&&target, &&value) in targets.iter().zip(&values) {
            let set = witness.set_target(target, word(value));
            set.map_err(|_| RecursionError::Conflict)?;
        }
        Ok(())
    }
}

impl<'a, A> StarkVerifier<'a, A>
where
    A: Air<InteractionSymbolicBuilder<F, EF>>,
{
    /// Returns the verifier of proofs of `airs` with `2^log_degrees` rows each.
    ///
    /// # Errors
    ///
    /// See [`ProofShape::new`].
    pub fn new(
        airs: &'a [A],
        log_degrees: &[usize],
        common: &'a CommonData<Config>,
        parameters: StarkParameters,
    ) -> Result<Self, RecursionError> {
        Ok(Self {
            airs,
            common,
            shape: ProofShape::new(airs, log_degrees, common, parameters)?,
        })
    }

    /// Returns the shape of the proofs.
    #[must_use]
    pub fn shape(&self) -> &ProofShape {
        &self.shape
    }

    /// Targets for a proof, not constrained yet.
    pub fn add_proof(&self, builder: &mut Builder) -> StarkProofTarget {
        StarkProofTarget {
            parts: ProofParts::from_fn(&self.shape, || builder.add_virtual_target()),
        }
    }

    /// Takes a proof apart for [`StarkProofTarget::set_witness`]. Whatever the proof holds,
    /// this returns.
    ///
    /// # Errors
    ///
    /// When the proof is of another shape, or when it is found wrong on the way: not every
    /// wrong proof is, that is the circuit's work.
    pub fn unpack(
        &self,
        proof: &StarkProof,
        public_values: &[Vec<F>],
    ) -> Result<ProofParts<F>, RecursionError> {
        unpack(&self.shape, proof, public_values)
    }

    /// Constrains `proof` to be a valid proof with these public values, one list per table.
    ///
    /// # Errors
    ///
    /// When the public values are not as many as the tables have.
    pub fn verify(
        &self,
        builder: &mut Builder,
        proof: &StarkProofTarget,
        public_values: &[Vec<Target>],
    ) -> Result<Cost, RecursionError> {
        check_length("public values", self.airs.len(), public_values.len())?;
        for (table, values) in self.shape.tables.iter().zip(public_values) {
            check_length(
                "public values of a table",
                table.public_values,
                values.len(),
            )?;
        }
        let parts = &proof.parts;
        let rows = builder.num_gates();
        let mut circuit = Circuit {
            builder,
            permutations: 0,
        };
        let mut transcript = TargetTranscript::new(&mut circuit);
        let challenges = derive_challenges(&mut transcript, &self.shape, parts, public_values)?;

        let caps = self.caps(circuit.builder, parts);
        let queries = Queries::new(&mut circuit, &self.shape, parts, caps, &challenges);
        for (index, query) in challenges.indices.iter().zip(&parts.queries) {
            queries.verify(&mut circuit, index, query);
        }
        self.verify_constraints(circuit.builder, parts, &challenges, public_values);
        verify_terminal_sum(circuit.builder, parts);

        Ok(Cost {
            permutations: circuit.permutations,
            rows: circuit.builder.num_gates() - rows,
        })
    }

    /// The cap of each commitment: the preprocessed one is the shape's, not the proof's.
    fn caps(&self, builder: &mut Builder, parts: &ProofParts<Target>) -> Vec<Cap<Target>> {
        let preprocessed = self.shape.preprocessed.iter().flatten();
        let preprocessed: Cap<Target> = preprocessed
            .map(|root| root.map(|x| builder.constant(word(x))))
            .collect();
        let mut caps = parts.caps.iter();
        let mut cap = |oracle| match oracle {
            Oracle::Preprocessed => &preprocessed,
            _ => caps.next().expect("parts have a cap for each commitment"),
        };
        let commitments = self.shape.commitments.iter();
        commitments
            .map(|commitment| cap(commitment.oracle).clone())
            .collect()
    }

    /// Checks that each table's constraints at `zeta` are its quotient times the vanishing
    /// polynomial.
    fn verify_constraints(
        &self,
        builder: &mut Builder,
        parts: &ProofParts<Target>,
        challenges: &Challenges<Target, Vec<BoolTarget>>,
        public_values: &[Vec<Target>],
    ) {
        let alpha = ExtensionTarget(challenges.constraint);
        let zeta = ExtensionTarget(challenges.point);
        let lookups = match challenges.lookup {
            Some([alpha, beta]) => {
                let [alpha, beta] = [ExtensionTarget(alpha), ExtensionTarget(beta)];
                lookup_challenges(builder, &self.common.lookups, alpha, beta)
            }
            None => vec![Vec::new(); self.airs.len()],
        };
        let mut terminals = parts.terminals.iter().copied().map(ExtensionTarget);
        for (i, ((air, table), challenges)) in self
            .airs
            .iter()
            .zip(&self.shape.tables)
            .zip(lookups)
            .enumerate()
        {
            let selectors = Selectors::new(builder, table.log_degree, zeta);
            let public = public_values[i].iter();
            let public = public.map(|&value| builder.convert_to_ext(value)).collect();
            let row = TableRow {
                main: self.opened(builder, parts, Oracle::Main, i),
                preprocessed: self.opened(builder, parts, Oracle::Preprocessed, i),
                permutation: self
                    .opened(builder, parts, Oracle::Permutation, i)
                    .map(|columns| join(builder, &columns)),
                periodic: periodic_columns(builder, &air.periodic_columns(), table, zeta),
                public,
                challenges,
                terminal: if table.lookups > 0 {
                    terminals.next()
                } else {
                    None
                },
                is_first_row: selectors.is_first_row,
                is_last_row: selectors.is_last_row,
                is_transition: selectors.is_transition,
            };
            let folded = folded_constraints(builder, air, &self.common.lookups[i], &row, alpha);
            let claimed = builder.mul_extension(folded, selectors.inv_vanishing);
            let quotient = self.quotient(builder, parts, i, selectors.power);
            builder.connect_extension(claimed, quotient);
        }
    }

    /// The opened columns of a table, here and at the next row: zeros where that is not read.
    fn opened(
        &self,
        builder: &mut Builder,
        parts: &ProofParts<Target>,
        oracle: Oracle,
        table: usize,
    ) -> [Vec<Extension>; 2] {
        let Some((c, m)) = self.shape.position(oracle, table) else {
            return [Vec::new(), Vec::new()];
        };
        let width = self.shape.commitments[c].matrices[m].width;
        let points = &parts.openings[c][m];
        core::array::from_fn(|point| match points.get(point) {
            Some(values) => values.iter().copied().map(ExtensionTarget).collect(),
            None => vec![builder.zero_extension(); width],
        })
    }

    /// The quotient of a table at `zeta` from its chunks (`recompose_quotient_from_chunks`),
    /// given `zeta` to the power of the table's rows.
    ///
    /// Chunk i counts on its coset `s_i H`; the factor of chunk i is the product over the
    /// others j of `Z_j(zeta) / Z_j(s_i)`, with `Z_j(x) = (x / s_j)^n - 1`.
    fn quotient(
        &self,
        builder: &mut Builder,
        parts: &ProofParts<Target>,
        table: usize,
        power: Extension,
    ) -> Extension {
        let shape = &self.shape.tables[table];
        let domain = trace_domain(shape.log_degree);
        let chunks = shape.chunks.len();
        let cosets = domain
            .create_disjoint_domain(domain.size() * chunks)
            .split_domains(chunks);
        let vanishing: Vec<Extension> = cosets
            .iter()
            .map(|coset| {
                let scale = coset.shift_inverse().exp_power_of_2(shape.log_degree);
                let one = builder.one_extension();
                builder.arithmetic_extension(word(scale), Word::NEG_ONE, one, power, one)
            })
            .collect();
        let (c, first) = self
            .shape
            .position(Oracle::Quotient, table)
            .expect("each table has a quotient");
        let mut quotient = builder.zero_extension();
        for (i, coset) in cosets.iter().enumerate() {
            let values = parts.openings[c][first + i][0].iter().copied();
            let values: Vec<Extension> = values.map(ExtensionTarget).collect();
            let mut term = join(builder, &values)[0];
            let mut scale = F::ONE;
            for (j, other) in cosets.iter().enumerate().filter(|(j, _)| *j != i) {
                scale *= vanishing_at(other, coset.shift()).inverse();
                term = builder.mul_extension(term, vanishing[j]);
            }
            quotient = builder.mul_const_add_extension(word(scale), term, quotient);
        }
        quotient
    }
}

/// The vanishing polynomial of a coset at a base-field element.
fn vanishing_at(coset: &TwoAdicMultiplicativeCoset<F>, x: F) -> F {
    (x * coset.shift_inverse()).exp_power_of_2(coset.log_size()) - F::ONE
}

/// Checks that the sums over all lookups cancel (`verify_terminal_sum`).
fn verify_terminal_sum(builder: &mut Builder, parts: &ProofParts<Target>) {
    let terminals = parts.terminals.iter().copied().map(ExtensionTarget);
    let sum = builder.add_many_extension(terminals);
    let zero = builder.zero_extension();
    builder.connect_extension(sum, zero);
}

/// Columns of extension elements from columns of their coefficients.
fn join(builder: &mut Builder, columns: &[Extension]) -> Vec<Extension> {
    let basis = ExtensionTarget([builder.zero(), builder.one()]);
    let pairs = columns.chunks_exact(D);
    pairs
        .map(|pair| builder.mul_add_extension(basis, pair[1], pair[0]))
        .collect()
}

/// The selectors of a table at `zeta` (`selectors_at_point`). None exists if `zeta` is in the
/// table's domain.
struct Selectors {
    is_first_row: Extension,
    is_last_row: Extension,
    is_transition: Extension,
    inv_vanishing: Extension,
    /// `zeta` to the power of the table's rows.
    power: Extension,
}

impl Selectors {
    fn new(builder: &mut Builder, log_degree: usize, zeta: Extension) -> Self {
        let last = F::two_adic_generator(log_degree).inverse();
        let last = constant(builder, EF::from(last));
        let one = builder.one_extension();
        let power = builder.exp_power_of_2_extension(zeta, log_degree);
        let vanishing = builder.sub_extension(power, one);
        let from_first = builder.sub_extension(zeta, one);
        let from_last = builder.sub_extension(zeta, last);
        Self {
            is_first_row: builder.div_extension(vanishing, from_first),
            is_last_row: builder.div_extension(vanishing, from_last),
            is_transition: from_last,
            inv_vanishing: builder.inverse_extension(vanishing),
            power,
        }
    }
}

/// The periodic columns of a table at `zeta`: a column of period p is a polynomial of degree
/// below p in `zeta^(n / p)`.
fn periodic_columns(
    builder: &mut Builder,
    columns: &[Vec<F>],
    table: &TableShape,
    zeta: Extension,
) -> Vec<Extension> {
    columns
        .iter()
        .map(|column| {
            let log_period = column.len().ilog2() as usize;
            let point = builder.exp_power_of_2_extension(zeta, table.log_degree - log_period);
            let coefficients = Radix2DitParallel::default().idft(column.clone());
            let coefficients: Vec<Target> = coefficients
                .into_iter()
                .map(|coefficient| builder.constant(word(coefficient)))
                .collect();
            ReducingFactorTarget::new(point).reduce_base(&coefficients, builder)
        })
        .collect()
}
