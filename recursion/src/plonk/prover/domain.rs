//! Where the points of plonky2's domains stand in Plonky3's.
//!
//! Both libraries order a domain of `2^m` points by the powers of a root of unity of that order,
//! but of different roots: plonky2's is Plonky3's to an odd power, the same one for every `m`.
//! So multiplying an index by that power leads from one order to the other. In bit-reversed order
//! this keeps aligned blocks of `2^t` indices together: it only permutes them, and their insides.

use p3_matrix::row_index_mapped::RowIndexMap;
use p3_util::reverse_bits_len;
use plonky2::field::types::Field as _;

use crate::config::F;
use crate::convert::from_plonk;
use crate::plonk::PlonkField;

/// plonky2's root of unity of order `2^32` is Plonky3's to this power.
const POWER: usize = 4_168_946_053;
/// The inverse of [`POWER`] modulo `2^32`.
const INVERSE: usize = 1_919_565_645;

/// The shift of the coset on which plonky2 commits to polynomials.
pub fn shift() -> F {
    from_plonk(PlonkField::coset_shift())
}

/// Returns the index in Plonky3's domain of `2^log_size` points of point `index` of plonky2's.
pub const fn to_plonky3(index: usize, log_size: usize) -> usize {
    index.wrapping_mul(POWER) & ((1 << log_size) - 1)
}

/// The inverse of [`to_plonky3`].
pub const fn to_plonky2(index: usize, log_size: usize) -> usize {
    index.wrapping_mul(INVERSE) & ((1 << log_size) - 1)
}

/// From the leaves of a plonky2 tree to the rows in which Plonky3's DFT leaves the same values:
/// each in bit-reversed order of its own domain.
#[derive(Clone, Copy, Debug)]
pub struct LeafOrder {
    /// log2 of the leaves.
    pub log_height: usize,
}

impl LeafOrder {
    /// Returns the row of a leaf.
    pub const fn row(self, leaf: usize) -> usize {
        let index = reverse_bits_len(leaf, self.log_height);
        reverse_bits_len(to_plonky3(index, self.log_height), self.log_height)
    }
}

impl RowIndexMap for LeafOrder {
    fn height(&self) -> usize {
        1 << self.log_height
    }

    fn map_row_index(&self, leaf: usize) -> usize {
        self.row(leaf)
    }
}

#[cfg(test)]
mod tests {
    use p3_field::TwoAdicField as _;

    use super::*;

    #[test]
    fn plonky2s_roots_are_a_power_of_plonky3s() {
        for log_size in 0..=32 {
            let root = from_plonk(PlonkField::primitive_root_of_unity(log_size));
            let index = to_plonky3(1, log_size);
            let generator = F::two_adic_generator(log_size);
            assert_eq!(
                p3_field::PrimeCharacteristicRing::exp_u64(&generator, index as u64),
                root
            );
        }
    }

    #[test]
    fn indices_survive_the_round_trip() {
        for log_size in [0, 1, 5, 10] {
            for index in 0..1 << log_size {
                let there = to_plonky3(index, log_size);
                assert_eq!(to_plonky2(there, log_size), index);
            }
        }
    }

    #[test]
    fn leaves_stay_within_their_block() {
        let order = LeafOrder { log_height: 10 };
        for leaf in 0..1 << 10 {
            assert_eq!(order.row(leaf) >> 3, order.row(leaf & !7) >> 3);
        }
    }
}
