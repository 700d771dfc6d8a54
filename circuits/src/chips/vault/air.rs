//! Constraints of an access of a vault.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;

use super::columns::{VaultColumns, WIDTH};
use crate::bus::{ChipBuilder, VaultBus, VaultMessage};
use crate::gadgets::access::access;
use crate::gadgets::amount;
use shardfold_protocol::field::F;

/// Accesses of vaults by the rules of any contract.
#[derive(Clone, Copy, Debug)]
pub struct VaultChip;

impl BaseAir<F> for VaultChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(3)
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: ChipBuilder> Air<AB> for VaultChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = VaultColumns::of(main.current_slice().iter().copied());

        // A row is an access or padding, of a vault or of nothing.
        builder.assert_bool(row.is_real);
        builder.assert_bool(row.kind);
        let is_nothing = AB::Expr::ONE - row.kind;
        // Nothing becomes a vault only where the message allows it.
        let is_opened: AB::Expr = is_nothing.clone() * row.is_real;
        builder.assert_zero(is_opened * (AB::Expr::ONE - row.may_open));
        // Nothing does not sign.
        builder.assert_zero(is_nothing.clone() * row.signs);
        // Where nothing is, there is neither balance nor nonce.
        builder.assert_zero(is_nothing.clone() * row.balance);
        builder.assert_zero(is_nothing * row.nonce);

        interact(builder, &row);
    }
}

/// The access is served, and the vault is written at the transaction's clock.
fn interact<AB: ChipBuilder>(builder: &mut AB, row: &VaultColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    let new_balance = amount::value::<AB>(&row.new_balance.limbs);
    // Both flags are constants of whoever asks.
    let message = VaultMessage {
        clock: row.clock.into(),
        index: row.vault.index.into(),
        asset: row.asset.into(),
        owner: row.owner.map(Into::into),
        // The vault gains this, by definition.
        delta: new_balance.clone() - row.balance,
        signs: row.signs.into(),
        nonce: row.nonce * row.signs,
        may_open: row.may_open.into(),
    };
    VaultBus::serve(builder, message, is_real.clone());

    amount::check(builder, &row.new_balance, is_real.clone());
    let [o0, o1, o2, o3] = row.owner.map(|element| element * row.kind);
    let taken = [
        row.kind.into(),
        row.asset * row.kind,
        row.balance.into(),
        row.nonce.into(),
        o0,
        o1,
        o2,
        o3,
    ];
    let [o0, o1, o2, o3] = row.owner.map(Into::into);
    let written = [
        AB::Expr::ONE,
        row.asset.into(),
        new_balance,
        row.nonce + row.signs,
        o0,
        o1,
        o2,
        o3,
    ];
    access(
        builder,
        is_real,
        row.clock.into(),
        &row.vault,
        taken,
        written,
    );
}
