//! The side that receives: a vault gains the amount, or is opened with it.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::record::KIND_VAULT;

use super::access::{AccessColumns, access};
use super::amount::{self, AmountColumns};
use crate::bus::ChipBuilder;
use crate::cells::{Cells, write};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::witness_rows::Access;
use shardfold_protocol::field::F;

/// The receiving vault: taken as it stands, a vault or eight zeros, written back as
/// `[1, asset, new_balance, nonce, owner]` with the transaction's asset and owner.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CreditColumns<T> {
    /// Where it lies and when it was last written.
    pub access: AccessColumns<T>,
    /// Before: 1 for a vault, 0 for an empty leaf.
    pub kind: T,
    /// Before: kind * the transaction's asset.
    pub asset: T,
    /// Before; 0 for an empty leaf.
    pub balance: T,
    /// Before and after; 0 for an empty leaf.
    pub nonce: T,
    /// Before: kind * the owner whom the transaction names.
    pub owner: [T; 4],
    /// After, below 2^62: new_balance = balance + amount.
    pub new_balance: AmountColumns<T>,
}

impl<T> CreditColumns<T> {
    /// Names the next cells.
    pub fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            access: AccessColumns::of(cells),
            kind: cells.one(),
            asset: cells.one(),
            balance: cells.one(),
            nonce: cells.one(),
            owner: cells.array(),
            new_balance: AmountColumns::of(cells),
        }
    }
}

impl CreditColumns<&mut F> {
    /// Writes the columns of one credit and notes its range checks.
    ///
    /// # Errors
    ///
    /// A balance or a clock out of range.
    pub fn fill(
        self,
        step: &Access,
        clock: u32,
        events: &mut LookupEvents,
    ) -> Result<(), TraceError> {
        self.access.fill(step, clock, events)?;
        let [kind, asset, balance, nonce, owner @ ..] = step.before.0;
        write(
            [self.kind, self.asset, self.balance, self.nonce],
            [kind, asset, balance, nonce],
        );
        write(self.owner, owner);
        self.new_balance.fill(step.new_balance, events)
    }
}

/// What the transaction says about the receiving vault.
pub struct Income<E> {
    /// Whose vault it is.
    pub owner: [E; 4],
    /// What it holds.
    pub asset: E,
    /// How much it gains.
    pub amount: E,
}

/// A vault of the named owner and asset, or an empty leaf that becomes one, gains the amount.
///
/// Caller: `is_real` is boolean, the amount is below 2^62 and zero on padding rows of zeros,
/// index, owner, asset and amount enter the transaction's digest.
pub fn credit<AB: ChipBuilder>(
    builder: &mut AB,
    is_real: AB::Expr,
    clock: AB::Expr,
    credit: &CreditColumns<AB::Var>,
    income: Income<AB::Expr>,
) {
    // What is taken is an empty leaf: eight zeros ...
    builder.assert_bool(credit.kind);
    let is_empty = AB::Expr::ONE - credit.kind;
    builder.assert_zero(is_empty.clone() * credit.balance);
    builder.assert_zero(is_empty * credit.nonce);
    // ... or a vault of this asset and owner.
    builder.assert_eq(credit.asset, income.asset.clone() * credit.kind);
    for (taken, named) in credit.owner.into_iter().zip(income.owner.clone()) {
        builder.assert_eq(taken, named * credit.kind);
    }
    // It gains the amount: no sum wraps the field, both terms are below 2^62.
    let new_balance = amount::value::<AB>(&credit.new_balance.limbs);
    builder.assert_eq(new_balance.clone(), income.amount + credit.balance);

    amount::check(builder, &credit.new_balance, is_real.clone());
    let record = |kind, asset, balance, [o0, o1, o2, o3]: [AB::Expr; 4]| {
        [kind, asset, balance, credit.nonce.into(), o0, o1, o2, o3]
    };
    let taken = record(
        credit.kind.into(),
        credit.asset.into(),
        credit.balance.into(),
        credit.owner.map(Into::into),
    );
    let kind = AB::Expr::from_u64(KIND_VAULT);
    let written = record(kind, income.asset, new_balance, income.owner);
    access(builder, is_real, clock, &credit.access, taken, written);
}
