//! Tests of the `shardfold` command as its users see it: the binary is started, its files are
//! read, damaged and taken away. All proofs have the profile `unsound-test`, which takes
//! seconds.

mod archive;
mod bad_files;
mod bad_places;
mod bad_transactions;
mod browser;
mod chain;
mod chains;
mod claims;
mod common;
mod cost;
mod exit_codes;
mod fleet;
mod foreign;
mod fuzz;
mod guides;
mod happy_path;
mod import;
mod kills;
mod leaving;
mod node;
mod on_chain;
mod outputs;
mod processes;
mod prove_state;
mod quotes;
mod resume;
mod scenarios;
mod settlement;
mod state;
mod submit;
mod wrapped;
