//! How the rows of a table are spread over the lanes of packed values.
//!
//! Lane `l` of group `t` holds row `l * groups + t`: each lane walks along its own part of the
//! table, so that the next rows of one group are the rows of the group after it, and are packed
//! once. A table of fewer rows than lanes repeats them in the lanes that are left.

use p3_field::{PackedValue, PrimeCharacteristicRing};
use p3_matrix::Matrix as _;
use p3_matrix::dense::RowMajorMatrixView;
use p3_util::{log2_strict_usize, reverse_bits_len};
use shardfold_protocol::field::F;

use super::program::Packed;

/// Lanes of a packed value.
const LANES: usize = Packed::WIDTH;

/// Groups that one task takes in one go.
pub(super) const BLOCK: usize = 128;

/// The rows of one table in lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes {
    log_height: usize,
    /// Lanes that hold a row of their own.
    pub(super) count: usize,
    /// Rows in each lane.
    pub(super) groups: usize,
}

impl Lanes {
    /// Returns how `2^log_height` rows lie in lanes.
    pub(super) fn new(log_height: usize) -> Self {
        let count = LANES.min(1 << log_height);
        Self {
            log_height,
            count,
            groups: (1 << log_height) / count,
        }
    }

    /// Returns the number of blocks of groups.
    pub(super) const fn blocks(&self) -> usize {
        self.groups.div_ceil(BLOCK)
    }

    /// Returns the groups of a block.
    pub(super) fn block(&self, block: usize) -> std::ops::Range<usize> {
        block * BLOCK..self.groups.min((block + 1) * BLOCK)
    }

    /// Returns the row in a lane of a group; the group after the last one holds the next rows of
    /// the last one.
    pub(super) const fn row(&self, lane: usize, group: usize) -> usize {
        (lane * self.groups + group) & ((1 << self.log_height) - 1)
    }

    /// Packs one value for each lane of a group.
    pub(super) fn pack(&self, group: usize, mut value: impl FnMut(usize) -> F) -> Packed {
        Packed::from_fn(|lane| value(self.row(lane, group)))
    }

    /// Cuts rows of `width` cells, one matrix after the other, into what each block writes: for
    /// each block its part of each lane.
    pub(super) fn split<'a>(&self, cells: &'a mut [F], width: usize) -> Vec<Vec<&'a mut [F]>> {
        let mut blocks: Vec<_> = (0..self.blocks())
            .map(|_| Vec::with_capacity(self.count))
            .collect();
        for lane in cells.chunks_mut(self.groups * width) {
            for (block, part) in blocks.iter_mut().zip(lane.chunks_mut(BLOCK * width)) {
                block.push(part);
            }
        }
        blocks
    }
}

/// Where row `i` of a table lies in a matrix.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// At `i`.
    Natural,
    /// In this part of the matrix, each as high as the table, in bit-reversed order.
    Reversed {
        /// The number of the part.
        part: usize,
    },
}

/// Packs the rows of a matrix, group by group, and keeps those of the group and of the next one.
pub(super) struct Walk<'a> {
    matrix: RowMajorMatrixView<'a, F>,
    lanes: Lanes,
    order: Order,
    next_group: usize,
    /// The rows of the group, then those of the next one.
    packed: Vec<Packed>,
}

impl<'a> Walk<'a> {
    /// Starts at a group.
    pub(super) fn new(
        matrix: RowMajorMatrixView<'a, F>,
        lanes: Lanes,
        order: Order,
        group: usize,
    ) -> Self {
        let mut walk = Self {
            matrix,
            lanes,
            order,
            next_group: group,
            packed: Packed::zero_vec(2 * matrix.width),
        };
        walk.advance();
        walk
    }

    /// Goes one group on; first of all to the group where it starts. Returns its rows and the
    /// next ones.
    pub(super) fn step(&mut self) -> RowMajorMatrixView<'_, Packed> {
        self.advance();
        RowMajorMatrixView::new(&self.packed, self.matrix.width)
    }

    fn advance(&mut self) {
        let width = self.matrix.width;
        if width == 0 {
            return;
        }
        self.packed.copy_within(width.., 0);
        let rows: [&[F]; LANES] = std::array::from_fn(|lane| self.row(lane));
        transpose(rows, &mut self.packed[width..]);
        self.next_group += 1;
    }

    fn row(&self, lane: usize) -> &'a [F] {
        let row = self.lanes.row(lane, self.next_group);
        let log_height = self.lanes.log_height;
        let place = match self.order {
            Order::Natural => row,
            Order::Reversed { part } => (part << log_height) + reverse_bits_len(row, log_height),
        };
        let width = self.matrix.width;
        &self.matrix.values[place * width..(place + 1) * width]
    }
}

/// Packs rows column by column, eight columns at a time: the compiler then knows all places.
fn transpose(rows: [&[F]; LANES], packed: &mut [Packed]) {
    const SQUARE: usize = 8;
    let squares = rows.map(|row| row.as_chunks::<SQUARE>().0);
    let (blocks, rest) = packed.as_chunks_mut::<SQUARE>();
    let done = blocks.len() * SQUARE;
    for (i, block) in blocks.iter_mut().enumerate() {
        let square: [&[F; SQUARE]; LANES] = squares.map(|row| &row[i]);
        for (column, packed) in block.iter_mut().enumerate() {
            *packed = Packed::from_fn(|lane| square[lane][column]);
        }
    }
    for (column, packed) in rest.iter_mut().enumerate() {
        *packed = Packed::from_fn(|lane| rows[lane][done + column]);
    }
}

/// Returns the lanes of a matrix in natural order.
pub(super) fn lanes_of(matrix: RowMajorMatrixView<'_, F>) -> Lanes {
    Lanes::new(log2_strict_usize(matrix.height()))
}
