//! Where the cells of a row lie.
//!
//! A row of the transaction table starts with what every row has ([`prefix`]); then come the
//! selectors of the steps, the carried cells, and the regions in which each step lays its cells:
//! limbs (16 bits each), short limbs (14 bits each) and free cells.

/// The most columns of a table: what the recursion has room for (`docs/security.md`).
pub const MAX_COLUMNS: usize = 320;

/// Columns that every row has, in the order of the table.
pub mod prefix {
    /// 1 on the first row, 0 on all others.
    pub const IS_FIRST: usize = 0;
    /// Which transaction of the shard the row belongs to, from 1.
    pub const CLOCK: usize = 1;
    /// Items taken from the queue before the row, and after it.
    pub const QUEUE_COUNT: Around = Around(2);
    /// Withdrawals before the row, and after it.
    pub const WITHDRAWAL_COUNT: Around = Around(4);
    /// How much later the head after is than the head before: two limbs, the same in all rows.
    pub const ELAPSED: [usize; 2] = [6, 7];
    /// The chain of all transactions before the row, and after it.
    pub const TRANSACTIONS: ChainAround = ChainAround(8);
    /// The chain of items taken from the queue.
    pub const QUEUE: ChainAround = ChainAround(16);
    /// The chain of withdrawals.
    pub const WITHDRAWALS: ChainAround = ChainAround(24);
    /// Number of these columns.
    pub const WIDTH: usize = 32;

    /// A number before and after the row.
    #[derive(Clone, Copy, Debug)]
    pub struct Around(pub usize);

    /// A digest before and after the row.
    #[derive(Clone, Copy, Debug)]
    pub struct ChainAround(pub usize);

    impl Around {
        /// The column before the row.
        #[must_use]
        pub const fn before(self) -> usize {
            self.0
        }

        /// The column after the row.
        #[must_use]
        pub const fn after(self) -> usize {
            self.0 + 1
        }
    }

    impl ChainAround {
        /// The columns before the row.
        #[must_use]
        pub const fn before(self) -> [usize; 4] {
            let at = self.0;
            [at, at + 1, at + 2, at + 3]
        }

        /// The columns after the row.
        #[must_use]
        pub const fn after(self) -> [usize; 4] {
            let at = self.0 + 4;
            [at, at + 1, at + 2, at + 3]
        }
    }
}

/// Public values that rules use: their places in a statement's elements.
pub mod public {
    use shardfold_protocol::head::{HEAD_ELEMENTS, TIME_ELEMENT};

    /// The chain that transactions are bound to.
    pub const CHAIN_ID: usize = 0;
    /// The time of the batch: that of the head after.
    pub const NOW: usize = 1 + HEAD_ELEMENTS + TIME_ELEMENT;
}

/// Bits of a limb.
pub const LIMB_BITS: u32 = 16;
/// Bits of a short limb.
pub const SHORT_BITS: u32 = 14;
/// What brings a short limb to 16 bits.
pub const SHORT_SCALE: u32 = 1 << (LIMB_BITS - SHORT_BITS);

/// The sizes of a table's regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Kinds of steps.
    pub selectors: usize,
    /// Carried cells: none if every transaction has one step.
    pub carried: usize,
    /// Limbs.
    pub limbs: usize,
    /// Short limbs.
    pub shorts: usize,
    /// Free cells.
    pub free: usize,
}

impl Layout {
    /// Returns the column of a step's selector.
    #[must_use]
    pub const fn selector(&self, step: usize) -> usize {
        prefix::WIDTH + step
    }

    /// Returns the first carried column.
    #[must_use]
    pub const fn carried_at(&self) -> usize {
        prefix::WIDTH + self.selectors
    }

    /// Returns the first limb's column.
    #[must_use]
    pub const fn limbs_at(&self) -> usize {
        self.carried_at() + self.carried
    }

    /// Returns the first short limb's column.
    #[must_use]
    pub const fn shorts_at(&self) -> usize {
        self.limbs_at() + self.limbs
    }

    /// Returns the first free column.
    #[must_use]
    pub const fn free_at(&self) -> usize {
        self.shorts_at() + self.shorts
    }

    /// Returns the number of columns.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.free_at() + self.free
    }
}

/// How far a step has laid its cells: one cursor for the row and for its constraints keeps the two
/// in step.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    layout: Layout,
    limb_bits: u32,
    short_bits: u32,
    limbs: usize,
    shorts: usize,
    free: usize,
}

/// A limb of an integer: its column and how far it is shifted to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limb {
    /// The column.
    pub column: usize,
    /// Bits below it.
    pub shift: u32,
    /// Bits of it.
    pub bits: u32,
    /// By how many bits it is to be shifted to be checked once more: 0 if it is a whole limb or a
    /// short one, whose columns say how wide they are.
    pub spare: u32,
}

impl Cursor {
    /// Starts a row.
    #[must_use]
    pub const fn new(layout: Layout) -> Self {
        Self::with_limbs(layout, LIMB_BITS, SHORT_BITS)
    }

    /// Starts a row with limbs and short limbs of so many bits: for tests over a small field.
    pub(crate) const fn with_limbs(layout: Layout, limb_bits: u32, short_bits: u32) -> Self {
        Self {
            layout,
            limb_bits,
            short_bits,
            limbs: 0,
            shorts: 0,
            free: 0,
        }
    }

    /// Returns the bits of a limb.
    #[must_use]
    pub const fn limb_bits(&self) -> u32 {
        self.limb_bits
    }

    /// Returns the next free column.
    pub const fn free(&mut self) -> usize {
        self.free += 1;
        self.layout.free_at() + self.free - 1
    }

    /// Returns the columns of an integer of so many bits: limbs of 16 bits, the last one short if
    /// it has 14. A last limb of other widths lies among the limbs and is checked once more.
    pub fn integer(&mut self, bits: u32) -> impl Iterator<Item = Limb> + use<> {
        let (layout, limb_bits) = (self.layout, self.limb_bits);
        let (limbs_before, shorts_before) = (self.limbs, self.shorts);
        let count = bits.div_ceil(limb_bits);
        let is_short = bits % limb_bits == self.short_bits;
        self.shorts += usize::from(is_short);
        self.limbs += count as usize - usize::from(is_short);
        (0..count).map(move |i| {
            let shift = limb_bits * i;
            let bits = limb_bits.min(bits - shift);
            let is_short = is_short && i + 1 == count;
            let column = if is_short {
                layout.shorts_at() + shorts_before
            } else {
                layout.limbs_at() + limbs_before + i as usize
            };
            Limb {
                column,
                shift,
                bits,
                spare: if is_short { 0 } else { limb_bits - bits },
            }
        })
    }

    /// Returns how many limbs, short limbs and free cells were laid.
    #[must_use]
    pub const fn used(&self) -> (usize, usize, usize) {
        (self.limbs, self.shorts, self.free)
    }
}
