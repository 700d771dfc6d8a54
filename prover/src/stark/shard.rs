//! The STARK of shards of one shape.

use shardfold_circuits::chips::Chip;
use shardfold_contracts::Contracts;
use shardfold_protocol::head::Statement;
use shardfold_protocol::shape::Shape;
use shardfold_recursion::config::{StarkParameters, StarkProof};

use super::{Stark, StarkError};
use crate::traces::{Traces, public_values};

/// Proves and verifies shards of one shape.
pub struct ShardStark {
    contracts: &'static Contracts,
    shape: Shape,
    stark: Stark,
}

impl ShardStark {
    /// Returns the STARK of this shape.
    ///
    /// # Errors
    /// If the shape is beyond the bounds on which clocks and fee sums rest, or as [`Stark::new`].
    pub fn new(
        contracts: &'static Contracts,
        shape: Shape,
        parameters: StarkParameters,
    ) -> Result<Self, StarkError> {
        if !shape.is_bounded() {
            return Err(StarkError::Shape { found: shape });
        }
        Ok(Self {
            contracts,
            shape,
            stark: Stark::new(Chip::tables(contracts, &shape), parameters)?,
        })
    }

    /// Returns the contracts whose transactions are proven.
    #[must_use]
    pub const fn contracts(&self) -> &'static Contracts {
        self.contracts
    }

    /// Returns the shape of the shards.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Returns the STARK itself.
    #[must_use]
    pub const fn stark(&self) -> &Stark {
        &self.stark
    }

    /// Proves the traces of one shard, which are used up.
    ///
    /// # Errors
    /// If a trace has another height than the shape says. Traces that break a constraint
    /// give a proof that does not verify.
    pub fn prove(&self, traces: Traces) -> Result<StarkProof, StarkError> {
        self.stark.prove(traces)
    }

    /// Verifies natively that `proof` proves `statement`.
    ///
    /// # Errors
    /// If it does not, or if the statement's integers are no canonical field elements.
    pub fn verify(&self, proof: &StarkProof, statement: &Statement) -> Result<(), StarkError> {
        statement.check()?;
        let public_values = public_values(self.stark.chips(), statement);
        self.stark.verify(proof, &public_values)
    }
}
