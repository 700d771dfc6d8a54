//! Columns of the transaction table, as far as every row has them, and its public values.

use shardfold_contracts::layout::{Layout, prefix};

use crate::cells::Cells;

/// What every row has: the head around it, which step it is, and what was handed to it. The cells
/// of the steps follow, see `shardfold_contracts::layout`.
#[derive(Debug)]
pub struct TransactionColumns<T> {
    /// 1 on the first row, 0 on all others.
    pub is_first: T,
    /// Which transaction of the shard the row belongs to, from 1.
    pub clock: T,
    /// Items taken from the queue.
    pub queue_count: Around<T>,
    /// Withdrawals.
    pub withdrawal_count: Around<T>,
    /// How much later the head after is than the head before: two limbs of 16 bits, the same in all
    /// rows.
    pub elapsed: [T; 2],
    /// The chain of all transactions.
    pub transactions: ChainAround<T>,
    /// The chain of items taken from the queue.
    pub queue: ChainAround<T>,
    /// The chain of withdrawals.
    pub withdrawals: ChainAround<T>,
    /// One for each kind of step; all zero on padding rows.
    pub selectors: Vec<T>,
    /// What the step before handed on.
    pub carried: Vec<T>,
    /// Limbs of 16 bits, those that are not used too.
    pub limbs: Vec<T>,
    /// Limbs of 14 bits.
    pub shorts: Vec<T>,
}

/// A number before a row and after it.
#[derive(Clone, Copy, Debug)]
pub struct Around<T> {
    /// Before the row.
    pub before: T,
    /// After the row.
    pub after: T,
}

/// One of the head's hash chains around a row.
#[derive(Clone, Copy, Debug)]
pub struct ChainAround<T> {
    /// Before the row.
    pub before: [T; 4],
    /// After the row.
    pub after: [T; 4],
}

impl<T> TransactionColumns<T> {
    /// Names the cells of a row.
    pub fn of(layout: &Layout, row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        let columns = Self {
            is_first: cells.one(),
            clock: cells.one(),
            queue_count: Around::of(&mut cells),
            withdrawal_count: Around::of(&mut cells),
            elapsed: cells.array(),
            transactions: ChainAround::of(&mut cells),
            queue: ChainAround::of(&mut cells),
            withdrawals: ChainAround::of(&mut cells),
            selectors: (0..layout.selectors).map(|_| cells.one()).collect(),
            carried: (0..layout.carried).map(|_| cells.one()).collect(),
            limbs: (0..layout.limbs).map(|_| cells.one()).collect(),
            shorts: (0..layout.shorts).map(|_| cells.one()).collect(),
        };
        const { assert!(prefix::WIDTH == 8 + 3 * 8, "as many as are named here") };
        columns
    }
}

impl<T> Around<T> {
    fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            before: cells.one(),
            after: cells.one(),
        }
    }
}

impl<T> ChainAround<T> {
    fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            before: cells.array(),
            after: cells.array(),
        }
    }
}

/// The public values: `protocol::head::Statement::elements` without names.
#[derive(Debug)]
pub struct StatementValues<T> {
    /// The chain id; the rules hash it.
    pub chain_id: T,
    /// The head before the first transaction.
    pub before: HeadValues<T>,
    /// The head after the last transaction.
    pub after: HeadValues<T>,
}

/// One head among the public values.
#[derive(Debug)]
pub struct HeadValues<T> {
    /// Root of the state tree.
    pub state_root: [T; 4],
    /// Transactions since genesis.
    pub tx_count: T,
    /// The time of the last batch.
    pub time: T,
    /// Items taken from the queue since genesis.
    pub queue_count: T,
    /// The chain of items taken from the queue.
    pub queue: [T; 4],
    /// Withdrawals since genesis.
    pub withdrawal_count: T,
    /// The chain of withdrawals.
    pub withdrawals: [T; 4],
    /// The chain of differences of records.
    pub data: [T; 4],
    /// The chain of all transactions.
    pub transactions: [T; 4],
}

impl<T> StatementValues<T> {
    /// Names the public values.
    pub fn of(values: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(values);
        Self {
            chain_id: cells.one(),
            before: HeadValues::of(&mut cells),
            after: HeadValues::of(&mut cells),
        }
    }
}

impl<T> HeadValues<T> {
    fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            state_root: cells.array(),
            tx_count: cells.one(),
            time: cells.one(),
            queue_count: cells.one(),
            queue: cells.array(),
            withdrawal_count: cells.one(),
            withdrawals: cells.array(),
            data: cells.array(),
            transactions: cells.array(),
        }
    }
}
