//! The inputs of the program, in the order of their slots.
//!
//! | slots | what they hold |
//! | --- | --- |
//! | 0 | zero, which the instructions that fill up a group read |
//! | [`ROOT`] | X itself, the square root of 7 |
//! | from [`OPENINGS`] | the openings, in the order of the proof |
//! | then | betas, gammas, alphas, in the order in which they are sampled |
//! | then | the two coordinates of zeta |
//! | then | the four elements of the hash of the public inputs |

use plonky2::field::extension::FieldExtension as _;
use plonky2::field::types::{Field as _, Sample as _};

use crate::plonk::challenges::Challenges;
use crate::plonk::openings::{Openings, oracle_sizes};
use crate::plonk::transcript::{CopyChallenges, Pair};
use crate::plonk::{CommonData, Extension, PlonkField};

/// The slot of X.
pub(super) const ROOT: usize = 1;
/// The first slot of the openings.
pub const OPENINGS: usize = 2;

/// What the identity is made of.
#[derive(Clone, Debug)]
pub(in crate::plonk) struct Inputs<W, E> {
    /// All openings.
    pub openings: Vec<E>,
    pub challenges: Challenges<W>,
    pub public_inputs_hash: [W; 4],
}

/// Returns how many openings a proof has.
pub(super) fn opening_count(common: &CommonData) -> usize {
    let columns: usize = oracle_sizes(common).iter().sum();
    columns + common.config.num_challenges
}

impl<W: Copy + Default, E: Copy> Inputs<W, E> {
    /// Takes inputs in the order of the slots: `element` gives an opening, `word` all that comes
    /// after them.
    pub fn take<S>(
        source: &mut S,
        common: &CommonData,
        element: fn(&mut S) -> E,
        word: fn(&mut S) -> W,
    ) -> Self {
        let openings = (0..opening_count(common)).map(|_| element(source));
        let openings = openings.collect();
        let mut several = || -> Vec<W> {
            let count = common.config.num_challenges;
            (0..count).map(|_| word(source)).collect()
        };
        let copy = CopyChallenges {
            betas: several(),
            gammas: several(),
        };
        let alphas = several();
        let challenges = Challenges {
            copy,
            alphas,
            zeta: core::array::from_fn(|_| word(source)),
            batch: Pair::default(),
            folds: vec![],
            response: W::default(),
            queries: vec![],
        };
        Self {
            openings,
            challenges,
            public_inputs_hash: core::array::from_fn(|_| word(source)),
        }
    }

    /// The openings by what they are of.
    pub fn openings(&self, common: &CommonData) -> Openings<'_, E> {
        let mut rest = self.openings.as_slice();
        let mut next = |count: usize| {
            let (part, after) = rest.split_at(count);
            rest = after;
            part
        };
        let config = &common.config;
        let challenges = config.num_challenges;
        Openings {
            constants: next(common.num_constants),
            sigmas: next(config.num_routed_wires),
            wires: next(config.num_wires),
            zs: next(challenges),
            partial_products: next(challenges * common.num_partial_products),
            quotient: next(challenges * common.quotient_degree_factor),
            zs_next: next(challenges),
        }
    }
}

impl Inputs<PlonkField, Extension> {
    /// Random inputs, which no proof would have.
    pub fn random(common: &CommonData) -> Self {
        Self::take(
            &mut (),
            common,
            |_| Extension::rand(),
            |_| PlonkField::rand(),
        )
    }

    /// The value of each slot.
    pub fn slots(&self) -> Vec<Extension> {
        let Challenges {
            copy, alphas, zeta, ..
        } = &self.challenges;
        let hash = &self.public_inputs_hash;
        let words = [&copy.betas, &copy.gammas, alphas, &zeta[..], &hash[..]];
        let words = words.concat();
        let root = Extension::from_basefield_array([PlonkField::ZERO, PlonkField::ONE]);
        let openings = self.openings.iter().copied();
        let slots = [Extension::ZERO, root].into_iter().chain(openings);
        slots
            .chain(words.into_iter().map(Extension::from))
            .collect()
    }
}
