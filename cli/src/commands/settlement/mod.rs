//! Settlement on an EVM chain: `wrap` makes a settlement proof of a validity proof, `verify` checks
//! one; `verifier` makes the contracts that check it on a chain, `settle-call` makes what the contract gets; `rebuild` and `escape` lead out without anybody's help.

mod call;
mod drill;
mod leave;
mod verifier;
mod verify;
mod wrap;

pub use call::settle_call;
pub use drill::run as exit_drill;
pub use leave::{escape, rebuild};
pub use verifier::verifier;
pub use verify::{built_in_keys, verify};
pub use wrap::run as wrap;
