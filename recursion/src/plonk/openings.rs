//! The opened values, and which polynomial is opened where.
//!
//! There are four oracles: the preprocessed polynomials (constants, then sigmas), the wires, the
//! copy-constraint products (the Z of each challenge, then their partial products), the quotient.
//! All polynomials are opened at zeta, in this order, and the Zs at the next row as well.

use plonky2::fri::structure::{FriOracleInfo, FriPolynomialInfo};
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::plonk::proof::{OpeningSet, OpeningSetTarget};

use super::{CommonData, D, Extension, PlonkField};

/// The opened values by what they are of: values, or targets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Openings<'a, E> {
    pub constants: &'a [E],
    pub sigmas: &'a [E],
    pub wires: &'a [E],
    /// The products of the copy constraints at the row itself, one for each challenge.
    pub zs: &'a [E],
    /// The same at the next row.
    pub zs_next: &'a [E],
    pub partial_products: &'a [E],
    pub quotient: &'a [E],
}

impl<E: Copy> Openings<'_, E> {
    /// Returns the values at zeta, in the order of [`polynomials`].
    pub fn at_point(&self) -> Vec<E> {
        [
            self.constants,
            self.sigmas,
            self.wires,
            self.zs,
            self.partial_products,
            self.quotient,
        ]
        .concat()
    }

    /// Returns the values at zeta, then those at the next row, as the transcript observes them.
    pub fn all(&self) -> Vec<E> {
        [self.at_point().as_slice(), self.zs_next].concat()
    }
}

impl<'a> From<&'a OpeningSet<PlonkField, D>> for Openings<'a, Extension> {
    fn from(set: &'a OpeningSet<PlonkField, D>) -> Self {
        Self {
            constants: &set.constants,
            sigmas: &set.plonk_sigmas,
            wires: &set.wires,
            zs: &set.plonk_zs,
            zs_next: &set.plonk_zs_next,
            partial_products: &set.partial_products,
            quotient: &set.quotient_polys,
        }
    }
}

impl<'a> From<&'a OpeningSetTarget<D>> for Openings<'a, ExtensionTarget<D>> {
    fn from(set: &'a OpeningSetTarget<D>) -> Self {
        Self {
            constants: &set.constants,
            sigmas: &set.plonk_sigmas,
            wires: &set.wires,
            zs: &set.plonk_zs,
            zs_next: &set.plonk_zs_next,
            partial_products: &set.partial_products,
            quotient: &set.quotient_polys,
        }
    }
}

/// Returns how many polynomials each oracle commits to.
#[must_use]
pub fn oracle_sizes(common: &CommonData) -> [usize; 4] {
    let config = &common.config;
    let challenges = config.num_challenges;
    [
        common.num_constants.saturating_add(config.num_routed_wires),
        config.num_wires,
        challenges.saturating_mul(common.num_partial_products.saturating_add(1)),
        challenges.saturating_mul(common.quotient_degree_factor),
    ]
}

/// Returns the oracles; none is blinded, since no circuit of the system hides its witness.
pub(super) fn oracles(common: &CommonData) -> Vec<FriOracleInfo> {
    let oracle = |num_polys| FriOracleInfo {
        num_polys,
        blinding: false,
    };
    oracle_sizes(common).map(oracle).to_vec()
}

/// Returns the polynomials that are opened at zeta, and those that are opened at the next row.
pub(super) fn polynomials(common: &CommonData) -> [Vec<FriPolynomialInfo>; 2] {
    let sizes = oracle_sizes(common).into_iter().enumerate();
    let all = sizes.flat_map(|(oracle, size)| FriPolynomialInfo::from_range(oracle, 0..size));
    let zs = FriPolynomialInfo::from_range(PRODUCTS, 0..common.config.num_challenges);
    [all.collect(), zs]
}

/// The oracle of the copy-constraint products.
const PRODUCTS: usize = 2;
