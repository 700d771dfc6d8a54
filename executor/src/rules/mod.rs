//! The rule of each kind of transaction: the numbered steps of `docs/protocol.md`.

mod deposit;
mod steps;
#[cfg(test)]
mod tests;
mod transfer;
mod withdraw;

use shardfold_protocol::record::{Asset, Index, Record, Vault};
use shardfold_protocol::transaction::{FeePayment, Transaction};

use crate::prepare::Authority;
use crate::reject::Reject;

/// What a valid transaction changes. The fee is kept apart: it may be added at once (the
/// sequential meaning) or later, together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The paying vault afterwards; `None` for a deposit.
    pub sender: Option<(Index, Vault)>,
    /// The receiving vault afterwards; `None` for a withdrawal.
    pub receiver: Option<(Index, Vault)>,
    /// What the fee vault gains on top, if anything.
    pub fee: Option<FeePayment>,
}

impl Effect {
    /// Returns the records to write, the fee apart.
    pub fn writes(&self) -> impl Iterator<Item = (Index, Record)> {
        let vaults = self.sender.into_iter().chain(self.receiver);
        vaults.map(|(index, vault)| (index, vault.into()))
    }

    /// Step 5: the fee vault can take the fee, as it stands after these writes.
    fn check_fee(self, asset: Asset, read: impl Fn(Index) -> Record) -> Result<Self, Reject> {
        if let Some(fee) = self.fee {
            let written = self.writes().find(|&(index, _)| index == fee.vault);
            let record = written.map_or_else(|| read(fee.vault), |(_, record)| record);
            steps::check_fee_vault(&fee, asset, &record)?;
        }
        Ok(self)
    }
}

/// Returns what a transaction does to the records that `read` gives, at a moment when so many
/// deposits were taken.
///
/// # Errors
/// The first rule that the transaction breaks.
pub fn apply(
    transaction: &Transaction,
    authority: &Authority,
    deposit_count: u64,
    read: impl Fn(Index) -> Record,
) -> Result<Effect, Reject> {
    match transaction {
        Transaction::Transfer(signed) => transfer::apply(&signed.body, authority, read),
        Transaction::Deposit(deposit) => deposit::apply(deposit, deposit_count, read),
        Transaction::Withdraw(signed) => withdraw::apply(&signed.body, authority, read),
    }
}
