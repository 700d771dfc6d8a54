//! The shardfold command.

fn main() {}
