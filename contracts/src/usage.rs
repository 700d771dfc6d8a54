//! How much of a shape a run of transactions takes: the one count that the executor cuts by
//! and that the reader of a witness checks.

use foldhash::HashSet;
use thiserror::Error;

use shardfold_protocol::address::Address;
use shardfold_protocol::difference::Change;
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::{OWNER_PERMUTATIONS, PublicKey};
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
    /// Permutations, counted as if every touched record changed, and shared by the signatures of one
    /// owner only.
    Permutations,
    /// Accesses of vaults that have a row of their own.
    Vaults,
    /// Exact divisions, counted without sharing.
    Divisions,
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

/// Who signs: an owner is the hash of these.
type Owner = (PublicKey, Address);

/// The count for a run of transactions.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    transactions: usize,
    nodes: TouchedNodes,
    fee_vaults: HashSet<Index>,
    owners: HashSet<Owner>,
    /// Of differences, if every touched record changes.
    pairs: usize,
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

    /// Returns how many owners sign.
    #[must_use]
    pub fn owners(&self) -> usize {
        self.owners.len()
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

    /// Returns how many permutations the proof takes, at most: fewer only where touched records do
    /// not change, whose differences are counted too.
    #[must_use]
    pub fn permutations(&self) -> usize {
        let touched = self.nodes.leaf_count() + self.nodes.inner_nodes();
        let owners = OWNER_PERMUTATIONS * self.owners.len();
        self.cost.permutations + owners + 2 * touched + self.pairs.div_ceil(2)
    }

    /// Adds one transaction if the run with it still fits into one of these shapes. `is_vault` says
    /// whether a vault is at an index before the run.
    ///
    /// # Errors
    /// The first limit of the last shape that would be exceeded; nothing was added then.
    pub fn add(
        &mut self,
        contracts: &Contracts,
        transaction: &Transaction,
        is_vault: impl Fn(Index) -> bool,
        shapes: &[Shape],
    ) -> Result<(), ShapeExceeded> {
        let mut accesses = Vec::with_capacity(MAX_ACCESSES);
        contracts.accesses(transaction, &mut accesses);
        let cost = contracts.cost(transaction);
        self.add_accesses(transaction, cost, &accesses, is_vault, shapes)
    }

    /// [`Self::add`] of a transaction whose cost and accesses are these.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_accesses(
        &mut self,
        transaction: &Transaction,
        cost: Cost,
        accesses: &[Access],
        is_vault: impl Fn(Index) -> bool,
        shapes: &[Shape],
    ) -> Result<(), ShapeExceeded> {
        // What is not new adds no nodes, and no difference.
        let mut new = [(0, 0); MAX_ACCESSES];
        let pairs = self.pairs;
        for (new, access) in new.iter_mut().zip(accesses) {
            *new = (access.index, self.nodes.insert(access.index));
            if new.1 > 0 {
                self.pairs += Change::pairs(is_vault(access.index));
            }
        }
        let is_fee = |access: &&Access| matches!(access.mode, Mode::Fee(_));
        let fee_vault = accesses.iter().find(is_fee).map(|access| access.index);
        let new_fee_vault = fee_vault.filter(|&index| self.fee_vaults.insert(index));
        let signs = |_: &_| cost.signatures > 0;
        let owner = transaction.authorization.filter(signs);
        let owner = owner.map(|signed| (signed.public_key, signed.exit_address));
        let new_owner = owner.filter(|&owner| self.owners.insert(owner));
        self.transactions += 1;
        let before = self.cost;
        self.cost = before + cost;
        self.fits_any(shapes).inspect_err(|_| {
            self.transactions -= 1;
            self.cost = before;
            self.pairs = pairs;
            if let Some(index) = new_fee_vault {
                self.fee_vaults.remove(&index);
            }
            if let Some(owner) = new_owner {
                self.owners.remove(&owner);
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

    /// Returns how much of each resource is taken, and how much of it a shape has.
    #[must_use]
    pub fn counts(&self, shape: &Shape) -> [(Resource, usize, usize); 8] {
        [
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
            (Resource::Vaults, self.cost.vaults, shape.vaults()),
            (Resource::Divisions, self.cost.divisions, shape.divisions()),
        ]
    }

    /// Returns how many transactions like these a shape has room for at most: if those that follow
    /// touch no other records, and nobody else signs them.
    #[must_use]
    pub fn most(&self, shape: &Shape) -> u64 {
        let Cost {
            steps,
            signatures,
            permutations,
            vaults,
            divisions,
        } = self.cost;
        let transactions = self.transactions as u64;
        let own = [
            (steps, steps, shape.transactions()),
            (signatures, signatures, shape.transactions()),
            (permutations, self.permutations(), shape.permutations()),
            (vaults, vaults, shape.vaults()),
            (divisions, divisions, shape.divisions()),
        ];
        let own = own.into_iter().filter(|(own, ..)| *own > 0);
        let more = own.map(|(own, found, limit)| {
            limit.saturating_sub(found) as u64 * transactions / own as u64
        });
        transactions + more.min().unwrap_or_default()
    }

    /// Checks that a shape has the capacity for all of it.
    ///
    /// # Errors
    /// The first limit that is exceeded.
    pub fn fits(&self, shape: &Shape) -> Result<(), ShapeExceeded> {
        match self
            .counts(shape)
            .into_iter()
            .find(|(_, found, limit)| found > limit)
        {
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

    use p3_field::PrimeCharacteristicRing;
    use proptest::prelude::*;
    use shardfold_protocol::field::F;
    use shardfold_protocol::hash::ZERO_DIGEST;
    use shardfold_protocol::signature::{Account, SIGNATURE_PERMUTATIONS};
    use shardfold_protocol::transaction::Authorization;
    use shardfold_protocol::tree::touched_nodes;

    use super::*;
    use crate::deposit::Deposit;
    use crate::law::{Body, FeePayment};
    use crate::set::standard;
    use crate::transfer::Transfer;

    /// The authorizations of four accounts, two of which have one key. What is signed is another
    /// matter.
    static SIGNED: LazyLock<[Authorization; 4]> = LazyLock::new(|| {
        let mut signed = [0, 1, 2, 2].map(|index| {
            let account = Account::from_index(5, index);
            Authorization {
                public_key: account.public_key(),
                exit_address: account.exit_address,
                signature: account.sign(F::ONE, &ZERO_DIGEST),
            }
        });
        signed[3].exit_address = signed[0].exit_address;
        signed
    });

    fn transaction(from: Index, to: Index, fee: FeePayment) -> Transaction {
        let (asset, amount) = (0, 0);
        if from == to {
            let deposit = Deposit {
                base_chain: 1,
                to,
                owner: ZERO_DIGEST,
                asset,
                amount,
                fee,
                position: 0,
            };
            return deposit.unsigned();
        }
        let transfer = Transfer {
            from,
            to,
            to_owner: ZERO_DIGEST,
            asset,
            amount,
            fee,
            nonce: 0,
        };
        let mut transfer = transfer.unsigned();
        transfer.authorization = Some(SIGNED[from as usize % SIGNED.len()]);
        transfer
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

    fn is_vault(index: Index) -> bool {
        !index.is_multiple_of(3)
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
        let own = |transaction: &Transaction| match transaction.kind {
            Deposit::KIND => 2 + 1 + 2,
            _ => 2 + SIGNATURE_PERMUTATIONS + 1,
        };
        let own: usize = transactions.iter().map(own).sum();
        let pairs = records
            .iter()
            .map(|&index| if is_vault(index) { 1 } else { 5 });
        let blocks = pairs.sum::<usize>().div_ceil(2);
        assert_eq!(usage.transactions(), transactions.len());
        let paths = 2 * (records.len() + nodes);
        let signed = transactions.iter().filter_map(|t| t.authorization);
        let owners = signed.map(|signed| signed.public_key.owner(F::ONE, &signed.exit_address));
        let owners = 2 * owners.collect::<HashSet<_>>().len();
        assert_eq!(usage.permutations(), own + owners + paths + blocks);
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
            three_quarters in any::<bool>(),
            log_nodes in 5..9u32,
            log_permutations in 7..11u32,
        ) {
            let log_records = log_transactions + 1;
            let shape = Shape {
                log_transactions,
                log_records,
                log_nodes,
                log_permutations,
                three_quarters: three_quarters && log_transactions >= 2,
                ..Shape::TINY
            };
            prop_assert!(shape.is_bounded());
            let (mut usage, mut fitting) = (Usage::default(), vec![]);
            for candidate in candidates {
                if let Err(error) = usage.add(standard(), &candidate, is_vault, &[shape]) {
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
