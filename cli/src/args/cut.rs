//! How a batch is cut into shards: wherever a command moves a head.

use clap::{Args, ValueEnum};

use super::{Profile, UnsoundArgs};

/// What a batch is cut with. Where its shards end is part of what the head after it commits to, so
/// `execute` takes the same as `prove`.
#[derive(Args, Clone, Copy, Debug)]
pub struct CutArgs {
    /// The security profile, whose shards the batch is cut into: another one may lead to another
    /// head.
    #[arg(long, value_enum, default_value_t = Profile::Proven100)]
    pub profile: Profile,
    /// Whether it may be the unsound one.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
    /// The size of the shards: another one may lead to another head.
    #[arg(long, value_enum, default_value_t = ShapeChoice::Auto)]
    pub shape: ShapeChoice,
}

/// Shard sizes.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeChoice {
    /// Whatever costs least for the batch, up to huge.
    Auto,
    /// 128 transactions.
    Small,
    /// 4,096 transactions.
    Medium,
    /// 12,288 transactions over vaults that are used often.
    Dense,
    /// 16,384 transactions.
    Large,
    /// 32,768 transactions over vaults that are used often.
    Huge,
    /// 65,535 transactions over vaults that are used often: takes some 12 GB.
    Giant,
}
