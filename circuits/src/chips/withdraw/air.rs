//! Constraints of the withdrawal rule.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Kind;

use super::columns::{WIDTH, WithdrawColumns};
use crate::bus::{ChipBuilder, Digest, LedgerBus, LedgerMessage, SignatureBus};
use crate::gadgets::debit::debit;
use crate::gadgets::{amount, fee, hash};
use shardfold_protocol::field::F;

/// The rule of a withdrawal. Public value: the chain id.
#[derive(Clone, Copy, Debug)]
pub struct WithdrawChip;

impl BaseAir<F> for WithdrawChip {
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

impl<AB: ChipBuilder> Air<AB> for WithdrawChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = WithdrawColumns::of(main.current_slice().iter().copied());
        let is_real: AB::Expr = row.is_real.into();
        let left = amount::value::<AB>(&row.amount.limbs);
        let paid = amount::value::<AB>(&row.fee.limbs);

        // A row is a withdrawal or padding.
        builder.assert_bool(row.is_real);
        // What leaves is an amount.
        amount::check(builder, &row.amount, is_real.clone());
        // The sender pays amount and fee.
        let clock = row.clock.into();
        debit(builder, is_real.clone(), clock, &row.from, left + paid);
        // The operator gains the fee.
        fee::pay(builder, is_real, &row.fee, row.from.asset.into());

        interact(builder, &row);
    }
}

/// The sender has signed this withdrawal, and it is the ledger's transaction at this clock.
fn interact<AB: ChipBuilder>(builder: &mut AB, row: &WithdrawColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    let payload = payload(builder, row);
    let digest = digest(builder, row, payload.clone());
    let owner = row.from.owner.map(Into::into);
    SignatureBus::require(builder, owner, digest.clone(), is_real.clone());
    let message = LedgerMessage {
        clock: row.clock.into(),
        kind: AB::Expr::from_u8(Kind::Withdraw as u8),
        digest,
        payload,
        queue_position: AB::Expr::ZERO,
    };
    LedgerBus::receive(builder, message, is_real);
}

/// The digest of what is owed, `protocol::transaction::Withdraw::payload`.
fn payload<AB: ChipBuilder>(builder: &mut AB, row: &WithdrawColumns<AB::Var>) -> Digest<AB::Expr> {
    let chain_id: AB::Expr = builder.public_values()[0].into();
    let [a0, a1, a2] = row.address.map(Into::into);
    let message = [
        chain_id,
        row.base_chain.into(),
        a0,
        a1,
        a2,
        row.from.asset.into(),
        amount::value::<AB>(&row.amount.limbs),
    ];
    let (domain, is_real) = (Domain::WithdrawPayload, row.is_real.into());
    hash::hash(builder, domain, &message, &row.payload, is_real)
}

/// The digest of the transaction, `protocol::transaction::Withdraw::digest_with`.
fn digest<AB: ChipBuilder>(
    builder: &mut AB,
    row: &WithdrawColumns<AB::Var>,
    [p0, p1, p2, p3]: Digest<AB::Expr>,
) -> Digest<AB::Expr> {
    let message = [
        p0,
        p1,
        p2,
        p3,
        row.from.access.index.into(),
        amount::value::<AB>(&row.fee.limbs),
        row.fee.vault.into(),
        row.from.nonce.into(),
    ];
    let is_real = row.is_real.into();
    hash::hash(builder, Domain::Withdraw, &message, &row.digest, is_real)
}
