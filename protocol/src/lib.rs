//! The rules of Shardfold: everything that the executor and the circuits must agree on.

pub mod amount;
pub mod curve;
pub mod field;
pub mod hash;
pub mod head;
pub mod record;
pub mod shape;
pub mod signature;
pub mod transaction;
pub mod witness;
