//! How much of a shape a run of transactions takes: the one count that the executor cuts by
//! and that the reader of a witness checks.

use foldhash::HashSet;
use thiserror::Error;

use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::transaction::Transaction;
use shardfold_protocol::tree::TouchedNodes;

use crate::readings::{Access, Mode};
use crate::recorded::MAX_ACCESSES;
use crate::set::{Contracts, Cost};

/// What a shape limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Steps of transactions, a row each.
    Steps,
    /// Signatures.
    Signatures,
    /// Touched records, fee vaults included.
    Records,
    /// Distinct vaults that earn fees.
    FeeVaults,
    /// Touched inner nodes of the state tree.
    Nodes,
    /// Permutations, counted without sharing.
    Permutations,
}

/// A run of transactions needs more than a shape has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("found {found} {resource:?}, the shape has room for {limit}")]
pub struct ShapeExceeded {
    /// The resource of which a shape has too few.
    pub resource: Resource,
    /// How many the transactions need.
    pub found: usize,
    /// How many the shape has.
    pub limit: usize,
}

/// The count for a run of transactions.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    transactions: usize,
    nodes: TouchedNodes,
    fee_vaults: HashSet<Index>,
    /// Of the transactions alone.
    cost: Cost,
}

impl Usage {
    /// Returns every record that is touched, fee vaults included, by ascending index.
    #[must_use]
    pub fn records(&self) -> Vec<Index> {
        self.nodes.leaves()
    }

    /// Returns every vault that earns a fee, in no order.
    #[must_use]
    pub const fn fee_vaults(&self) -> &HashSet<Index> {
        &self.fee_vaults
    }

    /// Returns how many transactions were added.
    #[must_use]
    pub const fn transactions(&self) -> usize {
        self.transactions
    }

    /// Returns how many steps they have.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.cost.steps
    }

    /// Returns how many inner nodes lie above the records.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes.inner_nodes()
    }

    /// Returns how many permutations the proof takes.
    #[must_use]
    pub const fn permutations(&self) -> usize {
        let touched = self.nodes.leaf_count() + self.nodes.inner_nodes();
        self.cost.permutations + 2 * touched
    }

    /// Adds one transaction if the run with it still fits into one of these shapes.
    ///
    /// # Errors
    /// The first limit of the last shape that would be exceeded; nothing was added then.
    pub fn add(
        &mut self,
        contracts: &Contracts,
        transaction: &Transaction,
        shapes: &[Shape],
    ) -> Result<(), ShapeExceeded> {
        let mut accesses = Vec::with_capacity(MAX_ACCESSES);
        contracts.accesses(transaction, &mut accesses);
        self.add_accesses(contracts.cost(transaction), &accesses, shapes)
    }

    /// [`Self::add`] of a transaction of this cost and with these accesses.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_accesses(
        &mut self,
        cost: Cost,
        accesses: &[Access],
        shapes: &[Shape],
    ) -> Result<(), ShapeExceeded> {
        // What is not new adds no nodes.
        let mut new = [(0, 0); MAX_ACCESSES];
        for (new, access) in new.iter_mut().zip(accesses) {
            *new = (access.index, self.nodes.insert(access.index));
        }
        let is_fee = |access: &&Access| matches!(access.mode, Mode::Fee(_));
        let fee_vault = accesses.iter().find(is_fee).map(|access| access.index);
        let new_fee_vault = fee_vault.filter(|&index| self.fee_vaults.insert(index));
        self.transactions += 1;
        let before = self.cost;
        self.cost = before + cost;
        self.fits_any(shapes).inspect_err(|_| {
            self.transactions -= 1;
            self.cost = before;
            if let Some(index) = new_fee_vault {
                self.fee_vaults.remove(&index);
            }
            for (index, levels) in new {
                self.nodes.remove(index, levels);
            }
        })
    }

    /// Checks that one of these shapes has the capacity for all of it.
    fn fits_any(&self, shapes: &[Shape]) -> Result<(), ShapeExceeded> {
        let Some((last, others)) = shapes.split_last() else {
            return Ok(());
        };
        // The last one is the largest as a rule, so that the others are seldom asked.
        self.fits(last).or_else(|error| {
            let fits = |shape| self.fits(shape).is_ok();
            others.iter().any(fits).then_some(()).ok_or(error)
        })
    }

    /// Checks that a shape has the capacity for all of it.
    ///
    /// # Errors
    /// The first limit that is exceeded.
    pub fn fits(&self, shape: &Shape) -> Result<(), ShapeExceeded> {
        let counts = [
            (Resource::Steps, self.cost.steps, shape.transactions()),
            (
                Resource::Signatures,
                self.cost.signatures,
                shape.transactions(),
            ),
            (Resource::Records, self.nodes.leaf_count(), shape.records()),
            (
                Resource::FeeVaults,
                self.fee_vaults.len(),
                shape.fee_vaults(),
            ),
            (Resource::Nodes, self.nodes(), shape.nodes()),
            (
                Resource::Permutations,
                self.permutations(),
                shape.permutations(),
            ),
        ];
        match counts.into_iter().find(|(_, found, limit)| found > limit) {
            None => Ok(()),
            Some((resource, found, limit)) => Err(ShapeExceeded {
                resource,
                found,
                limit,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use shardfold_protocol::field::F;
    use shardfold_protocol::hash::ZERO_DIGEST;
    use shardfold_protocol::signature::{Account, SIGNATURE_PERMUTATIONS};
    use shardfold_protocol::transaction::{Deposit, FeePayment, Transfer};
    use shardfold_protocol::tree::touched_nodes;

    use super::*;
    use crate::set::standard;

    static ACCOUNT: LazyLock<Account> = LazyLock::new(|| Account::from_index(0, 0));

    fn transaction(from: Index, to: Index, fee: FeePayment) -> Transaction {
        let (asset, amount, nonce) = (0, 0, 0);
        if from == to {
            let owner = ZERO_DIGEST;
            return Transaction::Deposit(Deposit {
                base_chain: 1,
                to,
                owner,
                asset,
                amount,
                fee,
                nonce,
            });
        }
        let to_owner = ZERO_DIGEST;
        let body = Transfer {
            from,
            to,
            to_owner,
            asset,
            amount,
            fee,
            nonce,
        };
        let signature = ACCOUNT.sign(F::default(), &ZERO_DIGEST);
        Transaction::Transfer(ACCOUNT.signed(body, signature))
    }

    fn index() -> impl Strategy<Value = Index> {
        prop_oneof![0..6u32, any::<Index>()]
    }

    fn transactions() -> impl Strategy<Value = Vec<Transaction>> {
        let one = (index(), index(), 0..2u64, index()).prop_map(|(from, to, amount, vault)| {
            transaction(from, to, FeePayment { amount, vault })
        });
        prop::collection::vec(one, 1..12)
    }

    /// The count from scratch.
    fn check(usage: &Usage, transactions: &[Transaction]) {
        let mut accesses = vec![];
        for transaction in transactions {
            standard().accesses(transaction, &mut accesses);
        }
        let records: BTreeSet<Index> = accesses.iter().map(|access| access.index).collect();
        let fees = accesses.iter().filter(|a| matches!(a.mode, Mode::Fee(_)));
        let fee_vaults: BTreeSet<Index> = fees.map(|access| access.index).collect();
        let nodes = touched_nodes(&records.iter().copied().collect::<Vec<_>>());
        // As docs/protocol.md has it: transfer and deposit.
        let own = |transaction: &Transaction| match transaction {
            Transaction::Deposit(_) => 2 + 1 + 2,
            _ => 2 + SIGNATURE_PERMUTATIONS + 1,
        };
        let own: usize = transactions.iter().map(own).sum();
        assert_eq!(usage.transactions(), transactions.len());
        assert_eq!(usage.permutations(), own + 2 * (records.len() + nodes));
        assert_eq!(usage.records(), records.into_iter().collect::<Vec<_>>());
        assert_eq!(
            &usage.fee_vaults().iter().copied().collect::<BTreeSet<_>>(),
            &fee_vaults
        );
        assert_eq!(usage.nodes(), nodes);
    }

    proptest! {
        #[test]
        fn the_count_is_exact_also_after_what_does_not_fit(
            candidates in transactions(),
            log_transactions in 0..4u32,
            log_nodes in 5..9u32,
            log_permutations in 7..11u32,
        ) {
            let log_records = log_transactions + 1;
            let shape = Shape { log_transactions, log_records, log_nodes, log_permutations };
            let (mut usage, mut fitting) = (Usage::default(), vec![]);
            for candidate in candidates {
                if let Err(error) = usage.add(standard(), &candidate, &[shape]) {
                    prop_assert!(error.found > error.limit);
                } else {
                    prop_assert!(usage.fits(&shape).is_ok());
                    fitting.push(candidate);
                }
                check(&usage, &fitting);
            }
        }
    }
}
