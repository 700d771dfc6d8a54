//! The tables of a proof and its commitments.

use core::ops::Range;

/// log2 of the most roots of a Merkle tree: the random-access gate that every circuit of a proof
/// tree has reads lists of so many entries.
pub(super) const MAX_LOG_CAP: usize = 4;

/// A digest.
pub(super) type Digest<T> = [T; 4];
/// What a Merkle tree ends in: its roots, in the order of the leaves below them.
pub(super) type Cap<T> = Vec<Digest<T>>;

/// What a commitment of the STARK holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// The main columns of all tables.
    Main,
    /// The chunks of all quotients.
    Quotient,
    /// The preprocessed columns of the tables that have any.
    Preprocessed,
    /// The lookup columns of the tables that have any.
    Permutation,
}

/// One committed matrix.
#[derive(Clone, Debug)]
pub struct MatrixShape {
    /// The table that it belongs to.
    pub table: usize,
    /// log2 of its rows, blow-up included.
    pub log_height: usize,
    /// Its columns, in base-field elements.
    pub width: usize,
    /// Whether it is opened at the next row as well.
    pub next: bool,
}

impl MatrixShape {
    /// Returns how many points it is opened at: `zeta`, and the next row's if it is read.
    #[must_use]
    pub fn points(&self) -> usize {
        1 + usize::from(self.next)
    }
}

/// One commitment and its matrices, in the order in which they were committed.
#[derive(Clone, Debug)]
pub struct CommitmentShape {
    /// What it holds.
    pub oracle: Oracle,
    /// Its matrices.
    pub matrices: Vec<MatrixShape>,
}

impl CommitmentShape {
    /// Returns log2 of the leaves of its Merkle tree.
    #[must_use]
    pub fn log_height(&self) -> usize {
        let heights = self.matrices.iter().map(|matrix| matrix.log_height);
        heights.max().unwrap_or_default()
    }
}

/// One table.
#[derive(Clone, Debug)]
pub struct TableShape {
    /// log2 of its rows.
    pub log_degree: usize,
    /// log2 of the chunks of its quotient.
    pub log_quotient_chunks: usize,
    /// Its public values.
    pub public_values: usize,
    /// Its lookup columns, the accumulator apart.
    pub lookups: usize,
    /// Its preprocessed columns.
    pub preprocessed_width: usize,
    /// Where the chunks of its quotient are in their commitment.
    pub chunks: Range<usize>,
}

/// The number of tables that look something up.
pub(super) fn lookup_tables(tables: &[TableShape]) -> usize {
    tables.iter().filter(|table| table.lookups > 0).count()
}
