//! Contracts over the tables of vaults and of divisions. Their bodies are those of transfers.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;

use crate::law::{Carried, Law, Path, nothing};
use crate::machine::{Machine, Owner, Reason, Rule, VaultAccess, VaultUse};
use crate::vaults::{PAYER, RECEIVER, reasons};

/// A transfer, with a row of their own for both vaults: does the same as `transfer`.
#[derive(Clone, Copy, Debug)]
pub struct TableTransfer(
    /// Its name: in a list of its own it may take that of the transfer.
    pub &'static str,
);

/// A toy exchange: the receiver gets the mean of what is paid and of what it buys. Nothing is
/// conserved.
#[derive(Clone, Copy, Debug)]
pub struct ToySwap(
    /// Its name: in a list of its own it may take that of the transfer.
    pub &'static str,
);

/// An index that shares an element with another one must not be the highest.
static TO_INDEX: Reason = Reason::new(
    "to-index",
    "found the highest index as receiver, where no transfer can go",
);
/// A quotient out of bounds.
pub static QUOTIENT: Reason = Reason::new("quotient", "found no quotient below {expected}");
/// Too little to get something for.
pub static DUST: Reason = Reason::new("dust", "found nothing to take the mean of");

const WORDS: usize = 11;
/// What the pool of [`ToySwap`] holds, of what is paid and of what is bought.
const RESERVES: [u64; 2] = [3_000_000, 10_000_000];

/// The body of a transfer.
struct Body<E> {
    from: E,
    to: E,
    asset: E,
    amount: E,
    fee: E,
    nonce: E,
    to_owner: [E; 4],
    digest: [E; 4],
}

fn body<M: Machine>(m: &mut M) -> Rule<Body<M::E>> {
    let [from, to, asset] = m.words();
    let amount = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
    let (fee, fee_vault) = m.fee(&asset)?;
    let nonce = m.word();
    let to_owner: [M::E; 4] = m.words();
    m.nonzero(to.clone() - F::from_u32(u32::MAX), &TO_INDEX)?;
    let pair = from.clone() + to.clone() * F::from_u64(1 << 32);
    let [o0, o1, o2, o3] = to_owner.clone();
    let message = [
        pair,
        asset.clone(),
        amount.clone(),
        fee.clone(),
        fee_vault,
        nonce.clone(),
        o0,
        o1,
        o2,
        o3,
    ];
    let digest = m.hash(Domain::Transfer, &message);
    Ok(Body {
        from,
        to,
        asset,
        amount,
        fee,
        nonce,
        to_owner,
        digest,
    })
}

fn pay<M: Machine>(m: &mut M, body: &Body<M::E>) -> Rule<()> {
    let payer = VaultAccess {
        index: body.from.clone(),
        asset: body.asset.clone(),
        owner: Owner::Any,
        delta: -(body.amount.clone() + body.fee.clone()),
        how: VaultUse::Signs(body.nonce.clone()),
    };
    let owner = m.vault(payer, &PAYER)?;
    m.signed(&owner, &body.digest)
}

fn path(words: usize) -> Option<Path> {
    if words == WORDS {
        Path::new(&[0])
    } else {
        None
    }
}

impl Law for TableTransfer {
    fn name(&self) -> &'static str {
        self.0
    }

    fn path(&self, words: usize) -> Option<Path> {
        path(words)
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let body = body(m)?;
        pay(m, &body)?;
        let receiver = VaultAccess {
            index: body.to,
            asset: body.asset,
            owner: Owner::Opens(body.to_owner),
            delta: body.amount,
            how: VaultUse::Gains,
        };
        m.vault(receiver, &RECEIVER).map(|_| nothing())
    }
}

impl Law for ToySwap {
    fn name(&self) -> &'static str {
        self.0
    }

    fn path(&self, words: usize) -> Option<Path> {
        path(words)
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let body = body(m)?;
        pay(m, &body)?;
        let constant = |value: u64| M::E::from(F::from_u64(value));
        let [held, bought] = RESERVES.map(constant);
        let (kept, whole) = (constant(997_000), constant(1_000_000));
        let effective = m.mul_div(&body.amount, &kept, &whole, false, &QUOTIENT)?;
        let total = held + effective.clone();
        let out = m.mul_div(&effective, &bought, &total, true, &QUOTIENT)?;
        let mean = m.sqrt(&body.amount, &out, &DUST)?;
        let receiver = VaultAccess {
            index: body.to,
            asset: body.asset,
            owner: Owner::Is(body.to_owner),
            delta: mean,
            how: VaultUse::Changes,
        };
        m.vault(receiver, &RECEIVER).map(|_| nothing())
    }
}

#[cfg(test)]
mod tests;
