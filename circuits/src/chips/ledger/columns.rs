//! Columns of the ledger.

use shardfold_protocol::transaction::Kind;

use crate::cells::Cells;

/// One transaction in order.
#[repr(C)]
#[derive(Debug)]
pub struct LedgerColumns<T> {
    /// 1 on the first row, 0 on all others.
    pub is_first: T,
    /// 1 for a transfer. A row with no kind is padding.
    pub is_transfer: T,
    /// 1 for a deposit.
    pub is_deposit: T,
    /// 1 for a withdrawal.
    pub is_withdraw: T,
    /// The transaction's position in the shard, from 1: transactions before this row, plus one.
    pub clock: T,
    /// The transaction's digest.
    pub digest: [T; 4],
    /// What enters the chain of queue items or of withdrawals.
    pub payload: [T; 4],
    /// The head's count of queue items before this row.
    pub queue_count: T,
    /// queue_position = is_deposit * queue_count.
    pub queue_position: T,
    /// The head's count of withdrawals before this row.
    pub withdrawal_count: T,
    /// Seconds from the statement's first head to its second: two limbs of 16 bits, the lower
    /// first.
    pub elapsed: [T; 2],
    /// The chain of all transactions.
    pub transactions: ChainColumns<T>,
    /// The chain of queue items.
    pub queue: ChainColumns<T>,
    /// The chain of withdrawals.
    pub withdrawals: ChainColumns<T>,
}

/// One of the head's hash chains around one row.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ChainColumns<T> {
    /// Before the row.
    pub before: [T; 4],
    /// After the row: compress(before, entry), or `before` where the chain is not extended.
    pub after: [T; 4],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<LedgerColumns<u8>>();

impl<T> LedgerColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_first: cells.one(),
            is_transfer: cells.one(),
            is_deposit: cells.one(),
            is_withdraw: cells.one(),
            clock: cells.one(),
            digest: cells.array(),
            payload: cells.array(),
            queue_count: cells.one(),
            queue_position: cells.one(),
            withdrawal_count: cells.one(),
            elapsed: cells.array(),
            transactions: ChainColumns::of(&mut cells),
            queue: ChainColumns::of(&mut cells),
            withdrawals: ChainColumns::of(&mut cells),
        }
    }
}

impl<T: Copy> LedgerColumns<T> {
    /// Returns the flag of each kind: all that asserts or sums up flags goes through this list, so
    /// that no kind is omitted anywhere.
    pub const fn flags(&self) -> [(T, Kind); 3] {
        [
            (self.is_transfer, Kind::Transfer),
            (self.is_deposit, Kind::Deposit),
            (self.is_withdraw, Kind::Withdraw),
        ]
    }
}

impl<T> ChainColumns<T> {
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
    /// The chain id; the rules' chips hash it, the ledger does not use it.
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
    /// The time of the last batch, in seconds.
    pub time: T,
    /// Queue items since genesis.
    pub queue_count: T,
    /// The chain of queue items.
    pub queue: [T; 4],
    /// Withdrawals since genesis.
    pub withdrawal_count: T,
    /// The chain of withdrawals.
    pub withdrawals: [T; 4],
    /// The chain of the differences of records.
    pub data: [T; 4],
    /// The chain of all transactions.
    pub transactions: [T; 4],
}

impl<T> StatementValues<T> {
    /// Names the 49 public values.
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
