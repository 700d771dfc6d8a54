//! shardfold-executor
