//! Tests of the verifiers, on a small circuit over the tree's common data.

mod accept;
mod damage;
mod fixture;
mod keccak;
mod transcript;
