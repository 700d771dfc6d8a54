//! Settlement on an EVM chain: `wrap` makes a settlement proof of a validity proof, `verify` checks
//! one; `verifier` makes the contracts that check it on a chain, `settle-call` makes what the contract gets,
//! `settle` settles it, `deposits` takes what waits in its queue; `archive` keeps what the chain says, from which `rebuild`,
//! `escape` and `exit-drill` lead out without anybody's help.

mod archive;
mod call;
mod changes;
mod deposits;
mod drill;
mod leave;
mod owner;
mod publish;
mod settle;
mod verifier;
mod verify;
mod wrap;

pub use archive::run as archive;
pub use call::settle_call;
pub use changes::{Changes, changes_output, read_changes};
pub use deposits::deposits;
pub use drill::run as exit_drill;
pub use leave::{escape, rebuild};
pub use settle::settle;
pub use verifier::verifier;
pub use verify::{built_in_keys, keys, verify};
pub use wrap::run as wrap;
