//! Chips of which one thing is taken out.

use p3_air::symbolic::{AirLayout, BaseLeaf, SymbolicExpression};
use p3_air::{Air, AirBuilder};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder, InteractionSymbolicBuilder};

use crate::bus::ChipBuilder;
use crate::chips::Chip;
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
        }
    }

    /// Whether the field is to be zero in the chip's message `number` on `bus`.
    fn is_taken_out(&self, number: usize, bus: &str, field: usize) -> bool {
        match self.removal {
            Some(Removal::BusField {
                bus: emptied,
                field: taken_out,
            }) => bus == emptied && field == taken_out,
            one_side => {
                let chip = self.chip;
                let this = Removal::OneSide {
                    chip,
                    number,
                    field,
                };
                one_side == Some(this)
            }
        }
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
        if self.removal == Some(Removal::Message { chip, number }) {
            return;
        }
        let kept = fields.into_iter().enumerate().map(|(field, value)| {
            match self.is_taken_out(number, bus_name, field) {
                true => Self::Expr::ZERO,
                false => value.into(),
            }
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
        _bus_name: &str,
        _branches: impl IntoIterator<Item = (Self::Expr, Count<Self::Expr>, Vec<Self::Expr>)>,
    ) {
        unreachable!("no chip has messages that exclude each other");
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
    /// For each field whether it is zero on every row of every trace.
    pub is_always_zero: Vec<bool>,
}

impl Inventory {
    /// Counts what a chip asserts and says.
    pub fn of(chip: &Chip) -> Self {
        let layout = AirLayout::from_air(chip);
        let mut symbolic = InteractionSymbolicBuilder::<F, EF>::new(layout);
        let mut counting = Reduced::new(&mut symbolic, chip.name(), None);
        chip.eval(&mut counting);
        let constraints = counting.constraints;
        let said = symbolic.global_interactions().iter();
        let messages = said.map(|message| MessageKind {
            bus: name_of_bus(&message.bus_name),
            is_always_zero: message.fields.iter().map(is_constant_zero).collect(),
        });
        Self {
            constraints,
            messages: messages.collect(),
        }
    }
}

/// The names in `bus.rs`.
const BUSES: [&str; 12] = [
    "ledger",
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
