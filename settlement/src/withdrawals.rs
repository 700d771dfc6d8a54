//! What a batch owes: the list that the contract takes, and the tree from which it pays.

use alloy_primitives::{B256, keccak256};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Serialize};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain, hash};
use shardfold_protocol::head::{Head, extend_chain};
use shardfold_protocol::text::element::Element;

/// Bytes of a withdrawal in the contract's list.
pub const ENTRY_BYTES: usize = 48;
/// Elements of a withdrawal.
const ELEMENTS: usize = ENTRY_BYTES / 8;

/// What a ledger owes to an address of a base chain: elements as they were signed, which need not be
/// those of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "[Element; ELEMENTS]", from = "[Element; ELEMENTS]")]
pub struct Withdrawal {
    /// The chain that owes it.
    pub base_chain: F,
    /// To whom.
    pub address: [F; 3],
    /// What.
    pub asset: F,
    /// How much.
    pub amount: F,
}

impl From<Withdrawal> for [Element; ELEMENTS] {
    fn from(withdrawal: Withdrawal) -> Self {
        withdrawal.elements().map(Element)
    }
}

impl From<[Element; ELEMENTS]> for Withdrawal {
    fn from(elements: [Element; ELEMENTS]) -> Self {
        Self::from_elements(&elements.map(|Element(element)| element))
    }
}

/// Returns whether these withdrawals are those that a ledger owes from one head to another.
#[must_use]
pub fn lead(chain_id: u64, before: &Head, after: &Head, withdrawals: &[Withdrawal]) -> bool {
    let extend =
        |chain, withdrawal: &Withdrawal| extend_chain(&chain, &withdrawal.digest(chain_id));
    let chain = withdrawals
        .iter()
        .fold(before.withdrawal_commitment, extend);
    let count = before
        .withdrawal_count
        .checked_add(withdrawals.len() as u64);
    chain == after.withdrawal_commitment && count == Some(after.withdrawal_count)
}

impl Withdrawal {
    /// Reads the elements of an entry of the contract's list.
    #[must_use]
    pub const fn from_elements(elements: &[F; ELEMENTS]) -> Self {
        let [base_chain, a, b, c, asset, amount] = *elements;
        Self {
            base_chain,
            address: [a, b, c],
            asset,
            amount,
        }
    }

    fn elements(&self) -> [F; ELEMENTS] {
        let [a, b, c] = self.address;
        [self.base_chain, a, b, c, self.asset, self.amount]
    }

    /// Returns the digest that extends the head's chain.
    pub fn digest(&self, chain_id: u64) -> Digest {
        let message = [&[F::from_u64(chain_id)][..], &self.elements()].concat();
        hash(Domain::WithdrawPayload, &message)
    }

    /// Returns the withdrawal as the contract reads it.
    #[must_use]
    pub fn entry(&self) -> [u8; ENTRY_BYTES] {
        let mut entry = [0; ENTRY_BYTES];
        for (element, place) in self.elements().iter().zip(entry.chunks_mut(8)) {
            place.copy_from_slice(&element.as_canonical_u64().to_be_bytes());
        }
        entry
    }
}

/// The withdrawals of one batch, as a tree: a leaf is the hash of number and entry, a node that of
/// its children, the lower first; a node without a neighbour goes up as it is.
#[derive(Clone, Debug)]
pub struct WithdrawalTree {
    /// From the leaves to the root.
    levels: Vec<Vec<B256>>,
}

impl WithdrawalTree {
    /// Returns the tree over the withdrawals of a batch before which the ledger owed `first`; `None`
    /// if there are none.
    #[must_use]
    pub fn new(first: u64, withdrawals: &[Withdrawal]) -> Option<Self> {
        let leaf = |(number, withdrawal): (u64, &Withdrawal)| {
            keccak256([&number.to_be_bytes()[..], &withdrawal.entry()].concat())
        };
        let leaves: Vec<_> = (first..).zip(withdrawals).map(leaf).collect();
        let mut levels = vec![leaves];
        while let [_, _, ..] = levels.last()?.as_slice() {
            let parents = levels.last()?.chunks(2).map(|pair| match *pair {
                [a, b] => parent(a, b),
                _ => pair[0],
            });
            levels.push(parents.collect());
        }
        (!withdrawals.is_empty()).then_some(Self { levels })
    }

    /// Returns the root.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.levels[self.levels.len() - 1][0]
    }

    /// Returns the nodes beside the way from a leaf, by its place in the batch, to the root.
    #[must_use]
    pub fn path(&self, place: usize) -> Vec<B256> {
        let beside = |(level, nodes): (usize, &Vec<B256>)| nodes.get(place >> level ^ 1).copied();
        self.levels.iter().enumerate().filter_map(beside).collect()
    }
}

fn parent(a: B256, b: B256) -> B256 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    keccak256([low, high].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withdrawals(count: u64) -> Vec<Withdrawal> {
        let withdrawal = |i| Withdrawal {
            base_chain: F::ONE,
            address: [F::from_u64(i); 3],
            asset: F::TWO,
            amount: F::from_u64(10 * i),
        };
        (0..count).map(withdrawal).collect()
    }

    #[test]
    fn every_path_leads_to_the_root() {
        assert!(WithdrawalTree::new(0, &[]).is_none());
        for count in 1..20 {
            let withdrawals = withdrawals(count);
            let tree = WithdrawalTree::new(7, &withdrawals).expect("there are some");
            for (place, leaf) in tree.levels[0].iter().enumerate() {
                let root = tree.path(place).into_iter().fold(*leaf, parent);
                assert_eq!(root, tree.root(), "{place} of {count}");
            }
        }
    }

    #[test]
    fn equal_withdrawals_have_leaves_of_their_own() {
        let [withdrawal] = withdrawals(1)[..] else {
            panic!("there is one")
        };
        let tree = WithdrawalTree::new(3, &[withdrawal; 2]).expect("there are two");
        assert_ne!(tree.levels[0][0], tree.levels[0][1]);
    }
}
