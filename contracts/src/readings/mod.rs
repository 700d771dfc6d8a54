//! The readings of a rule: on numbers, as a row, as constraints, and without the state.

mod constrain;
mod division;
mod fill;
mod outline;
mod run;
mod said;
#[cfg(test)]
mod tests;

pub use constrain::Constrain;
pub use division::Division;
pub use fill::{Fill, Notes, VaultNote};
pub use outline::{Access, Mode, Outline, Pending};
pub use run::{Authority, Context, Effect, FeePaid, PREPARED, Prepared, Run};
pub use said::{AccessCall, Bus, Expr, HashCall, Message};
