//! Security profiles: every parameter of both layers under one name.

use shardfold_protocol::shape::Shape;

use crate::config::StarkParameters;
use crate::plonk::PlonkParameters;
use crate::security::Bits;

/// A named level of security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// At least 100 proven bits in both layers.
    Proven100,
    /// At least 100 conjectured bits in both layers.
    Conjectured100,
    /// Proves nothing: for tests.
    UnsoundTest,
}

impl Profile {
    /// All of them, the strongest first.
    pub const ALL: [Self; 3] = [Self::Proven100, Self::Conjectured100, Self::UnsoundTest];

    /// Returns the name that files and the command line use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.plonk().profile
    }

    /// Returns the profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Returns whether figures keep what the profile's name promises.
    #[must_use]
    pub fn is_kept_by(self, bits: &Bits) -> bool {
        match self {
            Self::Proven100 => bits.proven() >= 100.0,
            Self::Conjectured100 => bits.conjectured.bits >= 100.0,
            Self::UnsoundTest => true,
        }
    }

    /// Returns the shapes whose shards are proven, the smallest first. Their order numbers the leaf
    /// keys of the fold circuit.
    #[must_use]
    pub const fn shapes(self) -> &'static [Shape] {
        match self {
            Self::Proven100 | Self::Conjectured100 => &[
                Shape::SMALL,
                Shape::MEDIUM,
                Shape::DENSE,
                Shape::LARGE,
                Shape::HUGE,
                Shape::GIANT,
            ],
            Self::UnsoundTest => &[Shape::TINY],
        }
    }

    /// Returns those of [`Self::shapes`] among which a batch's are chosen unless somebody says
    /// otherwise: all but the giant one, which takes the memory of larger machines.
    #[must_use]
    pub fn usual_shapes(self) -> &'static [Shape] {
        let all = self.shapes();
        let usual = all.iter().take_while(|shape| **shape != Shape::GIANT);
        &all[..usual.count()]
    }

    /// Returns log2 of the rows of every plonky2 circuit but the last: the least at which the shard
    /// circuit of each shape and the aggregation circuit fit.
    #[must_use]
    pub const fn degree_bits(self) -> usize {
        match self {
            Self::Proven100 => 16,
            Self::Conjectured100 => 15,
            Self::UnsoundTest => 12,
        }
    }

    /// Returns the parameters of the last proof, on which nothing is built: at a lower rate it is
    /// shorter.
    #[must_use]
    pub const fn last(self) -> PlonkParameters {
        match self {
            Self::Proven100 => PlonkParameters::LAST_PROVEN_100,
            Self::Conjectured100 => PlonkParameters::LAST_CONJECTURED_100,
            Self::UnsoundTest => PlonkParameters::UNSOUND_TEST,
        }
    }

    /// Returns log2 of the rows of the last circuit: the least at which it fits.
    #[must_use]
    pub const fn last_degree_bits(self) -> usize {
        match self {
            Self::Proven100 => 14,
            Self::Conjectured100 => 13,
            Self::UnsoundTest => 12,
        }
    }

    /// Returns log2 of the rows of the data circuit: the least at which it fits.
    #[must_use]
    pub const fn data_degree_bits(self) -> usize {
        match self {
            Self::Proven100 => 15,
            Self::Conjectured100 => 14,
            Self::UnsoundTest => 11,
        }
    }

    /// Returns the parameters of the settlement proof's joint circuit: those of the last proof, which
    /// it takes the place of.
    #[must_use]
    pub const fn joint(self) -> PlonkParameters {
        self.last()
    }

    /// Returns log2 of the rows of the joint circuit: the least at which it fits.
    #[must_use]
    pub const fn joint_degree_bits(self) -> usize {
        match self {
            Self::Proven100 => 15,
            Self::Conjectured100 => 14,
            Self::UnsoundTest => 12,
        }
    }

    /// Returns the parameters of the settlement proof's narrow circuit.
    #[must_use]
    pub const fn narrow(self) -> PlonkParameters {
        match self {
            Self::Proven100 => PlonkParameters::NARROW_PROVEN_100,
            Self::Conjectured100 => PlonkParameters::NARROW_CONJECTURED_100,
            Self::UnsoundTest => PlonkParameters::UNSOUND_TEST,
        }
    }

    /// Returns log2 of the rows of the narrow circuit: the least at which it fits.
    #[must_use]
    pub const fn narrow_degree_bits(self) -> usize {
        match self {
            Self::Proven100 => 14,
            Self::Conjectured100 => 13,
            Self::UnsoundTest => 12,
        }
    }

    /// Returns the parameters of the settlement proof, whose trees are Keccak's.
    #[must_use]
    pub const fn outer(self) -> PlonkParameters {
        match self {
            Self::Proven100 => PlonkParameters::OUTER_PROVEN_100,
            Self::Conjectured100 => PlonkParameters::OUTER_CONJECTURED_100,
            Self::UnsoundTest => PlonkParameters::OUTER_UNSOUND_TEST,
        }
    }

    /// Returns log2 of the rows of the outer circuit: the least at which it fits.
    #[must_use]
    pub const fn outer_degree_bits(self) -> usize {
        match self {
            Self::Proven100 | Self::Conjectured100 => 13,
            Self::UnsoundTest => 12,
        }
    }

    /// Returns how many proofs one aggregation joins: the most that fit.
    #[must_use]
    pub const fn arity(self) -> usize {
        match self {
            Self::Proven100 => 6,
            Self::Conjectured100 => 5,
            Self::UnsoundTest => 2,
        }
    }

    /// Returns the parameters of plonky2 for all proofs but the last.
    #[must_use]
    pub const fn plonk(self) -> PlonkParameters {
        match self {
            Self::Proven100 => PlonkParameters::PROVEN_100,
            Self::Conjectured100 => PlonkParameters::CONJECTURED_100,
            Self::UnsoundTest => PlonkParameters::UNSOUND_TEST,
        }
    }

    /// Returns the parameters of the STARK for shards of this shape. Small shards have more blow-up
    /// and fewer queries, large ones the reverse. Why these: `docs/decisions/0016-bchks25.md` and
    /// `0026-huge-shards.md`, `0030-dense-shards.md`.
    #[must_use]
    pub fn stark(self, shape: &Shape) -> StarkParameters {
        let small = shape.log_transactions <= Shape::SMALL.log_transactions;
        // Queries take rows of the shard circuit, grinding takes time: as many queries as fit.
        let (queries, [query_grinding, batch_grinding, fold_grinding]) =
            match shape.log_transactions {
                _ if small => (98, [20, 16, 9]),
                // Its tallest table is half as high as that of a large shard.
                14 if shape.three_quarters => (189, [19, 20, 12]),
                ..15 => (187, [20, 21, 14]),
                15 => (178, [23, 23, 16]),
                _ => (183, [22, 23, 16]),
            };
        let common = StarkParameters {
            log_blowup: if small { 3 } else { 1 },
            queries,
            max_log_arity: 3,
            // From the lowest table of a huge or giant shard to this one by whole folds of 8.
            log_final_poly_len: match shape.log_transactions {
                15 => 6,
                16 => 7,
                other => (other as usize).min(5),
            },
            log_cap: 4,
            query_grinding,
            fold_grinding,
            batch_grinding,
            point_grinding: 12,
            lookup_grinding: 12,
        };
        match self {
            Self::Proven100 => common,
            Self::Conjectured100 => StarkParameters {
                queries: match shape.log_transactions {
                    _ if small => 30,
                    ..15 => 88,
                    _ => 86,
                },
                query_grinding: if shape.log_transactions < 15 { 20 } else { 22 },
                fold_grinding: 6,
                batch_grinding: 6,
                point_grinding: 6,
                lookup_grinding: 6,
                ..common
            },
            Self::UnsoundTest => StarkParameters {
                log_blowup: 1,
                queries: 2,
                max_log_arity: 3,
                log_final_poly_len: 1,
                // The last round's matrix has no more rows.
                log_cap: 2,
                query_grinding: 1,
                fold_grinding: 0,
                batch_grinding: 0,
                point_grinding: 0,
                lookup_grinding: 0,
            },
        }
    }

    /// Returns the parameters of the STARK over a batch's differences.
    #[must_use]
    pub const fn data(self) -> StarkParameters {
        let common = StarkParameters {
            log_blowup: 1,
            queries: 187,
            max_log_arity: 3,
            // From the lower tables to this one by whole folds of 8.
            log_final_poly_len: 6,
            log_cap: 4,
            query_grinding: 20,
            fold_grinding: 14,
            batch_grinding: 21,
            point_grinding: 12,
            lookup_grinding: 12,
        };
        match self {
            Self::Proven100 => common,
            Self::Conjectured100 => StarkParameters {
                queries: 88,
                query_grinding: 20,
                fold_grinding: 6,
                batch_grinding: 6,
                point_grinding: 6,
                lookup_grinding: 6,
                ..common
            },
            Self::UnsoundTest => StarkParameters {
                queries: 2,
                query_grinding: 1,
                fold_grinding: 0,
                batch_grinding: 0,
                point_grinding: 0,
                lookup_grinding: 0,
                ..common
            },
        }
    }
}
