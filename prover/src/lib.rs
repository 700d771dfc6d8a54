//! shardfold-prover
