//! Shapes: how large each table of a shard's STARK is. A shape fixes every height, so that
//! one circuit verifies every shard of it; the executor cuts shards that fill a shape.

use serde::{Deserialize, Serialize};

/// log2 of the rows of the largest shard's table of transactions.
pub const MAX_LOG_TRANSACTIONS: u32 = 16;

/// When the fees of a shard are credited: later than its transactions, which count from 1 and of
/// which the executor takes fewer.
/// A gap of clocks has 16 bits, so the first access may be this late and no later.
pub const FEE_CLOCK: u32 = 1 << 16;

/// log2 of the most rows of a table.
pub const MAX_LOG_HEIGHT: u32 = 24;

/// The capacity of a shard, from which the heights of all chips follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// log2 of the number of transactions.
    pub log_transactions: u32,
    /// log2 of the number of touched records.
    pub log_records: u32,
    /// log2 of the number of touched inner nodes of the state tree.
    pub log_nodes: u32,
    /// log2 of the number of permutations.
    pub log_permutations: u32,
    /// log2 of the number of accesses of vaults that have a row of their own.
    pub log_vaults: u32,
    /// log2 of the number of exact divisions.
    pub log_divisions: u32,
    /// Whether it takes three quarters of so many transactions: the ladders of their signatures, on
    /// which many cells go, have two tables each then, of half and of a quarter of the rows.
    pub three_quarters: bool,
}

impl Shape {
    /// For tests: 4 transactions anywhere in the tree.
    pub const TINY: Self = Self::new([2, 3, 8, 10], [3, 6]);
    /// 128 transactions.
    pub const SMALL: Self = Self::new([7, 8, 12, 13], [8, 8]);
    /// 4,096 transactions, even over vaults scattered among millions.
    pub const MEDIUM: Self = Self::new([12, 13, 17, 18], [13, 13]);
    /// 12,288 transactions over vaults that are used often, few of which need exact divisions, in six
    /// sevenths of the cells of [`Self::LARGE`].
    pub const DENSE: Self = Self {
        three_quarters: true,
        ..Self::new([14, 14, 16, 18], [14, 14])
    };
    /// 16,384 transactions over vaults that lie close together or are used often. Its tables
    /// have few different heights: each costs the recursive verifier a round of folding.
    pub const LARGE: Self = Self::new([14, 16, 16, 18], [16, 16]);

    /// 32,768 transactions over vaults that are used often: as many permutations as
    /// [`Self::LARGE`] for twice the transactions.
    pub const HUGE: Self = Self::new([15, 16, 16, 18], [16, 16]);
    /// 65,535 transactions over vaults that are used often.
    pub const GIANT: Self = Self::new([16, 16, 16, 19], [16, 16]);

    /// The heights of the tables that only some lists of contracts have, `shared`, are those of
    /// other tables: a height more would cost the recursive verifier a round of folding.
    const fn new(always: [u32; 4], shared: [u32; 2]) -> Self {
        let [log_transactions, log_records, log_nodes, log_permutations] = always;
        let [log_vaults, log_divisions] = shared;
        assert!(log_transactions <= MAX_LOG_TRANSACTIONS);
        Self {
            log_transactions,
            log_records,
            log_nodes,
            log_permutations,
            log_vaults,
            log_divisions,
            three_quarters: false,
        }
    }

    /// Returns whether all its numbers are within the bounds of any shape: one that was read from
    /// outside may have others.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        let has_quarters = self.log_transactions >= 2;
        (has_quarters || !self.three_quarters)
            && self.log_transactions <= MAX_LOG_TRANSACTIONS
            && self.log_records <= MAX_LOG_HEIGHT
            && self.log_nodes <= MAX_LOG_HEIGHT
            && self.log_permutations <= MAX_LOG_HEIGHT
            && self.log_vaults <= MAX_LOG_HEIGHT
            && self.log_divisions <= MAX_LOG_HEIGHT
    }

    /// Returns log2 of the signatures that have their ladders in the first table of them, and in the
    /// second if there is one.
    #[must_use]
    pub const fn log_ladders(&self) -> (u32, Option<u32>) {
        let log = self.log_transactions;
        if self.three_quarters {
            (log.saturating_sub(1), Some(log.saturating_sub(2)))
        } else {
            (log, None)
        }
    }

    /// Returns the maximum number of steps of transactions, and that of signatures. The table has a
    /// row more if it has 2^16: the last transaction comes before [`FEE_CLOCK`].
    #[must_use]
    pub const fn transactions(&self) -> usize {
        let whole = 1 << self.log_transactions;
        let rows = if self.three_quarters {
            whole / 4 * 3
        } else {
            whole
        };
        if rows < FEE_CLOCK as usize {
            rows
        } else {
            FEE_CLOCK as usize - 1
        }
    }

    /// Returns the maximum number of records; fee vaults count among them.
    #[must_use]
    pub const fn records(&self) -> usize {
        1 << self.log_records
    }

    /// Returns the maximum number of fee vaults.
    #[must_use]
    pub const fn fee_vaults(&self) -> usize {
        1 << self.log_transactions
    }

    /// Returns the maximum number of touched inner nodes.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        1 << self.log_nodes
    }

    /// Returns the maximum number of permutations.
    #[must_use]
    pub const fn permutations(&self) -> usize {
        1 << self.log_permutations
    }

    /// Returns the maximum number of accesses of vaults that have a row of their own.
    #[must_use]
    pub const fn vaults(&self) -> usize {
        1 << self.log_vaults
    }

    /// Returns the maximum number of exact divisions.
    #[must_use]
    pub const fn divisions(&self) -> usize {
        1 << self.log_divisions
    }

    /// Returns about how many cells its tables have, to compare shapes with: the circuits have the
    /// number, and a test of theirs holds this one against it.
    #[must_use]
    pub const fn cells(&self) -> u64 {
        /// The tables that a shape has whatever its size.
        const FIXED: u64 = 3 << 20;
        let of_steps = 1_308 << self.log_transactions;
        let of_ladders = match self.log_ladders() {
            (first, None) => 3_392 << first,
            (first, Some(second)) => (3_392 << first) + (3_392 << second),
        };
        let of_state = (70 << self.log_records) + (40 << self.log_nodes);
        FIXED + of_steps + of_ladders + of_state + (185 << self.log_permutations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quarters_are_half_and_a_quarter() {
        let (half, quarter) = Shape::DENSE.log_ladders();
        let ladders = (1 << half) + quarter.map_or(0, |quarter| 1 << quarter);
        assert_eq!(Shape::DENSE.transactions(), ladders);
        assert_eq!(Shape::DENSE.transactions(), 12_288);
        assert_eq!(Shape::LARGE.log_ladders(), (14, None));
        assert_eq!(Shape::LARGE.transactions(), 16_384);
    }

    #[test]
    fn no_shape_has_a_table_without_rows() {
        let quarters = |log_transactions| Shape {
            log_transactions,
            ..Shape::DENSE
        };
        assert!(quarters(2).is_bounded());
        for log_transactions in [0, 1] {
            let shape = quarters(log_transactions);
            assert!(!shape.is_bounded());
            assert_eq!(shape.transactions(), 0);
            assert_eq!(shape.log_ladders(), (0, Some(0)));
        }
    }
}
