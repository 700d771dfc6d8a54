#![doc = include_str!("../README.md")]

pub mod deposit;
pub mod law;
pub mod layout;
pub mod machine;
pub mod readings;
pub mod recorded;
pub mod set;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transfer;
pub mod usage;
pub mod vaults;
pub mod withdraw;

pub use law::{CARRY, Carried, Contract, Law, MAX_STEPS, Path, Step, nothing};
pub use machine::{Machine, Part, Reason, Reject, Rule, Taken};
pub use set::{Contracts, SetError};
