//! The low-degree test in the circuit: a port of `verify_fri`, `open_inputs` and `fold_query`
//! of p3-fri.

use p3_field::{Field as _, PrimeCharacteristicRing, TwoAdicField};
use plonky2::field::types::Field;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::target::{BoolTarget, Target};
use plonky2::util::reducing::ReducingFactorTarget;

use super::gates::FoldGate;
use super::hash::Circuit;
use super::layout::Cap;
use super::parts::{Pair, ProofParts, QueryParts};
use super::shape::ProofShape;
use super::transcript::Challenges;
use super::{D, Word, word};
use crate::config::F;

type Extension = ExtensionTarget<D>;

/// Consecutive columns of the same height that are opened at the same points. Their
/// combination `sum_i alpha^i p_i(x)` is made once per query and serves both points.
struct Segment {
    /// Commitment and matrix of each part, in order.
    matrices: Vec<(usize, usize)>,
    /// `alpha^k` for the segment's place at `zeta` among all columns of its height.
    weight: Extension,
    /// The same at the next row, if it is opened there.
    next_weight: Option<Extension>,
}

/// All columns of one height.
struct Height {
    log_height: usize,
    segments: Vec<Segment>,
    /// The point of the next row, `zeta` times the generator of the trace domain.
    next_point: Extension,
    /// `sum_i alpha^i p_i(z)` of the claimed values, at `zeta` and at the next row.
    claimed: [Extension; 2],
}

/// What all queries share.
pub(super) struct Queries<'a> {
    shape: &'a ProofShape,
    parts: &'a ProofParts<Target>,
    /// The cap of each commitment of the shape.
    caps: Vec<Cap<Target>>,
    alpha: Extension,
    zeta: Extension,
    heights: Vec<Height>,
    betas: Vec<Extension>,
}

impl<'a> Queries<'a> {
    /// Combines the claimed values by the batching challenge, once for all queries.
    pub fn new(
        circuit: &mut Circuit,
        shape: &'a ProofShape,
        parts: &'a ProofParts<Target>,
        caps: Vec<Cap<Target>>,
        challenges: &Challenges<Target, Vec<BoolTarget>>,
    ) -> Self {
        let alpha = ExtensionTarget(challenges.batch);
        let zeta = ExtensionTarget(challenges.point);
        let mut log_heights: Vec<usize> = shape
            .tables
            .iter()
            .map(|table| table.log_degree + shape.parameters.log_blowup)
            .collect();
        log_heights.sort_unstable_by(|a, b| b.cmp(a));
        log_heights.dedup();
        let heights = log_heights
            .into_iter()
            .map(|log_height| {
                let log_degree = log_height - shape.parameters.log_blowup;
                let generator = word(F::two_adic_generator(log_degree));
                let next_point = circuit.builder.mul_const_extension(generator, zeta);
                let (segments, claimed) = ladder(circuit, shape, parts, alpha, log_height);
                Height {
                    log_height,
                    segments,
                    next_point,
                    claimed,
                }
            })
            .collect();
        let betas = challenges.folds.iter().copied().map(ExtensionTarget);
        Self {
            shape,
            parts,
            caps,
            alpha,
            zeta,
            heights,
            betas: betas.collect(),
        }
    }

    /// Checks one query at the index of these bits, lowest first.
    pub fn verify(&self, circuit: &mut Circuit, index: &[BoolTarget], query: &QueryParts<Target>) {
        self.verify_inputs(circuit, index, query);
        let domain = QueryPoints::new(circuit, index);

        let mut heights = self.heights.iter();
        let mut folded = match heights.next() {
            Some(height) => self.reduced_opening(circuit, height, &domain, query),
            None => return,
        };
        let mut heights = heights.peekable();
        let mut done = 0;
        let rounds = self.shape.log_arities.iter().zip(&self.betas);
        let rounds = rounds.zip(&self.parts.rounds).zip(&query.folds);
        for (((&log_arity, &beta), round), opening) in rounds {
            // The values of the group are what the round committed to.
            let (position, parent) = index[done..].split_at(log_arity);
            let row: Vec<Target> = opening.values.iter().flatten().copied().collect();
            let rows = [(parent.len(), row.as_slice())];
            circuit.verify_rows(&round.cap, &rows, parent, &opening.siblings);

            // The folded value is one of them, and they fold into one value of the next
            // codeword, to which the columns of its height are added.
            let (values, point) = (&opening.values, domain.powers[done]);
            folded = fold_group(circuit, values, position, folded, beta, point);
            done += log_arity;
            let log_height = index.len() - done;
            if let Some(height) = heights.next_if(|height| height.log_height == log_height) {
                let reduced = self.reduced_opening(circuit, height, &domain, query);
                let factor = circuit.builder.exp_power_of_2_extension(beta, log_arity);
                folded = circuit.builder.mul_add_extension(factor, reduced, folded);
            }
        }
        debug_assert!(
            heights.next().is_none(),
            "the schedule stops at each height"
        );

        // What is left is the final polynomial's value.
        let coefficients: Vec<_> = self
            .parts
            .final_poly
            .iter()
            .copied()
            .map(ExtensionTarget)
            .collect();
        let x = circuit.builder.convert_to_ext(domain.powers[done]);
        let value = ReducingFactorTarget::new(x).reduce(&coefficients, circuit.builder);
        circuit.builder.connect_extension(value, folded);
    }

    /// Checks the opened rows of all commitments.
    fn verify_inputs(
        &self,
        circuit: &mut Circuit,
        index: &[BoolTarget],
        query: &QueryParts<Target>,
    ) {
        let commitments = self.shape.commitments.iter().zip(&self.caps);
        for ((commitment, cap), opening) in commitments.zip(&query.inputs) {
            let matrices = commitment.matrices.iter().zip(&opening.rows);
            let rows: Vec<_> = matrices
                .map(|(matrix, row)| (matrix.log_height, row.as_slice()))
                .collect();
            let index = &index[index.len() - commitment.log_height()..];
            circuit.verify_rows(cap, &rows, index, &opening.siblings);
        }
    }

    /// `sum (p(z) - p(x)) / (z - x)` over all columns of a height, by powers of alpha: one
    /// division for each of the two points.
    fn reduced_opening(
        &self,
        circuit: &mut Circuit,
        height: &Height,
        domain: &QueryPoints,
        query: &QueryParts<Target>,
    ) -> Extension {
        let [mut here, mut next] = height.claimed;
        let mut any_next = false;
        for segment in &height.segments {
            let matrices = segment.matrices.iter();
            let row: Vec<Target> = matrices
                .flat_map(|&(commitment, matrix)| &query.inputs[commitment].rows[matrix])
                .copied()
                .collect();
            let builder = &mut *circuit.builder;
            let sum = ReducingFactorTarget::new(self.alpha).reduce_base(&row, builder);
            let mut subtract = |weight: Extension, from: Extension| {
                builder.arithmetic_extension(Word::NEG_ONE, Word::ONE, weight, sum, from)
            };
            here = subtract(segment.weight, here);
            if let Some(weight) = segment.next_weight {
                next = subtract(weight, next);
                any_next = true;
            }
        }
        let builder = &mut *circuit.builder;
        let x = domain.powers[domain.powers.len() - 1 - height.log_height];
        let x = builder.mul_const(word(F::GENERATOR), x);
        let x = builder.convert_to_ext(x);
        let denominator = builder.sub_extension(self.zeta, x);
        let reduced = builder.div_extension(here, denominator);
        if !any_next {
            return reduced;
        }
        let denominator = builder.sub_extension(height.next_point, x);
        builder.div_add_extension(next, denominator, reduced)
    }
}

/// The points of one query's domain, without the shift of the coset.
struct QueryPoints {
    /// For each k, the point with the index's bits from k on in the subgroup of the height that
    /// is left: `powers[0]` is the query's point, and each next one is the square.
    powers: Vec<Target>,
}

impl QueryPoints {
    /// The point at index i of a bit-reversed subgroup of size 2^n is `w_n^rev(i)`, the product
    /// of `w_(k+1)` over the set bits k of i, where `w_k` has order 2^k.
    fn new(circuit: &mut Circuit, index: &[BoolTarget]) -> Self {
        let mut point = circuit.builder.one();
        for (k, bit) in index.iter().enumerate() {
            point = multiply_if(circuit, point, *bit, F::two_adic_generator(k + 1));
        }
        let mut powers = vec![point];
        for _ in index {
            point = circuit.builder.square(point);
            powers.push(point);
        }
        Self { powers }
    }
}

/// `x` times `factor` if `bit`, else `x`.
fn multiply_if(circuit: &mut Circuit, x: Target, bit: BoolTarget, factor: F) -> Target {
    let scale = word(factor - F::ONE);
    circuit
        .builder
        .arithmetic(scale, Word::ONE, x, bit.target, x)
}

/// One folding step: checks that `folded` is where `position` says among `values`, and gives
/// their polynomial's value at `beta`; `point` is where `folded` is a value.
fn fold_group(
    circuit: &mut Circuit,
    values: &[Pair<Target>],
    position: &[BoolTarget],
    folded: Extension,
    beta: Extension,
    point: Target,
) -> Extension {
    let builder = &mut *circuit.builder;
    let gate = FoldGate {
        log_arity: position.len(),
    };
    let (row, operation) = builder.find_slot(gate, &[], &[]);
    let wire = |column| Target::wire(row, column);
    let pair = |column| ExtensionTarget([wire(column), wire(column + 1)]);
    for (j, &value) in values.iter().enumerate() {
        let value = ExtensionTarget(value);
        builder.connect_extension(value, pair(gate.value(operation, j)));
    }
    for (i, bit) in position.iter().enumerate() {
        builder.connect(bit.target, wire(gate.bit(operation, i)));
    }
    builder.connect_extension(folded, pair(gate.folded(operation)));
    builder.connect_extension(beta, pair(gate.beta(operation)));
    builder.connect(point, wire(gate.point(operation)));
    pair(gate.output(operation))
}

/// The segments of a height and the combinations of its claimed values.
///
/// All columns of a height have consecutive powers of alpha, in the order commitment, matrix,
/// point, column.
fn ladder(
    circuit: &mut Circuit,
    shape: &ProofShape,
    parts: &ProofParts<Target>,
    alpha: Extension,
    log_height: usize,
) -> (Vec<Segment>, [Extension; 2]) {
    let builder = &mut *circuit.builder;
    let mut claimed = [builder.zero_extension(); 2];
    let mut weight = builder.one_extension();
    let mut segments: Vec<Segment> = Vec::new();
    for (c, commitment) in shape.commitments.iter().enumerate() {
        for (m, matrix) in commitment.matrices.iter().enumerate() {
            if matrix.log_height != log_height {
                continue;
            }
            let mut weights = Vec::with_capacity(2);
            for (values, claimed) in parts.openings[c][m].iter().zip(&mut claimed) {
                let values: Vec<_> = values.iter().copied().map(ExtensionTarget).collect();
                let sum = ReducingFactorTarget::new(alpha).reduce(&values, builder);
                *claimed = builder.mul_add_extension(weight, sum, *claimed);
                weights.push(weight);
                let step = builder.exp_u64_extension(alpha, matrix.width as u64);
                weight = builder.mul_extension(weight, step);
            }
            match segments.last_mut() {
                Some(last) if last.next_weight.is_none() && !matrix.next => {
                    last.matrices.push((c, m));
                }
                _ => segments.push(Segment {
                    matrices: vec![(c, m)],
                    weight: weights[0],
                    next_weight: weights.get(1).copied(),
                }),
            }
        }
    }
    (segments, claimed)
}
