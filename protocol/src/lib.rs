//! The rules of Shardfold: everything that the executor and the circuits must agree on.

pub mod address;
pub mod amount;
pub mod batch;
pub mod bounds;
pub mod curve;
pub mod data;
pub mod difference;
pub mod envelope;
pub mod field;
pub mod files;
pub mod folder;
pub mod hash;
pub mod head;
pub mod inclusion;
pub mod rebuild;
pub mod record;
pub mod shape;
pub mod signature;
pub mod state;
pub mod text;
pub mod transaction;
pub mod tree;
pub mod witness;
