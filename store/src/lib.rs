//! The ledger between batches, in an embedded, crash-safe database: records, the digests of the
//! tree above them, where the ledger stands, and the batches that led there.
//!
//! A batch is applied in one transaction, so that it is in the database whole or not at all,
//! whatever happens to the process or the machine. Executing one reads only the records that it
//! names and the tree's pages on their paths ([`View::part_for`]), checked against the head's
//! state root.

mod error;
mod guard;
mod hashing;
mod ledger;
mod schema;
mod store;
mod view;

pub use error::StoreError;
pub use ledger::{Applied, BatchDigest, Counts};
pub use schema::Table;
pub use store::{FILE, Store};
pub use view::View;
