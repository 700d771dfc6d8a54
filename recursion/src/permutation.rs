//! Poseidon2 of width 12: the permutation under all commitments and transcripts, behind one name.
//!
//! The function is Plonky3's, with its published constants for Goldilocks. Where the processor has
//! AVX-512, states that are permuted eight at a time go through a kernel of our own, which takes
//! 0.83 of the time of Plonky3's (bench `native`, group `permutation_12`).

#[cfg(all(target_arch = "x86_64", target_feature = "avx512f"))]
mod avx512;
#[cfg(test)]
mod tests;

use p3_goldilocks::{Poseidon2Goldilocks, default_goldilocks_poseidon2_12};

/// Elements of a state.
pub const WIDTH: usize = 12;

/// Plonky3's own, of which any state can be permuted.
type Plonky3 = Poseidon2Goldilocks<WIDTH>;

#[cfg(not(all(target_arch = "x86_64", target_feature = "avx512f")))]
mod chosen {
    /// The permutation.
    pub type Permutation12 = super::Plonky3;

    /// Returns the permutation.
    #[must_use]
    pub fn permutation() -> Permutation12 {
        super::default_goldilocks_poseidon2_12()
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "avx512f"))]
mod chosen {
    use std::sync::LazyLock;

    use p3_symmetric::{CryptographicPermutation, Permutation};

    use super::avx512::{Packed, Rounds};
    use super::{Plonky3, WIDTH, default_goldilocks_poseidon2_12};
    use shardfold_protocol::field::F;

    static ROUNDS: LazyLock<Rounds> = LazyLock::new(Rounds::new);

    /// The permutation.
    #[derive(Clone)]
    pub struct Permutation12 {
        scalar: Plonky3,
        packed: &'static Rounds,
    }

    /// Returns the permutation.
    #[must_use]
    pub fn permutation() -> Permutation12 {
        Permutation12 {
            scalar: default_goldilocks_poseidon2_12(),
            packed: &ROUNDS,
        }
    }

    impl Permutation<[F; WIDTH]> for Permutation12 {
        fn permute_mut(&self, state: &mut [F; WIDTH]) {
            self.scalar.permute_mut(state);
        }
    }

    impl Permutation<[Packed; WIDTH]> for Permutation12 {
        fn permute_mut(&self, state: &mut [Packed; WIDTH]) {
            self.packed.permute(state);
        }
    }

    impl CryptographicPermutation<[F; WIDTH]> for Permutation12 {}
    impl CryptographicPermutation<[Packed; WIDTH]> for Permutation12 {}
}

pub use chosen::{Permutation12, permutation};
