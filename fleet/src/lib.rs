//! shardfold-fleet
