//! The rows of a table as equations: cells are looked for with which everything holds but what a
//! test wants otherwise.
//!
//! All is linear but for the products in rules. Of each product one side is frozen, by chance, at
//! what it is or at some other value; then the rest is a linear system, and has a solution or none.
//! An inverse that serves one rule is no part of it: it is computed at the end.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::{Field, PrimeCharacteristicRing};
use shardfold_contracts::readings::Expr;
use shardfold_protocol::field::F;

use super::linear::{At, Equation, Slope, Solved, products};
use super::{Random, height, layout, row, step_of};
use crate::testing::ChipTrace;

/// What an equation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A rule: the row and its number.
    Rule(usize, usize),
    /// What a row is handed: the row and the element.
    Handed(usize, usize),
    /// Anything else.
    Other,
}

/// What some expressions over rows must add up to.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What it is about.
    pub about: About,
    /// Factor, row and expression of each term.
    pub terms: Vec<(F, usize, Expr)>,
    /// The sum, if it matters.
    pub sum: Option<F>,
}

/// A table in which cells may change.
pub struct System {
    /// The table as it is.
    pub chip: ChipTrace,
    /// What must hold in it.
    pub equations: Vec<Wanted>,
    /// Of each cell whether it may change.
    pub may_change: Vec<bool>,
}

/// The variable that a cell is.
pub fn variable(number: usize, column: usize) -> usize {
    number * layout().width() + column
}

fn column_expression(column: usize) -> Expr {
    use p3_air::symbolic::{BaseEntry, SymbolicVariable};
    SymbolicVariable::new(BaseEntry::Main { offset: 0 }, column).into()
}

/// Of each cell whether it may change: the rule's own ones, and what a row is handed.
fn changeable(chip: &ChipTrace) -> Vec<bool> {
    let mut may = vec![false; chip.trace.values.len()];
    for number in 0..height(chip) {
        let Some(step) = step_of(&row(chip, number)) else {
            continue;
        };
        let start = match step.step.is_first {
            true => layout().limbs_at(),
            false => layout().carried_at(),
        };
        may[variable(number, start)..variable(number + 1, 0)].fill(true);
    }
    may
}

/// Random values that a frozen cell may have instead of its own.
fn special(found: F, random: &mut Random) -> F {
    match random.below(10) {
        0 | 1 => F::ZERO,
        2 | 3 => F::ONE,
        4 => F::TWO,
        5 => found + F::ONE,
        6 => found - F::ONE,
        7 => found + F::TWO,
        8 => found - F::TWO,
        _ => F::from_u64(random.next() >> 1),
    }
}

impl System {
    /// What holds in an honest table.
    pub fn of(chip: &ChipTrace) -> Self {
        let mut equations = vec![];
        for number in 0..height(chip) {
            let cells = row(chip, number);
            let Some(step) = step_of(&cells) else {
                continue;
            };
            equations.extend(step.zeros.iter().enumerate().map(|(i, zero)| Wanted {
                about: About::Rule(number, i),
                terms: vec![(F::ONE, number, zero.clone())],
                sum: Some(F::ZERO),
            }));
            if step.next.is_empty() {
                continue;
            }
            let carried = step.carried.iter().enumerate();
            equations.extend(carried.map(|(i, carried)| {
                let cell = column_expression(layout().carried_at() + i);
                Wanted {
                    about: About::Handed(number + 1, i),
                    terms: vec![
                        (F::ONE, number, carried.clone()),
                        (F::NEG_ONE, number + 1, cell),
                    ],
                    sum: Some(F::ZERO),
                }
            }));
        }
        Self {
            chip: chip.clone(),
            equations,
            may_change: changeable(chip),
        }
    }

    /// The expression stays what it is.
    pub fn keep(&mut self, number: usize, expression: &Expr) {
        let sum = self.value(number, expression);
        self.want(number, expression, sum);
    }

    /// The expression is to be this.
    pub fn want(&mut self, number: usize, expression: &Expr, sum: F) {
        self.equations.push(Wanted {
            about: About::Other,
            terms: vec![(F::ONE, number, expression.clone())],
            sum: Some(sum),
        });
    }

    /// What an expression is now.
    pub fn value(&self, number: usize, expression: &Expr) -> F {
        let cells = row(&self.chip, number);
        shardfold_contracts::testing::value(expression, &cells, &self.chip.public_values)
    }

    /// Looks for cells with which all equations hold and which the test accepts, in so many attempts.
    /// Near the variables of `near` frozen cells change first.
    pub fn solve(
        &self,
        near: &[About],
        random: &mut Random,
        attempts: usize,
        is_accepted: impl Fn(&ChipTrace) -> bool,
    ) -> Option<ChipTrace> {
        let shape = Shape::of(self, near);
        (0..attempts).find_map(|attempt| {
            let found = self.attempt(&shape, random, attempt);
            found.filter(|chip| is_accepted(chip))
        })
    }

    fn attempt(&self, shape: &Shape, random: &mut Random, attempt: usize) -> Option<ChipTrace> {
        let frozen = shape.freeze(random);
        let mut chip = self.chip.clone();
        let changes = if attempt == 0 { 0 } else { random.below(4) };
        let near: Vec<_> = frozen.intersection(&shape.near).copied().collect();
        let all: Vec<_> = frozen.iter().copied().collect();
        for _ in 0..changes {
            let is_far = near.is_empty() || random.below(5) == 0;
            let from = if is_far { &all } else { &near };
            if from.is_empty() {
                break;
            }
            let cell = cell_of(&mut chip, random.pick(from));
            *cell = special(*cell, random);
        }
        let seed = random.next();
        let order = |variable: usize| (variable as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let is_free = |variable: usize| !frozen.contains(&variable);
        let mut solved = Solved::default();
        for (position, wanted) in self.equations.iter().enumerate() {
            let Some(sum) = wanted.sum else { continue };
            if shape.hints.contains_key(&position) {
                continue;
            }
            let slope = self.slope(&chip, wanted, &is_free);
            let equation = Equation {
                terms: slope.terms,
                sum: sum - slope.value,
            };
            if !solved.add(equation, &order) {
                return None;
            }
        }
        for (variable, change) in solved.solution() {
            *cell_of(&mut chip, variable) += change;
        }
        self.give_hints(chip, shape)
    }

    /// Sets the cells that serve one equation each.
    fn give_hints(&self, mut chip: ChipTrace, shape: &Shape) -> Option<ChipTrace> {
        for (&position, &hint) in &shape.hints {
            let wanted = &self.equations[position];
            let Some(sum) = wanted.sum else { continue };
            let slope = self.slope(&chip, wanted, &|variable| variable == hint);
            let missing = sum - slope.value;
            if missing != F::ZERO {
                let grows = slope.terms.get(&hint)?.inverse();
                *cell_of(&mut chip, hint) += missing * grows;
            }
        }
        Some(chip)
    }

    /// Whether small changes with which the equations hold leave an expression as it is.
    pub fn determines(&self, number: usize, expressions: &[Expr]) -> bool {
        let order = |variable: usize| variable as u64;
        let mut known = Solved::default();
        let slope = |wanted: &Wanted| Equation {
            terms: self.slope(&self.chip, wanted, &|_| true).terms,
            sum: F::ZERO,
        };
        for wanted in &self.equations {
            known.add(slope(wanted), &order);
        }
        expressions.iter().all(|expression| {
            let wanted = Wanted {
                about: About::Other,
                terms: vec![(F::ONE, number, expression.clone())],
                sum: None,
            };
            known.reduce(slope(&wanted)).terms.is_empty()
        })
    }

    /// Value and slopes of an equation.
    fn slope(&self, chip: &ChipTrace, wanted: &Wanted, is_free: &dyn Fn(usize) -> bool) -> Slope {
        let width = layout().width();
        let terms = wanted.terms.iter();
        terms.fold(Slope::default(), |sum, (factor, number, expression)| {
            let of = |column: usize| {
                let variable = variable(*number, column);
                let is_variable = self.may_change[variable] && is_free(variable);
                is_variable.then_some(variable)
            };
            let at = At {
                cells: &chip.trace.values[number * width..(number + 1) * width],
                public_values: &chip.public_values,
                variable: &of,
            };
            sum.add(&at.slope(expression), *factor)
        })
    }
}

/// The cell that a variable is.
fn cell_of(chip: &mut ChipTrace, variable: usize) -> &mut F {
    let width = layout().width();
    chip.cell_mut(variable / width, variable % width)
}

/// What is known of a system whatever its cells are.
struct Shape {
    products: Vec<[Vec<usize>; 2]>,
    /// Variables near what is wanted.
    near: BTreeSet<usize>,
    /// Of an equation with a product a variable that no other equation has: it is set at the end.
    hints: BTreeMap<usize, usize>,
}

impl Shape {
    fn of(system: &System, near: &[About]) -> Self {
        let mut used = vec![];
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for wanted in &system.equations {
            let (mut variables, mut found) = (BTreeSet::new(), vec![]);
            for (_, number, expression) in &wanted.terms {
                let of = |column: usize| {
                    let variable = variable(*number, column);
                    system.may_change[variable].then_some(variable)
                };
                variables.extend(products(expression, &of, &mut found));
            }
            for &variable in &variables {
                *counts.entry(variable).or_default() += 1;
            }
            used.push((wanted.about, variables, found));
        }
        let mut hints = BTreeMap::new();
        for (position, (_, variables, found)) in used.iter().enumerate() {
            let sides = || found.iter().flatten();
            let is_factor = |variable: &usize| sides().any(|side| side.contains(variable));
            let is_alone = |variable: &&usize| counts[variable] == 1;
            if variables
                .iter()
                .filter(is_alone)
                .any(|alone| !is_factor(alone))
            {
                continue;
            }
            let factors = sides().filter(|side| side.len() == 1).flatten();
            let alone = factors.clone().find(is_alone);
            if let Some(&alone) = alone {
                hints.insert(position, alone);
            }
        }
        let start: BTreeSet<usize> = used
            .iter()
            .filter(|(about, ..)| near.contains(about))
            .flat_map(|(_, variables, _)| variables.iter().copied())
            .collect();
        let neighbours = used
            .iter()
            .filter(|(_, variables, _)| !variables.is_disjoint(&start))
            .flat_map(|(_, variables, _)| variables.iter().copied());
        let near = neighbours.chain(start.iter().copied()).collect();
        let others = used
            .into_iter()
            .enumerate()
            .filter(|(position, _)| !hints.contains_key(position));
        Self {
            near,
            products: others.flat_map(|(_, (_, _, found))| found).collect(),
            hints,
        }
    }

    /// One side of each product: rather the one with fewer cells.
    fn freeze(&self, random: &mut Random) -> BTreeSet<usize> {
        let mut frozen = BTreeSet::new();
        let mut order: Vec<_> = (0..self.products.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
        for product in order {
            let [x, y] = &self.products[product];
            let is_frozen = |side: &Vec<usize>| side.iter().all(|cell| frozen.contains(cell));
            if is_frozen(x) || is_frozen(y) {
                continue;
            }
            let (few, many) = if x.len() <= y.len() { (x, y) } else { (y, x) };
            let side = if random.below(4) == 0 { many } else { few };
            frozen.extend(side.iter().copied());
        }
        frozen
    }
}
