//! Money held until an arbiter releases it, or returned after a time: a contract of one's own,
//! outside of Shardfold's standard list. `README.md` walks through it.

pub mod demo;
mod open;
mod refund;
mod release;
mod terms;

pub use open::{Open, OpenLaw};
pub use refund::{Refund, RefundLaw};
pub use release::{Release, ReleaseLaw};
pub use terms::{ESCROW, Terms, reasons};

use shardfold_contracts::set::standard;
use shardfold_contracts::{Contracts, SetError};

/// Returns the standard contracts and those of the escrow.
///
/// # Errors
/// A contract that does not fit: none does.
pub fn contracts() -> Result<Contracts, SetError> {
    let contracts = standard().clone();
    contracts.with(OpenLaw)?.with(ReleaseLaw)?.with(RefundLaw)
}
