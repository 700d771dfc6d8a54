//! Contracts that only tests have: one of several steps, one that uses every primitive of a step,
//! and one over the tables of vaults and divisions.

pub mod numbers;
pub mod pool;

use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;

use crate::law::{Carried, Law, Path, Step, carry, nothing};
use crate::machine::{Machine, Part, Reason, Rule, Use};
use crate::readings::Expr;
use crate::set::{Contracts, standard};
use crate::vaults::{Credit, Payer, credit, pay, reasons};

/// Pays one to three receivers out of one vault: a step for each of them, then one that pays for
/// all and is signed. What is carried: the digest so far, the asset and the sum so far.
#[derive(Clone, Copy, Debug)]
pub struct Relay;

/// A sum of payments that is out of bounds.
pub static SUM: Reason = Reason::new("sum", "found payments of {found}, expected less than 2^62");

impl Relay {
    /// Elements of the body that the first step reads.
    pub const FIRST: usize = 7;
    /// Elements that each step in the middle reads.
    pub const MIDDLE: usize = 6;
    /// Elements that the last step reads.
    pub const LAST: usize = 4;

    fn first<M: Machine>(m: &mut M) -> Rule<Carried<M::E>> {
        let [to, asset] = m.words();
        let owner: [M::E; 4] = m.words();
        let amount = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let [o0, o1, o2, o3] = owner.clone();
        let message = [to.clone(), asset.clone(), o0, o1, o2, o3, amount.clone()];
        let [d0, d1, d2, d3] = m.hash(Domain::Transfer, &message);
        let gain = Credit {
            index: to,
            owner,
            asset: asset.clone(),
            amount: amount.clone(),
        };
        credit(m, gain)?;
        Ok(carry([d0, d1, d2, d3, asset, amount]))
    }

    fn middle<M: Machine>(m: &mut M, carried: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [d0, d1, d2, d3, asset, sum, ..] = carried;
        let to = m.word();
        let owner: [M::E; 4] = m.words();
        let amount = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let [o0, o1, o2, o3] = owner.clone();
        let message = [d0, d1, d2, d3, to.clone(), o0, o1, o2, o3, amount.clone()];
        let [d0, d1, d2, d3] = m.hash(Domain::Transfer, &message);
        let sum = sum + amount.clone();
        m.range(&sum, AMOUNT_BITS, &SUM)?;
        let gain = Credit {
            index: to,
            owner,
            asset: asset.clone(),
            amount,
        };
        credit(m, gain)?;
        Ok(carry([d0, d1, d2, d3, asset, sum]))
    }

    fn last<M: Machine>(m: &mut M, carried: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [d0, d1, d2, d3, asset, sum, ..] = carried;
        let [from, nonce] = m.words();
        let (fee, fee_vault) = m.fee(&asset)?;
        let message = [
            d0,
            d1,
            d2,
            d3,
            from.clone(),
            nonce.clone(),
            fee.clone(),
            fee_vault,
        ];
        let digest = m.hash(Domain::Transfer, &message);
        let payer = Payer {
            index: from,
            asset,
            nonce,
            outgo: sum + fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        Ok(nothing())
    }
}

impl Law for Relay {
    fn name(&self) -> &'static str {
        "relay"
    }

    fn steps(&self) -> &'static [Step] {
        &[
            Step {
                name: "first",
                is_first: true,
                next: &[1, 2],
            },
            Step {
                name: "middle",
                is_first: false,
                next: &[1, 2],
            },
            Step {
                name: "last",
                is_first: false,
                next: &[],
            },
        ]
    }

    fn path(&self, words: usize) -> Option<Path> {
        let middle = words.checked_sub(Self::FIRST + Self::LAST)?;
        match (middle / Self::MIDDLE, middle % Self::MIDDLE) {
            (0, 0) => Path::new(&[0, 2]),
            (1, 0) => Path::new(&[0, 1, 2]),
            (2, 0) => Path::new(&[0, 1, 1, 2]),
            _ => None,
        }
    }

    fn step<M: Machine>(
        &self,
        step: usize,
        m: &mut M,
        carried: Carried<M::E>,
    ) -> Rule<Carried<M::E>> {
        match step {
            0 => Self::first(m),
            1 => Self::middle(m, carried),
            _ => Self::last(m, carried),
        }
    }
}

/// Uses every primitive at least once. One kind of transaction has one signed step, which may
/// withdraw; the other takes an item from the queue and credits a vault in a step of its own.
#[derive(Clone, Copy, Debug)]
pub struct Kitchen;

/// Reasons of [`Kitchen`].
pub mod kitchen {
    use super::Reason;

    /// What its pot is, as a record.
    pub const KIND_POT: u64 = 9;

    /// A number of more than 40 bits.
    pub static NUMBER: Reason = Reason::new(
        "number",
        "found a number of {found}, expected less than 2^40",
    );
    /// A factor of zero.
    pub static FACTOR: Reason = Reason::new("factor", "found a factor of zero");
    /// What is neither yes nor no.
    pub static CHOICE: Reason = Reason::new("choice", "found a choice of {found}, expected 0 or 1");
    /// A time that is past, or too far.
    pub static TIME: Reason = Reason::new(
        "time",
        "found a time {found} seconds away, expected one within 2^20",
    );
    /// A pot that is none.
    pub static POT: Reason = Reason::new("pot", "found no pot, nor an empty place for one");
    /// A shelf that holds another asset.
    pub static SHELF: Reason = Reason::new(
        "shelf",
        "found asset {found} on the shelf, expected {expected}",
    );
    /// A shelf that is none.
    pub static SHELF_KIND: Reason = Reason::new(
        "shelf-kind",
        "found a record of kind {found}, expected a vault",
    );
    /// An item out of order.
    pub static ORDER: Reason = Reason::new(
        "order",
        "found item {found} of the queue, expected {expected}",
    );
}

impl Kitchen {
    /// Elements of the body that the signed kind has.
    pub const COOK: usize = 14;
    /// Elements of the body that the kind with the queue has.
    pub const ORDER: usize = 8;

    fn cook<M: Machine>(m: &mut M) -> Rule<Carried<M::E>> {
        let [from, pot, shelf, asset, nonce] = m.words();
        let a = m.integer(40, &kitchen::NUMBER)?;
        let b = m.integer(40, &kitchen::NUMBER)?;
        let [factor, choice, until] = m.words();
        let (fee, fee_vault) = m.fee(&asset)?;
        let address: [M::E; 2] = m.words();
        let body = [
            from.clone(),
            pot.clone(),
            shelf.clone(),
            asset.clone(),
            nonce.clone(),
            a.clone(),
            b.clone(),
            factor.clone(),
            choice.clone(),
            until.clone(),
            fee.clone(),
            fee_vault,
            address[0].clone(),
            address[1].clone(),
        ];
        let digest = m.hash(Domain::Withdraw, &body);
        m.nonzero(factor.clone(), &kitchen::FACTOR)?;
        m.flag(&choice, &kitchen::CHOICE)?;
        let now = m.now();
        m.range(&(until - now), 20, &kitchen::TIME)?;

        // More bits than they have, so that a top limb of another width keeps a difference below
        // zero out.
        let is_more = m.at_least(&a, &b, 50);
        let is_same = m.is_zero(a.clone() - b.clone());
        let difference = m.product(&is_more, &(a.clone() - b));
        let product = m.product(&factor, &difference);

        let vault = Part::Is(M::E::ONE, &kitchen::SHELF_KIND);
        let any = || Part::Any;
        let record = [vault, any(), any(), any(), any(), any(), any(), any()];
        let on_shelf = m.read(&shelf, record)?;
        m.equal(on_shelf[1].clone(), asset.clone(), &kitchen::SHELF)?;

        let (taken, found) = m.take(&pot, Use::Write, [const { Part::Any }; 8])?;
        let [kind, ..] = found;
        let pot_kind = F::from_u64(kitchen::KIND_POT);
        m.equal(kind.clone() * (kind - pot_kind), M::E::ZERO, &kitchen::POT)?;
        let [_, _, held, ..] = on_shelf;
        let written = [
            M::E::from(pot_kind),
            is_more,
            is_same,
            difference,
            product,
            held,
            asset.clone(),
            M::E::ZERO,
        ];
        m.write(taken, written);

        let payer = Payer {
            index: from,
            asset: asset.clone(),
            nonce,
            outgo: a.clone() + fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        let [x, y] = address;
        let owed = m.hash(Domain::WithdrawPayload, &[x, y, asset, a]);
        m.withdrawn(&owed, choice);
        Ok(nothing())
    }

    fn order<M: Machine>(m: &mut M) -> Rule<Carried<M::E>> {
        let [to, asset] = m.words();
        let owner: [M::E; 4] = m.words();
        let amount = m.integer(30, &reasons::AMOUNT)?;
        let position = m.word();
        let [o0, o1, o2, o3] = owner;
        let item = [
            position.clone(),
            asset.clone(),
            amount.clone(),
            o0.clone(),
            o1.clone(),
            o2.clone(),
            o3.clone(),
        ];
        let item = m.hash(Domain::DepositPayload, &item);
        let [i0, i1, i2, i3] = item.clone();
        let digest = m.hash(Domain::Deposit, &[i0, i1, i2, i3, to.clone()]);
        let next = m.queue_position();
        m.equal(position, next, &kitchen::ORDER)?;
        m.queued(&item);
        m.unsigned(&digest);
        Ok(carry([to, o0, o1, o2, o3, asset, amount]))
    }

    fn serve<M: Machine>(m: &mut M, carried: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [index, o0, o1, o2, o3, asset, amount, ..] = carried;
        let gain = Credit {
            index,
            owner: [o0, o1, o2, o3],
            asset,
            amount,
        };
        credit(m, gain)?;
        Ok(nothing())
    }
}

impl Law for Kitchen {
    fn name(&self) -> &'static str {
        "kitchen"
    }

    fn steps(&self) -> &'static [Step] {
        &[
            Step {
                name: "cook",
                is_first: true,
                next: &[],
            },
            Step {
                name: "order",
                is_first: true,
                next: &[2],
            },
            Step {
                name: "serve",
                is_first: false,
                next: &[],
            },
        ]
    }

    fn path(&self, words: usize) -> Option<Path> {
        match words {
            Self::COOK => Path::new(&[0]),
            Self::ORDER => Path::new(&[1, 2]),
            _ => None,
        }
    }

    fn step<M: Machine>(
        &self,
        step: usize,
        m: &mut M,
        carried: Carried<M::E>,
    ) -> Rule<Carried<M::E>> {
        match step {
            0 => Self::cook(m),
            1 => Self::order(m),
            _ => Self::serve(m, carried),
        }
    }
}

/// Returns the value of a recorded expression on a row.
pub fn value(expression: &Expr, row: &[F], public_values: &[F]) -> F {
    let of = |expression| value(expression, row, public_values);
    match expression {
        SymbolicExpr::Leaf(BaseLeaf::Variable(variable)) => match variable.entry {
            BaseEntry::Public => public_values[variable.index],
            _ => row[variable.index],
        },
        SymbolicExpr::Leaf(BaseLeaf::Constant(constant)) => *constant,
        SymbolicExpr::Leaf(_) => unreachable!("rules know no rows"),
        SymbolicExpr::Neg { x, .. } => -of(x),
        SymbolicExpr::Add { x, y, .. } => of(x) + of(y),
        SymbolicExpr::Sub { x, y, .. } => of(x) - of(y),
        SymbolicExpr::Mul { x, y, .. } => of(x) * of(y),
    }
}

/// Returns the column that a recorded expression is, if it is one.
#[must_use]
pub fn column(expression: &Expr) -> Option<usize> {
    match expression {
        SymbolicExpr::Leaf(BaseLeaf::Variable(variable)) => match variable.entry {
            BaseEntry::Main { .. } => Some(variable.index),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the standard list with the contracts of the tests at its end.
///
/// # Panics
/// If they do not fit.
#[must_use]
pub fn with_tests() -> Contracts {
    let list = standard().clone().with(Relay);
    let list = list.and_then(|list| list.with(Kitchen));
    let list = list.and_then(|list| list.with(pool::TableTransfer("table_transfer")));
    let list = list.and_then(|list| list.with(pool::ToySwap("toy_swap")));
    list.unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_of_the_tests_fit() {
        let list = with_tests();
        assert_eq!(list.list().count(), standard().list().count() + 4);
        assert!(list.steps().iter().any(|step| step.next.len() == 2));
    }
}
