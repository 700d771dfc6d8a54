//! What rules do with vaults: pay out of one, and put into one.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::record::SHARES;

use crate::machine::{Machine, Part, Reason, Rule, Taken, Use, VaultReasons};

use Part::{Any, Is};

/// Bits of the seconds for which a signature can be valid.
pub const VALIDITY_BITS: u32 = 32;

/// Reasons of [`pay`] and [`credit`], [`PAYER`] and [`RECEIVER`].
pub mod reasons {
    use super::Reason;

    /// An amount out of bounds.
    pub static AMOUNT: Reason = Reason::new(
        "amount",
        "found an amount of {found}, expected less than 2^62",
    );
    /// A payment from where no vault is.
    pub static SENDER_MISSING: Reason = Reason::new(
        "sender-missing",
        "found a record of kind {found} at the sender's index, expected a vault",
    );
    /// A payment in another asset than the vault's.
    pub static SENDER_ASSET: Reason = Reason::new(
        "sender-asset",
        "found asset {found} in the sender's vault, expected {expected}",
    );
    /// A payment from a vault of another owner.
    pub static SENDER_OWNER: Reason = Reason::new(
        "sender-owner",
        "found a sender's vault of another owner (digest element {found}), expected {expected}",
    );
    /// A transaction that was signed for another moment, or was there already.
    pub static NONCE: Reason = Reason::new(
        "nonce",
        "found that the sender's vault has nonce {found}, the transaction says {expected}",
    );
    /// A payment of more than there is.
    pub static BALANCE: Reason = Reason::new(
        "balance",
        "found that {found} would be left in the sender's vault: the balance does not cover amount and fee",
    );
    /// A signature that is no longer valid, or for too long.
    pub static EXPIRED: Reason = Reason::new(
        "expired",
        "found a transaction that is valid for another {found} seconds, expected 0 to 2^32 - 1",
    );
    /// Something else than a vault at the receiver's index.
    pub static RECEIVER_KIND: Reason = Reason::new(
        "receiver-kind",
        "found a record that is no vault at the receiver's index",
    );
    /// A receiver's vault of another owner.
    pub static RECEIVER_OWNER: Reason = Reason::new(
        "receiver-owner",
        "found a receiver's vault of another owner (digest element {found}), expected {expected}",
    );
    /// A receiver's vault of another asset.
    pub static RECEIVER_ASSET: Reason = Reason::new(
        "receiver-asset",
        "found asset {found} in the receiver's vault, expected {expected}",
    );
    /// A receiver who signs for another moment.
    pub static RECEIVER_NONCE: Reason = Reason::new(
        "receiver-nonce",
        "found that the receiver's vault has nonce {found}, the transaction says {expected}",
    );
    /// A receiver who would hold too much.
    pub static RECEIVER_BALANCE: Reason = Reason::new(
        "receiver-balance",
        "found that the receiver would hold {found}, expected less than 2^62",
    );
}

/// What [`Machine::vault`] says of a vault that pays.
pub static PAYER: VaultReasons = VaultReasons {
    kind: &reasons::SENDER_MISSING,
    asset: &reasons::SENDER_ASSET,
    owner: &reasons::SENDER_OWNER,
    nonce: &reasons::NONCE,
    balance: &reasons::BALANCE,
};

/// What [`Machine::vault`] says of a vault that receives.
pub static RECEIVER: VaultReasons = VaultReasons {
    kind: &reasons::RECEIVER_KIND,
    asset: &reasons::RECEIVER_ASSET,
    owner: &reasons::RECEIVER_OWNER,
    nonce: &reasons::RECEIVER_NONCE,
    balance: &reasons::RECEIVER_BALANCE,
};

/// The vault that signs and pays: of this asset and nonce, at this index.
pub struct Payer<E> {
    /// Where it lies.
    pub index: E,
    /// What it holds.
    pub asset: E,
    /// Its nonce before; it grows by one.
    pub nonce: E,
    /// What leaves: an integer below 2^63 and above -2^62, which the caller proves. Below zero it is
    /// a gain.
    pub outgo: E,
}

/// Pays out of a vault; returns its owner, who must have signed.
///
/// # Errors
/// No vault, another asset or nonce, or not enough.
#[inline(always)]
pub fn pay<M: Machine>(m: &mut M, payer: Payer<M::E>) -> Rule<[M::E; 4]> {
    let Payer {
        index,
        asset,
        nonce,
        outgo,
    } = payer;
    let record = [
        Is(M::E::ONE, &reasons::SENDER_MISSING),
        Is(asset, &reasons::SENDER_ASSET),
        Any,
        Is(nonce, &reasons::NONCE),
        Any,
        Any,
        Any,
        Any,
    ];
    let (taken, found) = m.take(&index, Use::Write, record)?;
    let [kind, asset, balance, nonce, o0, o1, o2, o3] = found;
    let owner = [o0.clone(), o1.clone(), o2.clone(), o3.clone()];
    let left = balance - outgo;
    // The balance covers what leaves: a difference below zero is above 2^62 in the field.
    m.range(&left, AMOUNT_BITS, &reasons::BALANCE)?;
    m.write(taken, [kind, asset, left, nonce + F::ONE, o0, o1, o2, o3]);
    Ok(owner)
}

/// Takes an amount out of a vault of this asset whose owner has signed for another one. Caller: the
/// amount is an integer below 2^62, and the owner's signature names it, or a bound of it.
///
/// # Errors
/// No vault, another asset or owner, or not enough.
#[inline(always)]
pub fn debit<M: Machine>(m: &mut M, debit: Debit<M::E>) -> Rule<()> {
    let Debit {
        index,
        owner: [o0, o1, o2, o3],
        asset,
        amount,
    } = debit;
    let record = [
        Is(M::E::ONE, &reasons::SENDER_MISSING),
        Is(asset, &reasons::SENDER_ASSET),
        Any,
        Any,
        Is(o0, &reasons::SENDER_OWNER),
        Is(o1, &reasons::SENDER_OWNER),
        Is(o2, &reasons::SENDER_OWNER),
        Is(o3, &reasons::SENDER_OWNER),
    ];
    let (taken, found) = m.take(&index, Use::Write, record)?;
    let [kind, asset, balance, nonce, o0, o1, o2, o3] = found;
    let left = balance - amount;
    m.range(&left, AMOUNT_BITS, &reasons::BALANCE)?;
    m.write(taken, [kind, asset, left, nonce, o0, o1, o2, o3]);
    Ok(())
}

/// Adds to a vault that exists, whoever owns it. Where and how much must follow from the body alone,
/// so that such gains commute. Caller: the amount is an integer below 2^62.
///
/// # Errors
/// No vault, another asset, or too much.
#[inline(always)]
pub fn gain<M: Machine>(m: &mut M, index: &M::E, asset: M::E, amount: M::E) -> Rule<()> {
    let record = [
        Is(M::E::ONE, &reasons::RECEIVER_KIND),
        Is(asset, &reasons::RECEIVER_ASSET),
        Any,
        Any,
        Any,
        Any,
        Any,
        Any,
    ];
    let (taken, found) = m.take(index, Use::Gain(amount.clone()), record)?;
    let [kind, asset, balance, nonce, o0, o1, o2, o3] = found;
    let sum = balance + amount;
    m.range(&sum, AMOUNT_BITS, &reasons::RECEIVER_BALANCE)?;
    m.write(taken, [kind, asset, sum, nonce, o0, o1, o2, o3]);
    Ok(())
}

/// The batch's time is not after this one, which is less than 2^32 seconds away.
///
/// # Errors
/// It has passed, or is too far.
#[inline(always)]
pub fn not_after<M: Machine>(m: &mut M, valid_until: M::E) -> Rule<()> {
    let left = valid_until - m.now();
    m.range(&left, VALIDITY_BITS, &reasons::EXPIRED)
}

/// Returns the asset that the shares of the pool or market at an index are.
#[inline(always)]
pub fn shares_of<M: Machine>(index: &M::E) -> M::E {
    index.clone() + F::from_u64(SHARES)
}

/// Takes a place where nothing lies, for a record that is opened there.
///
/// # Errors
/// Something lies there.
#[inline(always)]
pub fn take_empty<M: Machine>(
    m: &mut M,
    index: &M::E,
    otherwise: &'static Reason,
) -> Rule<Taken<M::E>> {
    let empty = core::array::from_fn(|_| Is(M::E::ZERO, otherwise));
    Ok(m.take(index, Use::Write, empty)?.0)
}

/// What leaves a vault besides the one that signs.
pub struct Debit<E> {
    /// Where it lies.
    pub index: E,
    /// Whose it is: who has signed.
    pub owner: [E; 4],
    /// What it holds.
    pub asset: E,
    /// How much leaves.
    pub amount: E,
}

/// What a vault is to get.
pub struct Credit<E> {
    /// Where it lies.
    pub index: E,
    /// Whose it is.
    pub owner: [E; 4],
    /// What it holds.
    pub asset: E,
    /// How much it gains: an integer below 2^62, which the caller proves.
    pub amount: E,
}

/// Puts into a vault of this owner and asset, or opens it where nothing is. Where, whose and how
/// much must follow from the body alone, so that such credits commute; else see [`put`].
///
/// # Errors
/// Another record, another owner or asset, or too much.
#[inline(always)]
pub fn credit<M: Machine>(m: &mut M, credit: Credit<M::E>) -> Rule<()> {
    let gain = Use::Gain(credit.amount.clone());
    put_as(m, credit, gain)
}

/// [`credit`] of what was read from a record: it does not commute.
///
/// # Errors
/// As [`credit`].
#[inline(always)]
pub fn put<M: Machine>(m: &mut M, credit: Credit<M::E>) -> Rule<()> {
    put_as(m, credit, Use::Write)
}

#[inline(always)]
fn put_as<M: Machine>(m: &mut M, credit: Credit<M::E>, how: Use<M::E>) -> Rule<()> {
    let Credit {
        index,
        owner,
        asset,
        amount,
    } = credit;
    let (taken, found) = m.take(&index, how, [const { Any }; 8])?;
    let [kind, its_asset, balance, nonce, o0, o1, o2, o3] = found;
    // A vault or nothing.
    m.flag(&kind, &reasons::RECEIVER_KIND)?;
    for (found, named) in [o0, o1, o2, o3].into_iter().zip(&owner) {
        m.equal(
            found,
            named.clone() * kind.clone(),
            &reasons::RECEIVER_OWNER,
        )?;
    }
    m.equal(
        its_asset,
        asset.clone() * kind.clone(),
        &reasons::RECEIVER_ASSET,
    )?;
    // Where nothing is, there is neither balance nor nonce.
    let empty = M::E::ONE - kind;
    m.equal(
        empty.clone() * balance.clone(),
        M::E::ZERO,
        &reasons::RECEIVER_KIND,
    )?;
    m.equal(empty * nonce.clone(), M::E::ZERO, &reasons::RECEIVER_KIND)?;
    let sum = balance + amount;
    m.range(&sum, AMOUNT_BITS, &reasons::RECEIVER_BALANCE)?;
    let [o0, o1, o2, o3] = owner;
    m.write(taken, [M::E::ONE, asset, sum, nonce, o0, o1, o2, o3]);
    Ok(())
}
