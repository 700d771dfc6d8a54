//! What a step says and asks, as expressions over the cells of its row.

use p3_air::symbolic::SymbolicExpression;
use shardfold_protocol::field::F;

/// An expression over the cells of a row and the public values.
pub type Expr = SymbolicExpression<F>;

/// The buses on which a step speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bus {
    /// Records: `(index, clock, record)`.
    State,
    /// Compressions: `(input, output)`.
    Hash,
    /// Signatures: `(owner, digest)`.
    Signature,
    /// Fees: `(vault, asset)`, with the fee as the count.
    Fee,
    /// Accesses of vaults that have a row of their own:
    /// `(clock, index, asset, owner, delta, signs, nonce if it signs, may open)`.
    Vault,
    /// Exact divisions: `(a, b, d, quotient, is rounded up)`.
    MulDiv,
    /// 16-bit integers.
    Range,
}

impl Bus {
    /// All of them, in the order in which the table speaks.
    pub const ALL: [Self; 7] = [
        Self::State,
        Self::Hash,
        Self::Signature,
        Self::Fee,
        Self::Vault,
        Self::MulDiv,
        Self::Range,
    ];
}

/// What a step says on a bus.
#[derive(Clone, Debug)]
pub struct Message {
    /// On which one.
    pub bus: Bus,
    /// How often; negative for what it receives.
    pub count: Expr,
    /// The fields.
    pub fields: Vec<Expr>,
}

/// A hash that a step asks for.
#[derive(Clone, Debug)]
pub struct HashCall {
    /// What is hashed, the chain id apart.
    pub message: Vec<Expr>,
    /// The digest.
    pub digest: [Expr; 4],
}

/// An access of a record, as far as the state is not needed for it.
#[derive(Clone, Debug)]
pub struct AccessCall {
    /// Where the record lies.
    pub index: Expr,
    /// What it gains, if it only gains.
    pub gain: Option<Expr>,
}
