//! The buses of the tables that only some lists of contracts have.

use p3_lookup::{Count, LookupBus, PermutationCheckBus};

use super::ChipBuilder;

/// Accesses of vaults that have a row of their own:
/// `(clock, index, asset, owner, delta, signs, nonce if it signs, may open)`.
///
/// They are asked for by steps of transactions: see [`super::say_exclusively`]. Caller: the clock is that
/// of the transaction; `delta` stands for an integer above -2^63 and below 2^63; `signs` and
/// `may open` are 0 or 1, and the nonce is 0 if `signs` is; if `signs` is 1 the owner has signed
/// the transaction. Whoever lowers the balance of another vault proves that its owner agrees.
pub struct VaultBus;

/// One access of a vault.
pub struct VaultMessage<E> {
    /// When it is written.
    pub clock: E,
    /// Where it lies.
    pub index: E,
    /// What it holds.
    pub asset: E,
    /// Whose it is.
    pub owner: [E; 4],
    /// What it gains.
    pub delta: E,
    /// 1 for the vault of whoever signs, else 0.
    pub signs: E,
    /// Before the access, if `signs` is 1; else 0.
    pub nonce: E,
    /// 1 if the vault may be opened, else 0.
    pub may_open: E,
}

impl VaultBus {
    pub(super) const BUS: PermutationCheckBus<'static> = PermutationCheckBus::new("vault");

    /// The vault is taken and written back. Caller: `is_real` is boolean; the record at the index
    /// becomes such a vault, as the message says.
    pub fn serve<AB: ChipBuilder>(
        builder: &mut AB,
        message: VaultMessage<AB::Expr>,
        is_real: AB::Expr,
    ) {
        let place = [message.clock, message.index, message.asset];
        let rest = [
            message.delta,
            message.signs,
            message.nonce,
            message.may_open,
        ];
        let fields = place.into_iter().chain(message.owner).chain(rest);
        Self::BUS.receive(builder, fields, Count::bounded(is_real, 1));
    }
}

/// Exact divisions: `(a, b, d, quotient, is rounded up)`.
///
/// They are asked for by steps of transactions: see [`super::say_exclusively`]. Caller: `a` and `b` are
/// integers below 2^62, `d` is one of at most 2^62, and `is rounded up` is 0 or 1.
pub struct MulDivBus;

impl MulDivBus {
    pub(super) const BUS: LookupBus<'static> = LookupBus::new("muldiv");

    /// One division, given out `multiplicity` times. Caller: if `a` and `b` are below 2^62 and `d`
    /// is at most 2^62, the quotient is below 2^62 and that of `a b` and `d`, `d` is not zero; the
    /// multiplicity is free.
    pub fn provide<AB: ChipBuilder>(
        builder: &mut AB,
        [a, b, d]: [AB::Expr; 3],
        quotient: AB::Expr,
        is_up: AB::Expr,
        multiplicity: AB::Expr,
    ) {
        Self::BUS.table_entry(builder, [a, b, d, quotient, is_up], multiplicity);
    }
}
