//! shardfold-aggregator
