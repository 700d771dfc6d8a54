//! The readings of a rule: on numbers, as a row, as constraints, and without the state.

mod constrain;
mod fill;
mod outline;
mod run;
#[cfg(test)]
mod tests;

pub use constrain::{AccessCall, Bus, Constrain, Expr, HashCall, Message};
pub use fill::{Fill, Notes};
pub use outline::{Access, Mode, Outline, Pending};
pub use run::{Authority, Context, Effect, FeePaid, PREPARED, Prepared, Run};
