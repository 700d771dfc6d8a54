//! Expressions over cells as numbers with slopes, and systems of linear equations.

use std::collections::BTreeMap;

use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr};
use p3_field::{Field, PrimeCharacteristicRing};
use shardfold_contracts::readings::Expr;
use shardfold_protocol::field::F;

/// A number that depends on variables: what it is, and how it changes with each of them.
#[derive(Clone, Debug, Default)]
pub struct Slope {
    /// What it is now.
    pub value: F,
    /// By how much it grows with each variable.
    pub terms: BTreeMap<usize, F>,
}

impl Slope {
    fn constant(value: F) -> Self {
        Self {
            value,
            terms: BTreeMap::new(),
        }
    }

    /// Adds another one so many times.
    pub fn add(mut self, other: &Self, times: F) -> Self {
        self.value += other.value * times;
        for (&variable, &slope) in &other.terms {
            let sum = self.terms.entry(variable).or_default();
            *sum += slope * times;
            if *sum == F::ZERO {
                self.terms.remove(&variable);
            }
        }
        self
    }

    fn scaled(self, times: F) -> Self {
        Self::default().add(&self, times)
    }
}

/// Where a row's cells and the public values are, and which variable a column is, if it is one.
pub struct At<'a> {
    /// The row.
    pub cells: &'a [F],
    /// The public values.
    pub public_values: &'a [F],
    /// The variable of a column.
    pub variable: &'a dyn Fn(usize) -> Option<usize>,
}

impl At<'_> {
    /// The expression's value and slopes here. Of a product of two that depend on variables the
    /// slopes hold for small changes only: [`products`] finds them.
    pub fn slope(&self, expression: &Expr) -> Slope {
        match expression {
            SymbolicExpr::Leaf(BaseLeaf::Variable(variable)) => match variable.entry {
                BaseEntry::Public => Slope::constant(self.public_values[variable.index]),
                _ => Slope {
                    value: self.cells[variable.index],
                    terms: (self.variable)(variable.index)
                        .map(|variable| (variable, F::ONE))
                        .into_iter()
                        .collect(),
                },
            },
            SymbolicExpr::Leaf(BaseLeaf::Constant(constant)) => Slope::constant(*constant),
            SymbolicExpr::Leaf(_) => unreachable!("rules know no rows"),
            SymbolicExpr::Neg { x, .. } => self.slope(x).scaled(F::NEG_ONE),
            SymbolicExpr::Add { x, y, .. } => self.slope(x).add(&self.slope(y), F::ONE),
            SymbolicExpr::Sub { x, y, .. } => self.slope(x).add(&self.slope(y), F::NEG_ONE),
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.slope(x), self.slope(y));
                let (a, b) = (x.value, y.value);
                let sum = x.scaled(b).add(&y, a);
                Slope {
                    value: a * b,
                    terms: sum.terms,
                }
            }
        }
    }
}

/// The variables on both sides of each product in an expression.
pub fn products(
    expression: &Expr,
    variable: &dyn Fn(usize) -> Option<usize>,
    found: &mut Vec<[Vec<usize>; 2]>,
) -> Vec<usize> {
    let both = |x: &Expr, y: &Expr, found: &mut Vec<[Vec<usize>; 2]>| {
        [products(x, variable, found), products(y, variable, found)]
    };
    let mut used = match expression {
        SymbolicExpr::Leaf(BaseLeaf::Variable(leaf)) => match leaf.entry {
            BaseEntry::Public => vec![],
            _ => variable(leaf.index).into_iter().collect(),
        },
        SymbolicExpr::Leaf(_) => vec![],
        SymbolicExpr::Neg { x, .. } => products(x, variable, found),
        SymbolicExpr::Add { x, y, .. } | SymbolicExpr::Sub { x, y, .. } => {
            both(x, y, found).concat()
        }
        SymbolicExpr::Mul { x, y, .. } => {
            let sides = both(x, y, found);
            let used = sides.concat();
            if sides.iter().all(|side| !side.is_empty()) {
                found.push(sides);
            }
            used
        }
    };
    used.sort_unstable();
    used.dedup();
    used
}

/// What a sum of variables must be.
#[derive(Clone, Debug)]
pub struct Equation {
    /// The factors.
    pub terms: BTreeMap<usize, F>,
    /// The sum.
    pub sum: F,
}

fn subtract(from: &mut Equation, other: &Equation, times: F) {
    for (&variable, &factor) in &other.terms {
        let rest = from.terms.entry(variable).or_default();
        *rest -= factor * times;
        if *rest == F::ZERO {
            from.terms.remove(&variable);
        }
    }
    from.sum -= other.sum * times;
}

/// Equations, each of which gives one variable as a sum of others.
#[derive(Default)]
pub struct Solved(BTreeMap<usize, Equation>);

impl Solved {
    /// What is left of an equation when all that is known is put in.
    pub fn reduce(&self, mut equation: Equation) -> Equation {
        let known: Vec<_> = equation
            .terms
            .iter()
            .filter(|(variable, _)| self.0.contains_key(variable))
            .map(|(&variable, &factor)| (variable, factor))
            .collect();
        for (variable, factor) in known {
            subtract(&mut equation, &self.0[&variable], factor);
        }
        equation
    }

    /// Adds an equation, solved for that of its variables which comes first in `order`. Says whether
    /// it agrees with the others.
    pub fn add(&mut self, equation: Equation, order: &dyn Fn(usize) -> u64) -> bool {
        let mut new = self.reduce(equation);
        let Some(&pivot) = new.terms.keys().min_by_key(|&&variable| order(variable)) else {
            return new.sum == F::ZERO;
        };
        let scale = new.terms[&pivot].inverse();
        new.terms.values_mut().for_each(|factor| *factor *= scale);
        new.sum *= scale;
        for other in self.0.values_mut() {
            if let Some(&factor) = other.terms.get(&pivot) {
                subtract(other, &new, factor);
            }
        }
        self.0.insert(pivot, new);
        true
    }

    /// A solution: variables that it does not name are zero.
    pub fn solution(&self) -> impl Iterator<Item = (usize, F)> {
        self.0
            .iter()
            .map(|(&variable, equation)| (variable, equation.sum))
    }
}
