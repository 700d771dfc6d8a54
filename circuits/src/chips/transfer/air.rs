//! Constraints of the transfer rule.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Kind;

use super::columns::{TransferColumns, WIDTH};
use crate::bus::{ChipBuilder, Digest, LedgerBus, LedgerMessage, SignatureBus};
use crate::gadgets::credit::{Income, credit};
use crate::gadgets::debit::debit;
use crate::gadgets::{amount, fee, hash};
use shardfold_protocol::field::F;

/// The rule of a transfer. Public value: the chain id.
#[derive(Clone, Copy, Debug)]
pub struct TransferChip;

impl BaseAir<F> for TransferChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        // More than is needed, so that two messages of a bus share one column.
        Some(3)
    }

    fn num_public_values(&self) -> usize {
        1
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: ChipBuilder> Air<AB> for TransferChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = TransferColumns::of(main.current_slice().iter().copied());
        let is_real: AB::Expr = row.is_real.into();
        let clock: AB::Expr = row.clock.into();
        let moved = amount::value::<AB>(&row.amount.limbs);
        let paid = amount::value::<AB>(&row.fee.limbs);

        // A row is a transfer or padding.
        builder.assert_bool(row.is_real);
        // What moves is an amount.
        amount::check(builder, &row.amount, is_real.clone());
        // The sender pays amount and fee.
        let outgo = moved.clone() + paid;
        debit(builder, is_real.clone(), clock.clone(), &row.from, outgo);
        // The receiver gains the amount.
        let income = Income {
            owner: row.to_owner.map(Into::into),
            asset: row.from.asset.into(),
            amount: moved,
        };
        credit(builder, is_real.clone(), clock, &row.to, income);
        // The operator gains the fee.
        fee::pay(builder, is_real, &row.fee, row.from.asset.into());

        interact(builder, &row);
    }
}

/// The sender has signed this transfer, and it is the ledger's transaction at this clock.
fn interact<AB: ChipBuilder>(builder: &mut AB, row: &TransferColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    let digest = digest(builder, row);
    let owner = row.from.owner.map(Into::into);
    SignatureBus::require(builder, owner, digest.clone(), is_real.clone());
    let message = LedgerMessage {
        clock: row.clock.into(),
        kind: AB::Expr::from_u8(Kind::Transfer as u8),
        digest,
        payload: core::array::from_fn(|_| AB::Expr::ZERO),
        queue_position: AB::Expr::ZERO,
    };
    LedgerBus::receive(builder, message, is_real);
}

/// The digest of the transfer, `protocol::transaction::Transfer::digest`.
fn digest<AB: ChipBuilder>(builder: &mut AB, row: &TransferColumns<AB::Var>) -> Digest<AB::Expr> {
    let chain_id: AB::Expr = builder.public_values()[0].into();
    let [o0, o1, o2, o3] = row.to_owner.map(Into::into);
    let message = [
        chain_id,
        row.from.access.index.into(),
        row.to.access.index.into(),
        row.from.asset.into(),
        amount::value::<AB>(&row.amount.limbs),
        amount::value::<AB>(&row.fee.limbs),
        row.fee.vault.into(),
        row.from.nonce.into(),
        o0,
        o1,
        o2,
        o3,
    ];
    let is_real = row.is_real.into();
    hash::hash(builder, Domain::Transfer, &message, &row.blocks, is_real)
}
