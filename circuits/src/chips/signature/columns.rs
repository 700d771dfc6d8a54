//! Columns of the signatures.

use crate::cells::Cells;

/// One signature (R, s) of a message under the key P.
#[repr(C)]
#[derive(Debug)]
pub struct SignatureColumns<T> {
    /// The row's number, by which the other curve chips name this signature.
    pub position: T,
    /// One where the signature is asked for, zero on padding.
    pub is_real: T,
    /// One where the ladders' tables have rows for it: on all rows, or on the first of them.
    pub has_ladders: T,
    /// The key P.
    pub key: Element<T>,
    /// The commitment R.
    pub nonce: Element<T>,
    /// The exit address of the key's owner.
    pub exit_address: [T; 3],
    /// hash(Owner, chain id, w of P, exit address): the digest after the first block.
    pub owner_block: [T; 4],
    /// That after the second and last, which is the owner.
    pub owner: [T; 4],
    /// The signed message.
    pub message: [T; 4],
    /// hash(Challenge, chain id, w of R, owner, message): the digest after each block. The last one's
    /// first two elements are e.
    pub challenge: [[T; 4]; 3],
    /// x of E' = e·P + K.
    pub product_x: [T; 5],
    /// y of E'.
    pub product_y: [T; 5],
    /// `1 / (x_R - x_E')`: R and E' have different x.
    pub inverse: [T; 5],
    /// Slope of the line through R and E'. x of S' = R + E' is `slope^2 - a - x_R - x_E'`.
    pub slope: [T; 5],
    /// y of S'.
    pub sum_y: [T; 5],
}

/// An element of the group, by its encoding.
#[repr(C)]
#[derive(Debug)]
pub struct Element<T> {
    /// The encoding w = -y/x.
    pub w: [T; 5],
    /// x; y is -w x.
    pub x: [T; 5],
    /// A square root of x.
    pub root: [T; 5],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<SignatureColumns<u8>>();

impl<T> SignatureColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            position: cells.one(),
            is_real: cells.one(),
            has_ladders: cells.one(),
            key: Element::of(&mut cells),
            nonce: Element::of(&mut cells),
            exit_address: cells.array(),
            owner_block: cells.array(),
            owner: cells.array(),
            message: cells.array(),
            challenge: core::array::from_fn(|_| cells.array()),
            product_x: cells.array(),
            product_y: cells.array(),
            inverse: cells.array(),
            slope: cells.array(),
            sum_y: cells.array(),
        }
    }
}

impl<T> Element<T> {
    fn of<I: Iterator<Item = T>>(cells: &mut Cells<I>) -> Self {
        Self {
            w: cells.array(),
            x: cells.array(),
            root: cells.array(),
        }
    }
}
