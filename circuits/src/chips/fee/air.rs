//! Constraints of the credit of fees.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::record::KIND_VAULT;
use shardfold_protocol::shape::FEE_CLOCK;

use super::columns::{FeeColumns, WIDTH};
use crate::bus::{ChipBuilder, FeeBus};
use crate::gadgets::access::access;
use crate::gadgets::amount;
use shardfold_protocol::field::F;

/// The credit of a shard's fees to its fee vaults.
#[derive(Clone, Copy, Debug)]
pub struct FeeChip;

impl BaseAir<F> for FeeChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        // More than is needed, so that two messages of a bus share one column.
        Some(3)
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: ChipBuilder> Air<AB> for FeeChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = FeeColumns::of(main.current_slice().iter().copied());

        // A row is a fee vault or padding.
        builder.assert_bool(row.is_real);
        // Padding collects nothing.
        builder.assert_zero((AB::Expr::ONE - row.is_real) * row.total);
        // The vault gains all that the shard pays into it: no sum wraps the field.
        let new_balance = amount::value::<AB>(&row.new_balance.limbs);
        let balance: AB::Expr = row.balance.into();
        builder.assert_eq(new_balance, balance + row.total);

        interact(builder, &row);
    }
}

/// The fees are collected, and the vault is written after all transactions.
fn interact<AB: ChipBuilder>(builder: &mut AB, row: &FeeColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    FeeBus::collect(
        builder,
        row.vault.index.into(),
        row.asset.into(),
        row.total.into(),
    );
    amount::check(builder, &row.new_balance, is_real.clone());
    let vault = |balance: AB::Expr| {
        let kind = AB::Expr::from_u64(KIND_VAULT);
        let [o0, o1, o2, o3] = row.owner.map(Into::into);
        let (asset, nonce) = (row.asset.into(), row.nonce.into());
        [kind, asset, balance, nonce, o0, o1, o2, o3]
    };
    let taken = vault(row.balance.into());
    let written = vault(amount::value::<AB>(&row.new_balance.limbs));
    let clock = AB::Expr::from_u32(FEE_CLOCK);
    access(builder, is_real, clock, &row.vault, taken, written);
}
