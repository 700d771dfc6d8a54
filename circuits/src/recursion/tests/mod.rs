//! Tests of the verifier circuit, on toy chips.

mod gate;
