//! The readings of a rule: on numbers, as a row, as constraints, and without the state.

mod constrain;
#[cfg(test)]
mod exhaust;
mod fill;
mod outline;
mod run;

pub use constrain::{AccessCall, Bus, Constrain, Expr, HashCall, Message};
pub use fill::{Fill, Notes};
pub use outline::{Access, Mode, Outline, Pending};
pub use run::{Authority, Context, Effect, FeePaid, PREPARED, Prepared, Run};
