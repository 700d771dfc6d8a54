//! Who touches what: the accesses of a batch, by transaction and sorted by record.

use rayon::prelude::*;
use shardfold_contracts::Contracts;
use shardfold_contracts::readings::Access;
use shardfold_contracts::recorded::MAX_ACCESSES;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::Transaction;

/// Bits of an access's number within its transaction.
const NUMBER_BITS: u32 = MAX_ACCESSES.ilog2();
/// Positions have as many bits as are left in a [`Sorted`] access.
const MAX_TRANSACTIONS: usize = 1 << (32 - NUMBER_BITS);
/// How many transactions one task takes.
const TASK: usize = 512;

/// The accesses of each transaction, in batch order.
pub(super) struct Accesses {
    all: Vec<Access>,
    /// Where those of each transaction start, and where the last ones end.
    starts: Vec<u32>,
}

/// One access: the index, the position of the transaction and the access's number in it as one
/// integer, by which they are sorted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sorted(u64);

impl Sorted {
    fn new(index: Index, position: usize, number: usize) -> Self {
        Self(u64::from(index) << 32 | (position as u64) << NUMBER_BITS | number as u64)
    }

    pub const fn index(self) -> Index {
        (self.0 >> 32) as Index
    }

    pub const fn position(self) -> u32 {
        self.0 as u32 >> NUMBER_BITS
    }

    const fn number(self) -> u32 {
        self.0 as u32 & ((1 << NUMBER_BITS) - 1)
    }
}

impl Accesses {
    /// Lists the accesses of all transactions.
    ///
    /// # Panics
    /// With 2^28 transactions or more.
    pub fn new(contracts: &Contracts, transactions: &[Transaction]) -> Self {
        assert!(transactions.len() < MAX_TRANSACTIONS);
        let tasks = transactions.par_chunks(TASK).map(|transactions| {
            let (mut accesses, mut counts) = (vec![], vec![]);
            for transaction in transactions {
                let before = accesses.len();
                contracts.accesses(transaction, &mut accesses);
                counts.push((accesses.len() - before) as u32);
            }
            (accesses, counts)
        });
        let tasks: Vec<(Vec<Access>, Vec<u32>)> = tasks.collect();
        let mut all = Vec::with_capacity(tasks.iter().map(|(accesses, _)| accesses.len()).sum());
        let mut starts = Vec::with_capacity(transactions.len() + 1);
        let mut end = 0;
        for (accesses, counts) in tasks {
            all.extend(accesses);
            for count in counts {
                starts.push(end);
                end += count;
            }
        }
        starts.push(end);
        Self { all, starts }
    }

    /// Returns where the accesses of a transaction are in the list of all.
    pub fn range(&self, position: u32) -> core::ops::Range<usize> {
        let at = position as usize;
        self.starts[at] as usize..self.starts[at + 1] as usize
    }

    /// Returns the accesses of a transaction.
    pub fn of(&self, position: u32) -> &[Access] {
        &self.all[self.range(position)]
    }

    /// Returns where a sorted access is in the list of all.
    pub fn place(&self, sorted: Sorted) -> usize {
        (self.starts[sorted.position() as usize] + sorted.number()) as usize
    }

    /// Returns a sorted access in full.
    pub fn get(&self, sorted: Sorted) -> &Access {
        &self.all[self.place(sorted)]
    }

    /// Returns how many accesses there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns all accesses by ascending index, those of an index in batch order.
    pub fn sorted(&self) -> Vec<Sorted> {
        let positions = (0..self.starts.len() - 1)
            .into_par_iter()
            .with_min_len(TASK);
        let sorted = positions.flat_map_iter(|position| {
            let accesses = self.of(position as u32).iter().enumerate();
            accesses.map(move |(number, access)| Sorted::new(access.index, position, number))
        });
        let mut sorted: Vec<Sorted> = sorted.collect();
        sorted.par_sort_unstable();
        sorted
    }
}
