//! Expressions over rows as one straight line of steps: what chips say on buses is compiled once
//! and then computed for as many rows at a time as a packed value has lanes.

use std::collections::HashMap;

use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr, SymbolicExpression, SymbolicVariable};
use p3_field::Field;
use p3_matrix::dense::RowMajorMatrixView;
use shardfold_protocol::field::F;

/// So many rows at a time, one in each lane.
pub(super) type Packed = <F as Field>::Packing;

/// The number of a value: that of the step that computes it.
pub(super) type Value = usize;

/// A row of a table and the next one, and what is known beside them.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Both rows.
    pub(super) main: RowMajorMatrixView<'a, Packed>,
    /// The public values of the table.
    pub(super) public_values: &'a [F],
    /// Where the rows lie.
    pub(super) selectors: Selectors,
}

/// Not zero on the first row only, on the last row only, on all but the last row.
#[derive(Clone, Copy)]
pub(super) struct Selectors {
    pub(super) first: Packed,
    pub(super) last: Packed,
    pub(super) transition: Packed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Constant(F),
    Main { offset: usize, column: usize },
    Public(usize),
    IsFirst,
    IsLast,
    IsTransition,
    Add(Value, Value),
    Sub(Value, Value),
    Mul(Value, Value),
    Neg(Value),
}

/// The steps, each of which computes one value from earlier ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    steps: Vec<Step>,
}

impl Program {
    /// Computes all values for these rows.
    pub(super) fn run(&self, rows: &Rows<'_>, values: &mut Vec<Packed>) {
        values.clear();
        for step in &self.steps {
            values.push(match *step {
                Step::Constant(constant) => constant.into(),
                Step::Main { offset, column } => at(&rows.main, offset, column),
                Step::Public(index) => rows.public_values[index].into(),
                Step::IsFirst => rows.selectors.first,
                Step::IsLast => rows.selectors.last,
                Step::IsTransition => rows.selectors.transition,
                Step::Add(a, b) => values[a] + values[b],
                Step::Sub(a, b) => values[a] - values[b],
                Step::Mul(a, b) => values[a] * values[b],
                Step::Neg(a) => -values[a],
            });
        }
    }

    /// Returns the value if it is the same on all rows of all traces.
    pub(super) fn constant(&self, value: Value) -> Option<F> {
        match self.steps[value] {
            Step::Constant(constant) => Some(constant),
            _ => None,
        }
    }

    /// Returns the number of values.
    pub(super) const fn len(&self) -> usize {
        self.steps.len()
    }
}

fn at(rows: &RowMajorMatrixView<'_, Packed>, offset: usize, column: usize) -> Packed {
    rows.values[offset * rows.width + column]
}

/// Lays out expressions as a program that computes nothing twice.
#[derive(Default)]
pub(super) struct Compiler<'a> {
    program: Program,
    known: HashMap<Step, Value>,
    /// Expressions share their parts: each is walked once.
    seen: HashMap<*const SymbolicExpression<F>, Value>,
    expressions: std::marker::PhantomData<&'a SymbolicExpression<F>>,
}

impl<'a> Compiler<'a> {
    /// Returns the value of the expression, or nothing if it depends on a periodic column or on
    /// rows further apart than neighbours.
    pub(super) fn add(&mut self, expression: &'a SymbolicExpression<F>) -> Option<Value> {
        if let Some(&value) = self.seen.get(&std::ptr::from_ref(expression)) {
            return Some(value);
        }
        let step = match expression {
            SymbolicExpr::Leaf(leaf) => leaf_step(leaf)?,
            SymbolicExpr::Add { x, y, .. } => Step::Add(self.add(x)?, self.add(y)?),
            SymbolicExpr::Sub { x, y, .. } => Step::Sub(self.add(x)?, self.add(y)?),
            SymbolicExpr::Mul { x, y, .. } => Step::Mul(self.add(x)?, self.add(y)?),
            SymbolicExpr::Neg { x, .. } => Step::Neg(self.add(x)?),
        };
        let steps = &mut self.program.steps;
        let value = *self.known.entry(step).or_insert_with(|| {
            steps.push(step);
            steps.len() - 1
        });
        self.seen.insert(expression, value);
        Some(value)
    }

    /// Returns the program.
    pub(super) fn finish(self) -> Program {
        self.program
    }
}

fn leaf_step(leaf: &BaseLeaf<F>) -> Option<Step> {
    Some(match leaf {
        BaseLeaf::Variable(variable) => variable_step(variable)?,
        BaseLeaf::IsFirstRow => Step::IsFirst,
        BaseLeaf::IsLastRow => Step::IsLast,
        BaseLeaf::IsTransition => Step::IsTransition,
        BaseLeaf::Constant(constant) => Step::Constant(*constant),
    })
}

fn variable_step(variable: &SymbolicVariable<F>) -> Option<Step> {
    let column = variable.index;
    match variable.entry {
        BaseEntry::Main { offset } if offset < 2 => Some(Step::Main { offset, column }),
        BaseEntry::Public => Some(Step::Public(column)),
        _ => None,
    }
}
