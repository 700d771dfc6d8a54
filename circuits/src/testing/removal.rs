//! Chips of which one thing is taken out.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use p3_air::symbolic::{AirLayout, BaseLeaf, SymbolicExpression};
use p3_air::{Air, AirBuilder};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder, InteractionSymbolicBuilder};
use shardfold_contracts::Contracts;

use crate::bus::ChipBuilder;
use crate::chips::Chip;
use crate::chips::transaction::TransactionChip;
use shardfold_protocol::field::F;
use shardfold_recursion::config::EF;

/// One thing that a removal takes out. Constraints and messages of a chip are numbered from
/// 0 in the order of its `eval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removal {
    /// The constraint is not asserted.
    Constraint {
        /// Name of the chip.
        chip: &'static str,
        /// Number of the constraint.
        number: usize,
    },
    /// The message is neither sent nor received.
    Message {
        /// Name of the chip.
        chip: &'static str,
        /// Number of the message.
        number: usize,
    },
    /// The field is zero in this message, and as it was at the other end of the bus.
    OneSide {
        /// Name of the chip.
        chip: &'static str,
        /// Number of the message.
        number: usize,
        /// Number of the field in the message, from 0.
        field: usize,
    },
    /// The kind of step says nothing in this slot, which all kinds of steps share.
    Branch {
        /// Name of the chip.
        chip: &'static str,
        /// Number of the slot among the chip's messages.
        number: usize,
        /// Which of its branches, from 0.
        branch: usize,
    },
    /// The field is zero in what this kind of step says in this slot.
    BranchField {
        /// Name of the chip.
        chip: &'static str,
        /// Number of the slot among the chip's messages.
        number: usize,
        /// Which of its branches, from 0.
        branch: usize,
        /// Number of the field in the message, from 0.
        field: usize,
    },
    /// Of the transaction table: this constraint of this kind of step is not asserted.
    Rule {
        /// Number of the step in the table.
        step: usize,
        /// Number of the constraint among those of the step.
        number: usize,
    },
    /// The field is zero in every message on the bus.
    BusField {
        /// Name of the bus.
        bus: &'static str,
        /// Number of the field in the bus's messages, from 0.
        field: usize,
    },
}

/// A chip's constraints and messages without what is taken out.
///
/// Every assertion ends in `assert_zero` and every message in `push_interaction`, so that
/// these two see and count them all, whichever builder is below.
pub struct Reduced<'a, AB> {
    full: &'a mut AB,
    chip: &'static str,
    removal: Option<Removal>,
    constraints: usize,
    messages: usize,
    /// Of each message whether it is a slot.
    exclusive: Vec<bool>,
}

impl<'a, AB> Reduced<'a, AB> {
    /// The builder that `chip` sees instead of `full`.
    pub const fn new(full: &'a mut AB, chip: &'static str, removal: Option<Removal>) -> Self {
        Self {
            full,
            chip,
            removal,
            constraints: 0,
            messages: 0,
            exclusive: vec![],
        }
    }

    /// The field of a message on `bus`, zero if it is `this` or the bus's that is taken out.
    fn kept(&self, this: Removal, bus: &str, field: usize, value: AB::Expr) -> AB::Expr
    where
        AB: AirBuilder,
    {
        let is_emptied = match self.removal {
            Some(Removal::BusField { bus: of, field: f }) => of == bus && f == field,
            other => other == Some(this),
        };
        if is_emptied { AB::Expr::ZERO } else { value }
    }
}

impl<AB: AirBuilder> AirBuilder for Reduced<'_, AB> {
    type F = AB::F;
    type Expr = AB::Expr;
    type Var = AB::Var;
    type PreprocessedWindow = AB::PreprocessedWindow;
    type MainWindow = AB::MainWindow;
    type PublicVar = AB::PublicVar;
    type PeriodicVar = AB::PeriodicVar;

    fn main(&self) -> Self::MainWindow {
        self.full.main()
    }

    fn preprocessed(&self) -> &Self::PreprocessedWindow {
        self.full.preprocessed()
    }

    fn is_first_row(&self) -> Self::Expr {
        self.full.is_first_row()
    }

    fn is_last_row(&self) -> Self::Expr {
        self.full.is_last_row()
    }

    fn is_transition(&self) -> Self::Expr {
        self.full.is_transition()
    }

    fn assert_zero<I: Into<Self::Expr>>(&mut self, x: I) {
        let (chip, number) = (self.chip, self.constraints);
        self.constraints += 1;
        if self.removal != Some(Removal::Constraint { chip, number }) {
            self.full.assert_zero(x);
        }
    }

    fn public_values(&self) -> &[Self::PublicVar] {
        self.full.public_values()
    }

    fn periodic_values(&self) -> &[Self::PeriodicVar] {
        self.full.periodic_values()
    }
}

impl<AB: InteractionBuilder> InteractionBuilder for Reduced<'_, AB> {
    fn push_interaction<E: Into<Self::Expr>>(
        &mut self,
        bus_name: &str,
        fields: impl IntoIterator<Item = E>,
        count: impl Into<Count<Self::Expr>>,
    ) {
        let (chip, number) = (self.chip, self.messages);
        self.messages += 1;
        self.exclusive.push(false);
        if self.removal == Some(Removal::Message { chip, number }) {
            return;
        }
        let kept = fields.into_iter().enumerate().map(|(field, value)| {
            let this = Removal::OneSide {
                chip,
                number,
                field,
            };
            self.kept(this, bus_name, field, value.into())
        });
        let kept: Vec<_> = kept.collect();
        self.full.push_interaction(bus_name, kept, count);
    }

    fn push_local_interaction(
        &mut self,
        _tuples: impl IntoIterator<Item = (Vec<Self::Expr>, Count<Self::Expr>)>,
    ) {
        unreachable!("no chip has lookups within its own table");
    }

    fn push_exclusive_interaction(
        &mut self,
        bus_name: &str,
        branches: impl IntoIterator<Item = (Self::Expr, Count<Self::Expr>, Vec<Self::Expr>)>,
    ) {
        let (chip, number) = (self.chip, self.messages);
        self.messages += 1;
        self.exclusive.push(true);
        if self.removal == Some(Removal::Message { chip, number }) {
            return;
        }
        let branches = branches.into_iter().enumerate();
        let is_kept = |branch| {
            let this = Removal::Branch {
                chip,
                number,
                branch,
            };
            self.removal != Some(this)
        };
        let branches = branches.filter(|(branch, _)| is_kept(*branch));
        let kept = branches.map(|(branch, (flag, count, fields))| {
            let fields = fields.into_iter().enumerate().map(|(field, value)| {
                let this = Removal::BranchField {
                    chip,
                    number,
                    branch,
                    field,
                };
                self.kept(this, bus_name, field, value)
            });
            (flag, count, fields.collect())
        });
        let kept: Vec<_> = kept.collect();
        if !kept.is_empty() {
            self.full.push_exclusive_interaction(bus_name, kept);
        }
    }
}

/// What a chip asserts and says.
pub struct Inventory {
    /// The number of its constraints.
    pub constraints: usize,
    /// Its messages, in the order of `eval`.
    pub messages: Vec<MessageKind>,
}

/// A message that every row of a chip may send or receive.
pub struct MessageKind {
    /// The bus.
    pub bus: &'static str,
    /// For each field whether it is zero on every row of every trace; of a slot for each branch.
    pub said: Said,
}

/// What may be said where. Of each field whether it is zero on every row of every trace.
pub enum Said {
    /// One message.
    One(Vec<bool>),
    /// One of these, or none.
    Slot(Vec<Vec<bool>>),
}

impl MessageKind {
    /// How many fields it has.
    pub fn width(&self) -> usize {
        match &self.said {
            Said::One(fields) => fields.len(),
            Said::Slot(branches) => branches.iter().map(Vec::len).max().unwrap_or(0),
        }
    }
}

impl Inventory {
    /// Counts what a chip asserts and says.
    pub fn of(chip: &Chip) -> Self {
        let layout = AirLayout::from_air(chip);
        let mut symbolic = InteractionSymbolicBuilder::<F, EF>::new(layout);
        let mut counting = Reduced::new(&mut symbolic, chip.name(), None);
        chip.eval(&mut counting);
        let (constraints, exclusive) = (counting.constraints, counting.exclusive);
        let mut plain = symbolic.global_interactions().iter();
        let mut slots = symbolic.exclusive_interactions().iter();
        let zeros = |fields: &Vec<SymbolicExpression<F>>| {
            fields.iter().map(is_constant_zero).collect::<Vec<_>>()
        };
        let messages = exclusive.into_iter().map(|is_slot| {
            if is_slot {
                let slot = slots.next().expect("as many as were said");
                let branches = slot.branches.iter();
                MessageKind {
                    bus: name_of_bus(&slot.bus_name),
                    said: Said::Slot(branches.map(|branch| zeros(&branch.fields)).collect()),
                }
            } else {
                let message = plain.next().expect("as many as were said");
                MessageKind {
                    bus: name_of_bus(&message.bus_name),
                    said: Said::One(zeros(&message.fields)),
                }
            }
        });
        Self {
            messages: messages.collect(),
            constraints,
        }
    }
}

/// The names in `bus.rs`.
const BUSES: [&str; 13] = [
    "vault",
    "muldiv",
    "state",
    "node",
    "hash",
    "signature",
    "base",
    "variable_table",
    "variable_base",
    "fixed_base",
    "fixed_table",
    "range",
    "fee",
];

fn name_of_bus(name: &str) -> &'static str {
    let known = BUSES.into_iter().find(|bus| *bus == name);
    known.unwrap_or_else(|| panic!("{name} is not among the buses"))
}

fn is_constant_zero(field: &SymbolicExpression<F>) -> bool {
    matches!(field, SymbolicExpression::Leaf(BaseLeaf::Constant(value)) if *value == F::ZERO)
}

/// Evaluates a chip without what is taken out.
pub fn eval_without<AB: ChipBuilder>(chip: &Chip, builder: &mut AB, removal: Option<Removal>) {
    chip.eval(&mut Reduced::new(builder, chip.name(), removal));
}

/// The chip of which a rule is taken out; any other chip is as it is.
pub fn without_rule(chip: &Chip, removal: Option<Removal>) -> Chip {
    /// By the list's address, step and rule.
    type Lists = BTreeMap<(usize, usize, usize), &'static Contracts>;
    static LISTS: LazyLock<Mutex<Lists>> = LazyLock::new(Mutex::default);
    let (Chip::Transaction(chip), Some(Removal::Rule { step, number })) = (chip, removal) else {
        return chip.clone();
    };
    let address = core::ptr::from_ref(chip.contracts).addr();
    let mut lists = LISTS.lock().expect("no test panics here");
    // Chips refer to their list for ever, so each list is made once.
    let list = lists.entry((address, step, number)).or_insert_with(|| {
        let without = chip.contracts.clone().with_steps(|steps| {
            steps[step].zeros[number] = SymbolicExpression::ZERO;
        });
        Box::leak(Box::new(without))
    });
    Chip::Transaction(TransactionChip { contracts: list })
}
