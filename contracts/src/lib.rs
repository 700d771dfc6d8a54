#![doc = include_str!("../README.md")]

pub mod costs;
pub mod deposit;
pub mod exchange;
pub mod exit;
pub mod law;
pub mod layout;
pub mod lending;
pub mod machine;
pub mod payout;
pub mod readings;
pub mod recorded;
pub mod set;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transfer;
pub mod usage;
pub mod vaults;
pub mod withdraw;

pub use law::{
    Body, CARRY, Carried, Contract, FeePayment, Law, MAX_STEPS, Path, Step, carry, nothing,
};
pub use machine::{
    Machine, Owner, Part, Reason, Reject, Rule, Taken, VaultAccess, VaultReasons, VaultUse,
};
pub use set::{Contracts, SetError};
