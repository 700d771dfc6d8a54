//! The steps that rules share, each with its number in `docs/protocol.md`.

use shardfold_protocol::amount::{AMOUNT_LIMIT, FEE_LIMIT};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index, Record, Vault};
use shardfold_protocol::transaction::FeePayment;

use crate::prepare::Authority;
use crate::reject::Reject;

/// Step 1: amount and fee are in bounds.
pub(super) fn check_amounts(amount: u64, fee: u64) -> Result<(), Reject> {
    if amount >= AMOUNT_LIMIT {
        return Err(Reject::Amount { found: amount });
    }
    if fee >= FEE_LIMIT {
        return Err(Reject::Fee { found: fee });
    }
    Ok(())
}

/// What is taken out of a vault, and by which right.
pub(super) struct Spending {
    pub from: Index,
    pub asset: Asset,
    pub nonce: u64,
    /// Amount and fee, each in bounds.
    pub total: u64,
}

/// Steps 2 and 3: the owner of `from` has signed and can pay. The vault afterwards.
pub(super) fn spend(
    spending: &Spending,
    authority: &Authority,
    record: &Record,
) -> Result<Vault, Reject> {
    let missing = Reject::SenderMissing {
        index: spending.from,
    };
    let vault = record.vault().ok_or(missing)?;
    if vault.asset != spending.asset {
        return Err(Reject::SenderAsset {
            found: vault.asset,
            expected: spending.asset,
        });
    }
    if authority.owner != vault.owner {
        return Err(Reject::SenderOwner {
            found: authority.owner,
            expected: vault.owner,
        });
    }
    if spending.nonce != vault.nonce {
        return Err(Reject::Nonce {
            found: spending.nonce,
            expected: vault.nonce,
        });
    }
    if !authority.has_signed {
        return Err(Reject::Signature);
    }
    if vault.balance < spending.total {
        return Err(Reject::Balance {
            found: vault.balance,
            expected: spending.total,
        });
    }
    Ok(Vault {
        balance: vault.balance - spending.total,
        nonce: vault.nonce + 1,
        ..vault
    })
}

/// What is put into a vault, and into which.
pub(super) struct Receipt {
    pub to: Index,
    pub owner: Digest,
    pub asset: Asset,
    /// In bounds.
    pub amount: u64,
}

/// Step 4: `to` is a vault of this owner and asset, or empty and becomes one, and can hold
/// the amount. Returns the vault afterwards.
pub(super) fn receive(receipt: &Receipt, record: &Record) -> Result<Vault, Reject> {
    let Receipt {
        to,
        owner,
        asset,
        amount,
    } = *receipt;
    if record.is_empty() {
        return Ok(Vault {
            owner,
            asset,
            balance: amount,
            nonce: 0,
        });
    }
    let vault = record.vault().ok_or(Reject::ReceiverKind { index: to })?;
    if vault.owner != owner {
        return Err(Reject::ReceiverOwner {
            found: vault.owner,
            expected: owner,
        });
    }
    if vault.asset != asset {
        return Err(Reject::ReceiverAsset {
            found: vault.asset,
            expected: asset,
        });
    }
    // No vault of a valid state gets near 2^64, but what is read need not be one.
    let balance = vault.balance.saturating_add(amount);
    if balance >= AMOUNT_LIMIT {
        return Err(Reject::ReceiverBalance { found: balance });
    }
    Ok(Vault { balance, ..vault })
}

/// Step 5: the fee vault is a vault of this asset and can hold the fee.
pub(super) fn check_fee_vault(
    fee: &FeePayment,
    asset: Asset,
    record: &Record,
) -> Result<(), Reject> {
    let missing = Reject::FeeVaultMissing { index: fee.vault };
    let vault = record.vault().ok_or(missing)?;
    if vault.asset != asset {
        return Err(Reject::FeeVaultAsset {
            found: vault.asset,
            expected: asset,
        });
    }
    let balance = vault.balance.saturating_add(fee.amount);
    if balance >= AMOUNT_LIMIT {
        return Err(Reject::FeeVaultBalance { found: balance });
    }
    Ok(())
}

/// The fee as an effect: none if it is zero.
pub(super) fn fee_effect(fee: FeePayment) -> Option<FeePayment> {
    (fee.amount != 0).then_some(fee)
}
