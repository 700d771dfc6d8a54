//! Whether a fee can be paid.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Index, KIND_VAULT, Record};

use crate::machine::{Reject, Rule, reasons};
use crate::readings::{Effect, FeePaid};

/// The fee vault can take the fee, as it stands after the transaction's writes.
pub(super) fn check_fee(effect: &Effect, read: &dyn Fn(Index) -> Record) -> Rule<()> {
    let Some(FeePaid {
        vault,
        asset,
        amount,
    }) = effect.fee
    else {
        return Ok(());
    };
    let written = effect.writes.iter().find(|(index, _)| *index == vault);
    let record = written.map_or_else(|| read(vault), |(_, record)| *record);
    let [kind, its_asset, balance, ..] = record.0;
    let fail = |reason, found, expected| {
        Err(Reject {
            reason,
            found,
            expected,
        })
    };
    if kind != F::from_u64(KIND_VAULT) {
        let index = F::from_u32(vault);
        return fail(&reasons::FEE_VAULT_MISSING, index, F::ONE);
    }
    if its_asset != asset {
        return fail(&reasons::FEE_VAULT_ASSET, its_asset, asset);
    }
    let sum = balance + F::from_u64(amount);
    if sum.as_canonical_u64() >= AMOUNT_LIMIT {
        return fail(&reasons::FEE_VAULT_BALANCE, sum, F::from_u64(AMOUNT_LIMIT));
    }
    Ok(())
}
