//! Columns of a compression.

use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_HALF_FULL_ROUNDS as HALF_FULL_ROUNDS,
    GOLDILOCKS_POSEIDON2_PARTIAL_ROUNDS_8 as PARTIAL_ROUNDS,
};

use crate::cells::Cells;

/// One compression.
#[repr(C)]
#[derive(Debug)]
pub struct Poseidon2Columns<T> {
    /// What is compressed.
    pub input: [T; 8],
    /// The full rounds at the beginning.
    pub beginning: [FullRound<T, 8>; HALF_FULL_ROUNDS],
    /// The partial rounds.
    pub partial: [PartialRound<T>; PARTIAL_ROUNDS],
    /// The full rounds at the end, without the last one.
    pub ending: [FullRound<T, 8>; HALF_FULL_ROUNDS - 1],
    /// The last round, of which only the digest's elements are kept.
    pub last: FullRound<T, 4>,
    /// How often the compression is asked for.
    pub multiplicity: T,
}

/// A full round: every element goes through an S-box, then through the linear layer.
#[repr(C)]
#[derive(Debug)]
pub struct FullRound<T, const KEPT: usize> {
    /// cube = x^3, for x = the element before plus the round's constant.
    pub cube: [T; 8],
    /// The state after the round: the linear layer over cube^2 x.
    pub post: [T; KEPT],
}

/// A partial round: only the first element goes through an S-box.
#[repr(C)]
#[derive(Debug)]
pub struct PartialRound<T> {
    /// cube = x^3, for x = the first element before plus the round's constant.
    pub cube: T,
    /// The output of the S-box, cube^2 x, before the linear layer.
    pub post_sbox: T,
}

/// Number of columns.
pub const WIDTH: usize = size_of::<Poseidon2Columns<u8>>();

impl<T> Poseidon2Columns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            input: cells.array(),
            beginning: core::array::from_fn(|_| FullRound::of(&mut cells)),
            partial: core::array::from_fn(|_| PartialRound {
                cube: cells.one(),
                post_sbox: cells.one(),
            }),
            ending: core::array::from_fn(|_| FullRound::of(&mut cells)),
            last: FullRound::of(&mut cells),
            multiplicity: cells.one(),
        }
    }
}

impl<T, const KEPT: usize> FullRound<T, KEPT> {
    fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            cube: cells.array(),
            post: cells.array(),
        }
    }
}
