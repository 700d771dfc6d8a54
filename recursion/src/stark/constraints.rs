//! The constraints of one table at `zeta`, from the AIR's symbolic form.

use std::collections::HashMap;

use p3_air::Air;
use p3_air::symbolic::{AirLayout, BaseEntry, BaseLeaf, ExtEntry, ExtLeaf, SymLeaf, SymbolicExpr};
use p3_batch_stark::symbolic::{get_constraint_layout, get_symbolic_constraints};
use p3_field::BasedVectorSpace;
use p3_lookup::{InteractionSymbolicBuilder, Kind, LogUpGadget, Lookup, Lookups};
use plonky2::field::types::Field;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::util::reducing::ReducingFactorTarget;

use super::{Builder, D, Word, word};
use crate::config::{EF, F};

type Extension = ExtensionTarget<D>;

/// What the constraints of a table read.
pub(super) struct TableRow {
    /// The main columns, here and at the next row.
    pub main: [Vec<Extension>; 2],
    /// The preprocessed columns, here and at the next row.
    pub preprocessed: [Vec<Extension>; 2],
    /// The lookup columns, here and at the next row.
    pub permutation: [Vec<Extension>; 2],
    /// The periodic columns.
    pub periodic: Vec<Extension>,
    /// The public values.
    pub public: Vec<Extension>,
    /// For each lookup column: the prefix of its bus, and beta.
    pub challenges: Vec<Extension>,
    /// The table's sum over all lookups, if it looks something up.
    pub terminal: Option<Extension>,
    /// Not zero on the first row only.
    pub is_first_row: Extension,
    /// Not zero on the last row only.
    pub is_last_row: Extension,
    /// Zero on the last row only.
    pub is_transition: Extension,
}

/// All constraints of a table, folded by powers of `alpha` as the native verifier folds them:
/// the last one has power 0.
pub(super) fn folded_constraints<A>(
    builder: &mut Builder,
    air: &A,
    lookups: &Lookups<F>,
    row: &TableRow,
    alpha: Extension,
) -> Extension
where
    A: Air<InteractionSymbolicBuilder<F, EF>>,
{
    let layout = AirLayout {
        preprocessed_width: row.preprocessed[0].len(),
        main_width: air.width(),
        num_public_values: air.num_public_values(),
        num_periodic_columns: air.num_periodic_columns(),
        ..Default::default()
    };
    let gadget = LogUpGadget::new();
    let (base, extension) = get_symbolic_constraints::<F, EF, A, _>(air, layout, lookups, &gadget);
    let order = get_constraint_layout::<F, EF, A, _>(air, layout, lookups, &gadget);

    let mut evaluator = Evaluator {
        builder,
        row,
        known: HashMap::new(),
    };
    let mut values = vec![None; order.total_constraints()];
    for (&i, constraint) in order.base_indices.iter().zip(&base) {
        values[i] = Some(evaluator.value(constraint));
    }
    for (&i, constraint) in order.ext_indices.iter().zip(&extension) {
        values[i] = Some(evaluator.value(constraint));
    }
    let values: Vec<Extension> = values
        .into_iter()
        .rev()
        .map(|value| value.expect("the layout numbers each constraint"))
        .collect();
    ReducingFactorTarget::new(alpha).reduce(&values, builder)
}

/// For each table and lookup column, the prefix of its bus and beta.
///
/// A port of `lay_out_lookup_challenges`: buses are numbered as they first appear, and bus i
/// has the prefix `alpha + (i + 1) beta^w`, w the longest message.
pub(super) fn lookup_challenges(
    builder: &mut Builder,
    lookups: &[Lookups<F>],
    alpha: Extension,
    beta: Extension,
) -> Vec<Vec<Extension>> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut buses = 0;
    let mut fresh = || {
        buses += 1;
        buses - 1
    };
    let ids: Vec<Vec<usize>> = lookups
        .iter()
        .map(|table| {
            let ids = table.iter().map(|lookup| match &lookup.kind {
                Kind::Global(name) => *numbers.entry(name).or_insert_with(&mut fresh),
                Kind::Local => fresh(),
            });
            ids.collect()
        })
        .collect();

    let messages = lookups.iter().flat_map(|table| table.iter());
    let widths = messages.flat_map(|Lookup { elements, .. }| elements.iter().map(Vec::len));
    let widest = widths.max().unwrap_or(1).max(1);
    let gamma = builder.exp_u64_extension(beta, widest as u64);
    let mut prefix = alpha;
    let mut prefixes = Vec::with_capacity(buses);
    for _ in 0..buses {
        prefix = builder.add_extension(prefix, gamma);
        prefixes.push(prefix);
    }
    ids.iter()
        .map(|ids| ids.iter().flat_map(|&id| [prefixes[id], beta]).collect())
        .collect()
}

/// Evaluates symbolic expressions, each shared node once.
struct Evaluator<'a> {
    builder: &'a mut Builder,
    row: &'a TableRow,
    /// Values of nodes, by their address: the expressions outlive the evaluator.
    known: HashMap<usize, Extension>,
}

/// A leaf of a symbolic expression.
trait Leaf: SymLeaf {
    fn value(&self, evaluator: &mut Evaluator) -> Extension;
}

impl Evaluator<'_> {
    /// The value of an expression. A product that is added to something takes no row of its
    /// own: `x y + z` is one operation of plonky2's gate.
    fn value<L: Leaf>(&mut self, expression: &SymbolicExpr<L>) -> Extension {
        match expression {
            SymbolicExpr::Leaf(leaf) => leaf.value(self),
            SymbolicExpr::Add { x, y, .. } => match (&**x, &**y) {
                (SymbolicExpr::Mul { x: a, y: b, .. }, _) => {
                    self.arithmetic(Word::ONE, a, b, Word::ONE, y)
                }
                (_, SymbolicExpr::Mul { x: a, y: b, .. }) => {
                    self.arithmetic(Word::ONE, a, b, Word::ONE, x)
                }
                _ => {
                    let (x, y) = (self.node(x), self.node(y));
                    self.builder.add_extension(x, y)
                }
            },
            SymbolicExpr::Sub { x, y, .. } => match (&**x, &**y) {
                (SymbolicExpr::Mul { x: a, y: b, .. }, _) => {
                    self.arithmetic(Word::ONE, a, b, Word::NEG_ONE, y)
                }
                (_, SymbolicExpr::Mul { x: a, y: b, .. }) => {
                    self.arithmetic(Word::NEG_ONE, a, b, Word::ONE, x)
                }
                _ => {
                    let (x, y) = (self.node(x), self.node(y));
                    self.builder.sub_extension(x, y)
                }
            },
            SymbolicExpr::Neg { x, .. } => {
                let x = self.node(x);
                self.builder.mul_const_extension(Word::NEG_ONE, x)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.node(x), self.node(y));
                self.builder.mul_extension(x, y)
            }
        }
    }

    /// The value of a node that may be shared.
    fn node<L: Leaf>(&mut self, node: &SymbolicExpr<L>) -> Extension {
        let address = core::ptr::from_ref(node).addr();
        if let Some(&value) = self.known.get(&address) {
            return value;
        }
        let value = self.value(node);
        self.known.insert(address, value);
        value
    }

    /// `c a b + d z`.
    fn arithmetic<L: Leaf>(
        &mut self,
        c: Word,
        a: &SymbolicExpr<L>,
        b: &SymbolicExpr<L>,
        d: Word,
        z: &SymbolicExpr<L>,
    ) -> Extension {
        let (a, b, z) = (self.node(a), self.node(b), self.node(z));
        self.builder.arithmetic_extension(c, d, a, b, z)
    }
}

impl Leaf for BaseLeaf<F> {
    fn value(&self, evaluator: &mut Evaluator) -> Extension {
        let row = evaluator.row;
        match self {
            Self::Variable(variable) => match variable.entry {
                BaseEntry::Main { offset } => row.main[offset][variable.index],
                BaseEntry::Preprocessed { offset } => row.preprocessed[offset][variable.index],
                BaseEntry::Periodic => row.periodic[variable.index],
                BaseEntry::Public => row.public[variable.index],
            },
            Self::IsFirstRow => row.is_first_row,
            Self::IsLastRow => row.is_last_row,
            Self::IsTransition => row.is_transition,
            Self::Constant(value) => constant(evaluator.builder, EF::from(*value)),
        }
    }
}

impl Leaf for ExtLeaf<F, EF> {
    fn value(&self, evaluator: &mut Evaluator) -> Extension {
        let row = evaluator.row;
        match self {
            Self::Base(expression) => evaluator.value(expression),
            Self::ExtVariable(variable) => match variable.entry {
                ExtEntry::Permutation { offset } => row.permutation[offset][variable.index],
                ExtEntry::Challenge => row.challenges[variable.index],
                ExtEntry::PermutationValue => row
                    .terminal
                    .expect("a table that looks something up has a terminal"),
            },
            Self::ExtConstant(value) => constant(evaluator.builder, *value),
        }
    }
}

/// A constant of the extension field.
pub(super) fn constant(builder: &mut Builder, value: EF) -> Extension {
    let coefficients = value.as_basis_coefficients_slice();
    let coefficients = core::array::from_fn(|i| builder.constant(word(coefficients[i])));
    ExtensionTarget(coefficients)
}
