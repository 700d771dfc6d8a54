//! Constraints of the deposit rule.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Kind;

use super::columns::{DepositColumns, WIDTH};
use crate::bus::{ChipBuilder, Digest, LedgerBus, LedgerMessage};
use crate::gadgets::credit::{Income, credit};
use crate::gadgets::{amount, fee, hash};
use shardfold_protocol::field::F;

/// The rule of a deposit. Public value: the chain id.
#[derive(Clone, Copy, Debug)]
pub struct DepositChip;

impl BaseAir<F> for DepositChip {
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

impl<AB: ChipBuilder> Air<AB> for DepositChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = DepositColumns::of(main.current_slice().iter().copied());
        let is_real: AB::Expr = row.is_real.into();

        // A row is a deposit or padding.
        builder.assert_bool(row.is_real);
        // What was paid in is an amount.
        amount::check(builder, &row.amount, is_real.clone());
        // The receiver gains it.
        let income = Income {
            owner: row.owner.map(Into::into),
            asset: row.asset.into(),
            amount: amount::value::<AB>(&row.amount.limbs),
        };
        credit(builder, is_real.clone(), row.clock.into(), &row.to, income);
        // The operator gains the fee, which was paid in on top.
        fee::pay(builder, is_real, &row.fee, row.asset.into());

        interact(builder, &row);
    }
}

/// The deposit is the ledger's transaction at this clock and stands at this position of the
/// base chain's queue.
fn interact<AB: ChipBuilder>(builder: &mut AB, row: &DepositColumns<AB::Var>) {
    let payload = payload(builder, row);
    let message = LedgerMessage {
        clock: row.clock.into(),
        kind: AB::Expr::from_u8(Kind::Deposit as u8),
        digest: digest(builder, row, payload.clone()),
        payload,
        queue_position: row.nonce.into(),
    };
    LedgerBus::receive(builder, message, row.is_real.into());
}

/// The digest of the queue's entry, `protocol::transaction::Deposit::payload`.
fn payload<AB: ChipBuilder>(builder: &mut AB, row: &DepositColumns<AB::Var>) -> Digest<AB::Expr> {
    let chain_id: AB::Expr = builder.public_values()[0].into();
    let [o0, o1, o2, o3] = row.owner.map(Into::into);
    let message = [
        chain_id,
        row.nonce.into(),
        row.asset.into(),
        amount::value::<AB>(&row.amount.limbs),
        amount::value::<AB>(&row.fee.limbs),
        o0,
        o1,
        o2,
        o3,
    ];
    let (domain, is_real) = (Domain::DepositPayload, row.is_real.into());
    hash::hash(builder, domain, &message, &row.payload, is_real)
}

/// The digest of the transaction, `protocol::transaction::Deposit::digest_with`.
fn digest<AB: ChipBuilder>(
    builder: &mut AB,
    row: &DepositColumns<AB::Var>,
    [p0, p1, p2, p3]: Digest<AB::Expr>,
) -> Digest<AB::Expr> {
    let (to, fee_vault) = (row.to.access.index.into(), row.fee.vault.into());
    let message = [p0, p1, p2, p3, to, fee_vault];
    let is_real = row.is_real.into();
    hash::hash(builder, Domain::Deposit, &message, &row.digest, is_real)
}
