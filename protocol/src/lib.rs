//! The rules of Shardfold: everything that the executor and the circuits must agree on.

pub mod curve;
pub mod field;
pub mod hash;
pub mod head;
pub mod signature;
