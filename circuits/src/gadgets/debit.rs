//! The side that pays: a vault loses the amount and the fee, its nonce grows by one.

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

/// The paying vault: taken as `[1, asset, balance, nonce, owner]`, written back as
/// `[1, asset, new_balance, nonce + 1, owner]`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct DebitColumns<T> {
    /// Where it lies and when it was last written.
    pub access: AccessColumns<T>,
    /// The transaction's asset.
    pub asset: T,
    /// Before: balance = new_balance + amount + fee.
    pub balance: T,
    /// The transaction's nonce.
    pub nonce: T,
    /// Who must have signed.
    pub owner: [T; 4],
    /// After, below 2^62.
    pub new_balance: AmountColumns<T>,
}

impl<T> DebitColumns<T> {
    /// Names the next cells.
    pub fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            access: AccessColumns::of(cells),
            asset: cells.one(),
            balance: cells.one(),
            nonce: cells.one(),
            owner: cells.array(),
            new_balance: AmountColumns::of(cells),
        }
    }
}

impl DebitColumns<&mut F> {
    /// Writes the columns of one debit and notes its range checks.
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
        let [_, asset, balance, nonce, owner @ ..] = step.before.0;
        write(
            [self.asset, self.balance, self.nonce],
            [asset, balance, nonce],
        );
        write(self.owner, owner);
        self.new_balance.fill(step.new_balance, events)
    }
}

/// The vault pays `outgo`, the transaction's amount and fee.
///
/// Caller: `is_real` is boolean, `outgo` is an integer below 2^63 and zero on padding rows
/// of zeros, the owner's signature is required, asset and nonce enter the signed digest.
pub fn debit<AB: ChipBuilder>(
    builder: &mut AB,
    is_real: AB::Expr,
    clock: AB::Expr,
    debit: &DebitColumns<AB::Var>,
    outgo: AB::Expr,
) {
    // The balance covers what leaves: no sum of the right side wraps the field.
    let new_balance = amount::value::<AB>(&debit.new_balance.limbs);
    builder.assert_eq(debit.balance, new_balance.clone() + outgo);

    amount::check(builder, &debit.new_balance, is_real.clone());
    let vault = |balance: AB::Expr, nonce: AB::Expr| {
        let [o0, o1, o2, o3] = debit.owner.map(Into::into);
        let kind = AB::Expr::from_u64(KIND_VAULT);
        [kind, debit.asset.into(), balance, nonce, o0, o1, o2, o3]
    };
    let taken = vault(debit.balance.into(), debit.nonce.into());
    let written = vault(new_balance, debit.nonce + F::ONE);
    access(builder, is_real, clock, &debit.access, taken, written);
}
